package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.toydiff.Recording.Slot;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.ForeignStorage;
import org.toydiff.internal.memory.Storage;

/// Notes the launches of the first run of a compiled function, and all that the run depended on.
///
/// A tensor is one of three things to it: over a **slot**, which is the memory of an input or a block that the
/// run made, and for which a replay has other memory; or persistent, and used in place: a parameter, its
/// gradient, state.
final class Recorder {
    /// The recorders of all threads: code that runs always asks for one only while there are some.
    private static final AtomicInteger ACTIVE = new AtomicInteger();

    private final Scope scope;

    /// The arena in which the run makes tensors, the first that was opened for it.
    final TensorArena arena;

    private final int depth;
    private final Map<Storage, Slot> slots = new IdentityHashMap<>();
    private final Map<Storage, Boolean> persistent = new IdentityHashMap<>();
    private final List<Slot> inputs = new ArrayList<>();
    private final List<Slot> temporaries = new ArrayList<>();
    private final List<Command> commands = new ArrayList<>();
    private final List<Guard> guards = new ArrayList<>();

    /// The operands of the next command.
    private List<Tensor> reading = new ArrayList<>();

    private List<Tensor> writing = new ArrayList<>();
    private final Map<Tensor, Boolean> trackingKnown = new IdentityHashMap<>();
    private final Map<Tensor, Boolean> gradientKnown = new IdentityHashMap<>();

    /// What follows the products of this thread.
    ProductLaunch.Then then = ProductLaunch.Then.NOTHING;

    /// One step of a replay. A name of null is a change of state on the heap, which plans do not list.
    ///
    /// @param result the tensor that it writes, or null
    /// @param reads the tensors that it reads
    /// @param writes the tensors that it writes
    /// @param isOpen whether it runs code of the caller's, which may use all memory outside of the recording
    record Command(String op, Runnable body, Tensor result, List<Tensor> reads, List<Tensor> writes, boolean isOpen) {}

    /// A number that a later run must find as it was.
    record Guard(LongSupplier state, long value) {
        boolean holds() {
            return state.getAsLong() == value;
        }
    }

    private Recorder(Scope scope, TensorArena arena) {
        this.scope = scope;
        this.arena = arena;
        this.depth = scope.depth() - 1;
    }

    /// Returns the recorder of this thread, or null if it does not record.
    static Recorder current() {
        if (ACTIVE.get() == 0) {
            return null;
        }
        Scope scope = Scope.current();
        return scope.predicts() ? null : scope.recorder;
    }

    /// Begins to record on this thread; to be ended by [#end()].
    static Recorder begin(Scope scope, TensorArena arena) {
        var recorder = new Recorder(scope, arena);
        scope.recorder = recorder;
        ACTIVE.incrementAndGet();
        return recorder;
    }

    void end() {
        scope.recorder = null;
        ACTIVE.decrementAndGet();
    }

    /// Throws, naming `op` and the remedy, if this thread records.
    static void refuse(String op, String why) {
        if (current() != null) {
            throw refusal(op, why);
        }
    }

    /// As [#refuse], for an op that reads elements into Java.
    static void refuseReading(String op, long[] shape) {
        if (current() != null) {
            throw refusal(
                    op,
                    "reads elements of " + Shape.text(shape)
                            + " into Java, and a replay would not; move it out of the function, to the result of run");
        }
    }

    private static IllegalStateException refusal(String op, String why) {
        return new IllegalStateException(
                op + ": a CompiledFunction is being recorded on this thread; " + op + " " + why);
    }

    /// Returns a tensor for the function to be called with in place of an input: a storage of its own, so that
    /// tensors over the input's memory that reach the function in another way are other tensors.
    Tensor standIn(Tensor input) {
        long bytes = input.size() == 0 ? 0 : input.end() - input.begin();
        MemorySegment memory =
                MemorySegment.ofAddress(bytes == 0 ? 0 : input.begin()).reinterpret(bytes, arena, null);
        boolean readOnly = input.storage.isReadOnly();
        Storage storage = ForeignStorage.of(
                readOnly ? memory.asReadOnly() : memory, "input", input.dtype.element, input.shape.clone());
        var slot = new Slot(storage, true);
        slots.put(storage, slot);
        inputs.add(slot);
        return new Tensor(storage, 0, input.shape, input.strides, input.dtype);
    }

