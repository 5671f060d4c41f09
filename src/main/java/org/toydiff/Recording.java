package org.toydiff;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.toydiff.Recorder.Command;
import org.toydiff.Recorder.Guard;
import org.toydiff.internal.memory.ForeignStorage;
import org.toydiff.internal.memory.Ledger;
import org.toydiff.internal.memory.Storage;
import org.toydiff.internal.plan.OffsetPlan;

/// The commands of one run of a compiled function over inputs of certain shapes, and the memory in which they run
/// again. The commands of launches allocate nothing on the heap but those that [CompiledFunction] names.
final class Recording {
    private final DType[] dtypes;
    private final long[][] shapes;
    private final long[][] strides;

    /// Whether ops on tracked tensors were recorded for backward.
    private final boolean tracks;

    private final Slot[] inputs;
    private final Slot[] temporaries;
    private final Command[] commands;
    private final Guard[] guards;

    /// The memory outside that commands use, and the part of it that they write.
    private final Storage[] persistent;

    private final Storage[] written;
    private final List<Tensor> results;
    private final OffsetPlan plan;

    /// The offset of each temporary in the block, in bytes.
    private final long[] offsets;

    /// The memory of the temporaries.
    private final Storage block;

    /// The block as it is exposed.
    private final MemorySegment memory;

    /// The memory of the temporaries that no command reads after each one; null unless memory is checked.
    private final MemorySegment[][] ended;

    private ExecutionPlan description;

    /// A block for which a replay has memory of its own, and the tensors of the replay over it.
    static final class Slot {
        /// The name of the op that made it.
        final String op;

        /// Its memory in the recorded run: changed where that was handed over.
        Storage recorded;

        /// Whether it is the memory of an input.
        final boolean isInput;

        final List<Tensor> tensors = new ArrayList<>();
        final List<Long> offsets = new ArrayList<>();
        int firstUse = -1;
        int lastUse = -1;

        /// The block whose place it takes, or this one.
        Slot place = this;

        /// The block that takes its place, or null.
        Slot heir;

        boolean written;

        /// Whether it is an input whose elements the run changed.
        boolean changed;

        Slot(Storage recorded, boolean isInput) {
            this.op = recorded.op;
            this.recorded = recorded;
            this.isInput = isInput;
            this.written = isInput;
        }

        /// Lets it lie in the place of a block that the command reads last that writes this one first.
        void overlay(Slot read) {
            boolean fits = !read.isInput && !isInput && read.recorded.bytes() == recorded.bytes();
            if (fits && place == this && read.heir == null && read.lastUse == firstUse) {
                place = read.place;
                read.heir = this;
            }
        }

        /// Returns the last use of its place, by whichever block is there then.
        int lastUseOfPlace() {
            Slot last = this;
            while (last.heir != null) {
                last = last.heir;
            }
            return last.lastUse;
        }

        /// Takes what another block holds into this one, which has the same size, from the other's first use on.
        void take(Slot other) {
            recorded = other.recorded;
            tensors.addAll(other.tensors);
            offsets.addAll(other.offsets);
            lastUse = other.lastUse;
        }

        /// Lets all tensors over it lie in the memory of `storage`, from element `base` on.
        void place(Storage storage, long base) {
            for (int i = 0; i < tensors.size(); i++) {
                tensors.get(i).place(storage, base + offsets.get(i));
            }
        }
    }

    Recording(
            List<Tensor> given,
            boolean tracks,
            List<Slot> inputs,
            List<Slot> temporaries,
            Command[] commands,
            Guard[] guards,
            Map<Storage, Boolean> persistent,
            List<Tensor> results,
            TensorArena arena) {
        this.dtypes = given.stream().map(t -> t.dtype).toArray(DType[]::new);
        this.shapes = given.stream().map(t -> t.shape).toArray(long[][]::new);
        this.strides = given.stream().map(t -> t.strides).toArray(long[][]::new);
        this.tracks = tracks;
        this.inputs = inputs.toArray(Slot[]::new);
        this.temporaries = temporaries.toArray(Slot[]::new);
        this.commands = commands;
        this.guards = guards;
        this.persistent = persistent.keySet().toArray(Storage[]::new);
        this.written = persistent.entrySet().stream()
                .filter(Map.Entry::getValue)
                .map(Map.Entry::getKey)
                .toArray(Storage[]::new);
        this.results = List.copyOf(results);
        List<Slot> places =
                temporaries.stream().filter(slot -> slot.place == slot).toList();
        this.plan = OffsetPlan.of(
                places.stream().mapToLong(slot -> slot.recorded.bytes()).toArray(),
                places.stream().mapToInt(slot -> slot.firstUse).toArray(),
                places.stream().mapToInt(Slot::lastUseOfPlace).toArray());
        this.offsets = temporaries.stream()
                .mapToLong(slot -> plan.offset(places.indexOf(slot.place)))
                .toArray();
        long[] bytes = {plan.plannedBytes()};
        this.block = arena.make("CompiledFunction", DType.BOOL, bytes, true);
        this.memory = block.expose();
        this.ended = Ledger.CHECKED ? ended() : null;
        place();
    }

    private MemorySegment[][] ended() {
        MemorySegment[][] ended = new MemorySegment[commands.length][];
        for (int i = 0; i < ended.length; i++) {
            int last = i;
            ended[i] = IntStream.range(0, temporaries.length)
                    .filter(each -> temporaries[each].lastUse == last && temporaries[each].heir == null)
                    .mapToObj(each -> memory.asSlice(offsets[each], temporaries[each].recorded.bytes()))
                    .toArray(MemorySegment[]::new);
        }
        return ended;
    }