    /// Notes a storage that the run has made.
    void made(Storage storage) {
        var slot = new Slot(storage, false);
        slots.put(storage, slot);
        temporaries.add(slot);
    }

    /// Notes a storage that was made in an arena, if that belongs to the run.
    static void made(Arena home, Storage storage) {
        Recorder recorder = current();
        if (recorder != null && recorder.scope.holds(home, recorder.depth)) {
            recorder.made(storage);
        }
    }

    /// Throws, while this thread records, unless new tensors in an arena belong to the run.
    static void requireInside(String op, Arena target) {
        if (isOutside(target)) {
            throw refusal(
                    op,
                    "makes a tensor in an arena that was opened before, and a replay would not make another one;"
                            + " return the tensor and copy it after run");
        }
    }

    /// Whether this thread records and an arena does not belong to the run.
    static boolean isOutside(Arena arena) {
        Recorder recorder = current();
        return recorder != null && !recorder.scope.holds(arena, recorder.depth);
    }

    /// Notes that a storage got the memory of another one, elements and all.
    static void handedOver(Storage from, Storage heir) {
        Recorder recorder = current();
        Slot slot = recorder == null ? null : recorder.slots.get(from);
        if (slot != null) {
            slot.recorded = heir;
            recorder.slots.put(heir, slot);
        }
    }

    // Operands.

    /// Returns the tensor that a replay reads in place of t, which may be null.
    Tensor reads(Tensor t) {
        return t == null ? null : reads(t, t.shape, t.strides);
    }

    /// As the other, for an operand that is read under another shape and other strides.
    Tensor reads(Tensor t, long[] shape, long[] strides) {
        Slot slot = slot(t);
        if (slot != null && !slot.written && t.size() > 0) {
            throw refusal(
                    slot.op,
                    "made a tensor " + Shape.text(t.shape)
                            + " whose elements were set by no launch, so a replay cannot set them;"
                            + " compute them with ops, or make the tensor before and let the function use it");
        }
        Tensor operand = bound(t, slot, shape, strides);
        reading.add(operand);
        return operand;
    }

    /// Returns the tensor that a replay writes in place of t, which may be null.
    Tensor writes(Tensor t) {
        if (t == null) {
            return null;
        }
        Slot slot = slot(t);
        if (slot == null) {
            persistent.put(t.storage, true);
        } else {
            slot.changed = slot.isInput;
            slot.written = true;
        }
        Tensor operand = bound(t, slot, t.shape, t.strides);
        writing.add(operand);
        return operand;
    }

    private Slot slot(Tensor t) {
        Slot slot = slots.get(t.storage);
        if (slot == null) {
            persistent.putIfAbsent(t.storage, false);
        }
        return slot;
    }

    private static Tensor bound(Tensor t, Slot slot, long[] shape, long[] strides) {
        if (slot == null) {
            return shape == t.shape && strides == t.strides
                    ? t
                    : new Tensor(t.storage, t.offset, shape, strides, t.dtype);
        }
        var tensor = new Tensor(t.storage, t.offset, shape, strides, t.dtype);
        slot.tensors.add(tensor);
        slot.offsets.add(t.offset - t.storage.base());
        return tensor;
    }

    /// Adds a command whose operands were noted since the last one.
    ///
    /// @param result the tensor of the replay that it writes, or null
    void keep(String op, Runnable body, Tensor result) {
        keep(op, body, result, false);
    }

    private void keep(String op, Runnable body, Tensor result, boolean isOpen) {
        commands.add(new Command(op, body, result, reading, writing, isOpen));
        reading = new ArrayList<>();
        writing = new ArrayList<>();
    }

    /// Runs code that a replay runs again, with nothing recorded meanwhile.
    static void repeated(String name, Runnable action) {
        Recorder recorder = current();
        if (recorder == null) {
            action.run();
        } else {
            recorder.unrecorded(action);
            recorder.keep(name, action, null, true);
        }
    }

    private void unrecorded(Runnable action) {
        scope.recorder = null;
        try {
            action.run();
        } finally {
            scope.recorder = this;
        }
    }

    /// A loop of Java code over tensors, which launches nothing else.
    @FunctionalInterface
    interface Loop {
        void run(Tensor a, Tensor b, Tensor y);
    }

    /// Adds a command that reads a and b, either of which may be null, and writes y.
    void keep(String op, Tensor a, Tensor b, Tensor y, Loop loop) {
        Tensor first = reads(a);
        Tensor second = reads(b);
        Tensor result = writes(y);
        keep(op, () -> loop.run(first, second, result), result);
    }

    /// Checks the elements of a tensor, now and in each replay.
    static void check(String op, Tensor x, Consumer<Tensor> check) {
        check.accept(x);
        Recorder recorder = current();
        if (recorder != null) {
            Tensor elements = recorder.reads(x);
            recorder.keep(op + " check", () -> check.accept(elements), null);
        }
    }

    /// Notes that the elements of y were set by Java code.
    static void set(Tensor y, Consumer<Tensor> setter) {
        Recorder recorder = current();
        if (recorder != null) {
            Tensor result = recorder.writes(y);
            recorder.keep(y.storage.op, () -> setter.accept(result), result);
        }
    }

    /// Computes an op of the caller's, in replays too.
    static void custom(CustomOp op, String name, Tensor[] inputs, Tensor y) {
        Recorder recorder = current();
        if (recorder == null) {
            op.compute(inputs, y);
            return;
        }
        if (!op.isReplayable()) {
            throw refusal(name, "is not replayable; move it out of the function");
        }
        recorder.unrecorded(() -> op.compute(inputs, y));
        Tensor[] operands = new Tensor[inputs.length];
        Arrays.setAll(operands, i -> recorder.reads(inputs[i]));
        Tensor result = recorder.writes(y);
        recorder.keep(name, () -> op.compute(operands, result), result, true);
    }

    /// Keeps a product, with what follows it.
    void product(Tensor a, Tensor b, double beta, Tensor y, Loop product) {
        Tensor first = reads(a);
        Tensor second = reads(b);
        var following = new ProductLaunch.Then(then.following(), reads(then.bias()), then.activation());
        if (beta != 0 || following.following() == ProductLaunch.Following.GRADIENT) {
            reads(y);
        }
        Tensor result = writes(y);
        keep(y.storage.op, new ProductLaunch.Recorded(product, following, first, second, result), result);
    }

    // Elementwise launches.

    void unary(Kernel.Unary kernel, Tensor x, long[] xs, Tensor y) {
        Tensor operand = reads(x, y.shape, xs);
        Tensor result = writes(y);
        keep(y.storage.op, new Launch.Elementwise(kernel, null, operand, null, result), result);
    }

    void binary(Kernel.Binary kernel, Tensor a, long[] as, Tensor b, long[] bs, Tensor y) {
        Tensor first = reads(a, y.shape, as);
        Tensor second = reads(b, y.shape, bs);
        Tensor result = writes(y);
        keep(y.storage.op, new Launch.Elementwise(null, kernel, first, second, result), result);
    }

    /// Makes the exception for a kernel that failed over its operands.
    @FunctionalInterface
    interface Explanation {
        RuntimeException of(Tensor a, Tensor b, ArithmeticException failure);
    }

    /// Lets the elementwise launch that was kept last fail with a better exception in replays.
    static void explain(Explanation explanation) {
        Recorder recorder = current();
        if (recorder != null) {
            Command last = recorder.commands.removeLast();
            var launch = (Launch.Elementwise) last.body();
            Runnable body = () -> run(launch, explanation);
            recorder.commands.add(new Command(last.op, body, last.result, last.reads, last.writes, last.isOpen));
        }
    }