    /// Lets the temporaries lie in the block, and copies the results of the first run there.
    private void place() {
        for (int i = 0; i < temporaries.length; i++) {
            Storage from = temporaries[i].recorded;
            MemorySegment part = memory.asSlice(offsets[i], from.elementBytes());
            if (temporaries[i].lastUse == commands.length) {
                long begin = from.base() * from.dtype.bytes();
                MemorySegment.copy(from.segment(), begin, part, 0, part.byteSize());
            }
            temporaries[i].place(ForeignStorage.of(part, temporaries[i].op, from.dtype, from.shape), 0);
        }
    }

    /// Whether it is of inputs such as these.
    boolean fits(Tensor[] given, boolean tracking) {
        boolean fits = given.length == shapes.length && tracking == tracks;
        for (int i = 0; fits && i < given.length; i++) {
            fits = given[i].dtype == dtypes[i]
                    && Arrays.equals(given[i].shape, shapes[i])
                    && Arrays.equals(given[i].strides, strides[i]);
        }
        return fits;
    }

    /// Whether all that the run depended on is as it was.
    boolean holds() {
        for (Guard guard : guards) {
            if (!guard.holds()) {
                return false;
            }
        }
        return true;
    }

    /// Whether memory that the commands use is there no longer.
    boolean isStale() {
        for (Storage storage : persistent) {
            if (storage.isFreed() || !storage.alive()) {
                return true;
            }
        }
        return false;
    }

    /// Runs the commands over other inputs.
    ///
    /// @throws IllegalStateException if an input overlaps memory that the commands write; nothing has changed then
    void replay(Tensor[] given) {
        for (Storage storage : persistent) {
            storage.requireReadable("run", storage.shape);
        }
        requireApart(given);
        bind(given);
        if (Ledger.CHECKED) {
            spoil(memory);
        }
        for (int i = 0; i < commands.length; i++) {
            commands[i].body().run();
            if (Ledger.CHECKED) {
                for (MemorySegment part : ended[i]) {
                    spoil(part);
                }
            }
        }
        noteChanges();
    }

    /// Fills memory that no command may read with bytes of which each float is NaN, so that one that does shows.
    private static void spoil(MemorySegment unused) {
        unused.fill((byte) -1);
    }

    /// Lets the tensors over inputs lie in the memory of these.
    void bind(Tensor[] given) {
        for (int i = 0; i < inputs.length; i++) {
            inputs[i].place(given[i].storage, given[i].offset);
        }
    }

    /// Counts the change of all that a run writes and others may read, so that a backward over a graph outside
    /// notices.
    private void noteChanges() {
        for (Storage storage : written) {
            storage.version++;
        }
        for (int i = 0; i < results.size(); i++) {
            results.get(i).storage.version++;
        }
    }

    private void requireApart(Tensor[] given) {
        for (int i = 0; i < given.length; i++) {
            requireApart(given[i], i, block);
            for (Storage storage : written) {
                requireApart(given[i], i, storage);
            }
            for (int j = 0; j < i; j++) {
                if ((inputs[i].changed || inputs[j].changed) && Tensor.mayShareMemory(given[i], given[j])) {
                    throw overlap(i);
                }
            }
        }
    }

    private static void requireApart(Tensor input, int i, Storage storage) {
        if (input.size() > 0) {
            long begin = storage.segment().address() + storage.base() * storage.dtype.bytes();
            if (input.begin() < begin + storage.elementBytes() && begin < input.end()) {
                throw overlap(i);
            }
        }
    }

    private static IllegalStateException overlap(int input) {
        return new IllegalStateException("run: input " + input
                + " overlaps in memory with a tensor that the compiled function writes, as its last result is; give it"
                + " a copy, by copyTo(arena)");
    }

    List<Tensor> results() {
        return results;
    }

    ExecutionPlan plan() {
        if (description == null) {
            List<ExecutionPlan.Launch> launches = launches();
            int loops = (int)
                    launches.stream().filter(launch -> launch.loop() != null).count();
            description = new ExecutionPlan(plan.plannedBytes(), plan.lowerBoundBytes(), launches, blocks(), loops);
        }
        return description;
    }

    private List<ExecutionPlan.Launch> launches() {
        List<ExecutionPlan.Launch> launches = new ArrayList<>();
        for (int i = 0; i < commands.length; i++) {
            if (commands[i].op() != null) {
                Tensor result = commands[i].result();
                launches.add(new ExecutionPlan.Launch(
                        i,
                        commands[i].op(),
                        result == null ? null : result.dtype,
                        result == null ? null : result.shape.clone(),
                        commands[i].body() instanceof CommandFusion.Fused fused ? fused.code() : null));
            }
        }
        return launches;
    }

    private List<ExecutionPlan.Block> blocks() {
        List<ExecutionPlan.Block> blocks = new ArrayList<>();
        for (int i = 0; i < temporaries.length; i++) {
            Slot slot = temporaries[i];
            blocks.add(
                    new ExecutionPlan.Block(slot.op, offsets[i], slot.recorded.bytes(), slot.firstUse, slot.lastUse));
        }
        return blocks;
    }

    /// Gives the memory back, if its arena is open.
    void free() {
        if (block.alive() && !block.isFreed()) {
            block.free("CompiledFunction.close", 0);
        }
    }
}