    private static void run(Launch.Elementwise launch, Explanation explanation) {
        try {
            launch.run();
        } catch (ArithmeticException failure) {
            throw explanation.of(launch.a(), launch.b(), failure);
        }
    }

    // State on the heap.

    void guard(LongSupplier state) {
        guards.add(new Guard(state, state.getAsLong()));
    }

    private boolean isPersistent(Tensor t) {
        return !slots.containsKey(t.storage);
    }

    /// Notes that the run depends on whether a tensor tracks gradients.
    static void asksTracking(Tensor x) {
        Recorder recorder = current();
        if (recorder != null && recorder.isPersistent(x) && recorder.trackingKnown.put(x, true) == null) {
            recorder.guard(() -> x.leaf ? 1 : 0);
        }
    }

    /// Notes that the run depends on whether a leaf has a gradient, and on its block.
    static void asksGradient(Tensor leaf) {
        Recorder recorder = current();
        if (recorder != null && recorder.isPersistent(leaf) && recorder.gradientKnown.put(leaf, true) == null) {
            recorder.guard(() -> leaf.gradientSet ? 1 : 0);
        }
    }

    /// Notes that a leaf has a gradient from now on.
    static void setsGradient(Tensor leaf) {
        Recorder recorder = current();
        if (recorder != null && recorder.isPersistent(leaf)) {
            recorder.gradientKnown.put(leaf, true);
            Tensor block = leaf.gradient;
            recorder.guards.add(new Guard(() -> leaf.gradient == block ? 1 : 0, 1));
            recorder.keep(null, () -> leaf.gradientSet = true, null);
        }
    }

    /// Notes that the gradient of a leaf is emptied.
    static void emptiesGradient(Tensor leaf) {
        Recorder recorder = current();
        if (recorder != null && recorder.isPersistent(leaf)) {
            recorder.gradientKnown.put(leaf, true);
            recorder.keep(null, leaf::emptyGradient, null);
        }
    }

    // The end.

    /// Returns what stands for the memory of a tensor of a command: the same for all tensors over it.
    Object home(Tensor t) {
        Slot slot = slots.get(t.storage);
        return slot == null ? t.storage : slot;
    }

    /// Whether a memory is not that of a temporary.
    boolean outlives(Object home) {
        return !(home instanceof Slot slot) || slot.isInput;
    }

    /// Returns where a tensor of a command begins in its memory, in elements, before replays place it.
    long place(Tensor t) {
        return slots.containsKey(t.storage) ? t.offset - t.storage.base() : t.offset;
    }

    /// Returns the memories outside of the recording that its commands use.
    Set<Storage> persistent() {
        return persistent.keySet();
    }

    /// Ends with the results of the run, and plans the memory of replays.
    ///
    /// @param given the inputs of the run
    /// @param block where the memory of replays lies
    Recording finish(Tensor[] given, boolean tracks, List<Tensor> results, TensorArena block) {
        List<Tensor> bound = new ArrayList<>();
        for (Tensor result : results) {
            result.requireReadable("run");
            bound.add(reads(result));
        }
        use(commands, bound);
        List<Command> inPlace = endInPlace();
        temporaries.forEach(slot -> slot.firstUse = -1);
        CommandFusion.Result fusion = CommandFusion.fuse(this, inPlace, bound);
        List<Command> fused = fusion.commands();
        use(fused, bound);
        temporaries.removeIf(slot -> slot.firstUse < 0);
        fusion.reusePlaces();
        return new Recording(
                Arrays.asList(given),
                tracks,
                inputs,
                temporaries,
                fused.toArray(Command[]::new),
                guards.toArray(Guard[]::new),
                persistent,
                bound,
                block);
    }

    private void use(List<Command> all, List<Tensor> results) {
        for (int i = 0; i < all.size(); i++) {
            use(all.get(i).reads(), i);
            use(all.get(i).writes(), i);
        }
        use(results, all.size());
    }

    private void use(List<Tensor> operands, int time) {
        for (Tensor operand : operands) {
            Slot slot = slots.get(operand.storage);
            if (slot != null) {
                slot.firstUse = slot.firstUse < 0 ? time : slot.firstUse;
                slot.lastUse = time;
            }
        }
    }

    // Values that end. A backward of Release.EAGER puts gradients over them. One of AT_CLOSE keeps them, because the
    // function may read them later; at its end it is known whether it did.

    /// Returns the commands with results in the blocks of values that end there: those of copies, which then are no
    /// commands, and of activations' gradients, which become one command with the product before.
    private List<Command> endInPlace() {
        List<Command> inPlace = new ArrayList<>(commands);
        for (int i = 0; i < commands.size(); i++) {
            if (commands.get(i).body() instanceof Launch.Elementwise launch) {
                if (launch.binary() != null) {
                    goThrough(launch, i, inPlace);
                } else if (launch.unary() == Families.copy(launch.y().dtype) && replaces(launch.y(), launch.a(), i)) {
                    replace(launch.y(), launch.a());
                    inPlace.set(i, null);
                }
            }
        }
        inPlace.removeIf(Objects::isNull);
        return inPlace;
    }

    /// Lets the product before an activation's gradient go through that over the activation's output, which nothing
    /// else may read from the product on.
    private void goThrough(Launch.Elementwise gradient, int time, List<Command> inPlace) {
        Tensor value = gradient.b();
        int before = productBefore(gradient, time);
        if (before >= 0 && replaces(gradient.y(), value, time) && !isUsed(value, before, time)) {
            var product = (ProductLaunch.Recorded) commands.get(before).body();
            Command last = commands.get(time);
            List<Tensor> reads = List.of(product.a(), product.b(), value);
            replace(gradient.y(), value);
            inPlace.set(
                    before,
                    new Command(last.op, product.through(gradient.y()), last.result, reads, last.writes, false));
            inPlace.set(time, null);
        }
    }

    /// Returns the place of the product that an activation's gradient reads, and nothing else; -1 if there is none.
    private int productBefore(Launch.Elementwise gradient, int time) {
        Tensor g = gradient.a();
        Slot slot = slots.get(g.storage);
        if (slot == null || slot.isInput || slot.lastUse != time || !g.coversStorage()) {
            return -1;
        }
        int before = slot.firstUse;
        boolean goesThrough = commands.get(before).body() instanceof ProductLaunch.Recorded product
                && product.isBefore(gradient.binary())
                && !isUsed(g, before + 1, time);
        return goesThrough ? before : -1;
    }

    /// Whether a command from one place to another uses the block of a tensor.
    private boolean isUsed(Tensor t, int from, int to) {
        Slot slot = slots.get(t.storage);
        return commands.subList(from, to).stream()
                .flatMap(command -> Stream.concat(command.reads.stream(), command.writes.stream()))
                .anyMatch(operand -> slots.get(operand.storage) == slot);
    }

    /// Whether a result that begins with a command can have the whole block of a value that ends with it.
    private boolean replaces(Tensor result, Tensor value, int time) {
        Slot begins = slots.get(result.storage);
        Slot ends = slots.get(value.storage);
        return begins != null
                && ends != null
                && !begins.isInput
                && !ends.isInput
                && begins.firstUse == time
                && ends.lastUse == time
                && result.dtype == value.dtype
                && Arrays.equals(result.shape, value.shape)
                && result.coversStorage()
                && value.coversStorage();
    }

    /// Lets all that lies in the block of a result lie in that of a value.
    private void replace(Tensor result, Tensor value) {
        Slot from = slots.get(result.storage);
        Slot to = slots.get(value.storage);
        to.take(from);
        slots.replaceAll((storage, slot) -> slot == from ? to : slot);
    }
}
