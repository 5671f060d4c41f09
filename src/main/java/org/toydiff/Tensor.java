package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.LongToDoubleFunction;
import org.toydiff.internal.launch.Shape;

/// An n-dimensional array outside the Java heap, and a node of the gradient graph.
///
/// ```java
/// try (var arena = TensorArena.ofConfined()) {
///     Tensor a = Tensor.rand(3, 3).trackGradient();
///     Tensor loss = a.exp().sum();
///     loss.backward();
///     System.out.println(a.gradient());
/// }
/// ```
///
/// **Ops** take FLOAT32 and FLOAT64 operands of one dtype and broadcast as NumPy does. An op makes a new
/// tensor in the innermost [TensorArena] and modifies none of its operands, unless its documentation says
/// that it gives a view. Operands that do not fit throw IllegalArgumentException naming the op, the shapes
/// and the remedy; operands that were freed, or whose arena is closed, IllegalStateException; those
/// confined to another thread, WrongThreadException; what would pass a byte limit, [MemoryLimitException].
///
/// **Gradients** An op on a tensor that tracks gradients is recorded, and its result tracks them too. [#backward()]
/// on a result adds to [#gradient()] of every tensor it was computed from.
///
/// A tensor is a small handle; equality is identity.
public final class Tensor extends TensorOps {
    final Storage storage;
    final long offset;
    final long[] shape;
    final long[] strides;
    final DType dtype;

    /// What made it, when that was recorded.
    Node node;

    /// Asked to track gradients itself.
    boolean leaf;

    boolean retained;

    /// Its last two axes exchanged, kept: a weight is read so in every step.
    private Tensor matrixTranspose;

    /// The block of the gradient, kept while it holds none.
    Tensor gradient;

    boolean gradientSet;

    /// Set when a backward failed after it had added to the gradient.
    boolean gradientLost;

    /// The step at which an eager backward freed the gradient, for whoever asks for it; 0 when it did not.
    int gradientFreedAt;

    /// Set on a dying gradient whose block an element-by-element op may write its result to.
    boolean overwritable;

    Tensor(Storage storage, long offset, long[] shape, long[] strides, DType dtype) {
        this.storage = storage;
        this.offset = offset;
        this.shape = shape;
        this.strides = strides;
        this.dtype = dtype;
    }

    Tensor(Storage storage, DType dtype, long[] shape) {
        this(storage, storage.base(), shape, Shape.strides(shape), dtype);
    }

    // What it is.

    /// The size of each axis.
    ///
    /// @return a copy of the sizes; empty for a scalar
    public long[] shape() {
        return shape.clone();
    }

    /// The number of elements.
    ///
    /// @return the product of the sizes, 1 for a scalar
    public long size() {
        return Shape.size(shape);
    }

    /// The size of one axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return how many positions it has
    /// @throws IllegalArgumentException if the axis is out of range
    public long size(int axis) {
        return shape[Shape.axis("size", axis, shape.length)];
    }

    /// The number of axes.
    ///
    /// @return 0 for a scalar
    public int rank() {
        return shape.length;
    }

    /// The dtype of the elements.
    ///
    /// @return the dtype
    public DType dtype() {
        return dtype;
    }

    /// The memory itself, from the first element to the last; a view with gaps includes them. What is
    /// written to it shows in the tensor and its views, unseen by the check for in-place changes.
    ///
    /// @return a segment that throws once the memory is freed
    /// @throws IllegalStateException if it is freed already
    public MemorySegment segment() {
        storage.requireElements("segment", shape);
        long elements = size() == 0 ? 0 : Shape.last(shape, strides) + 1;
        return storage.expose().asSlice((offset - storage.base()) * dtype.bytes(), elements * dtype.bytes());
    }

    /// A copy of the elements on the heap, row-major; those of other dtypes are converted.
    ///
    /// @return an array of [#size()] elements
    /// @throws IllegalStateException if it has more elements than an array can
    public float[] toFloatArray() {
        float[] array = new float[arraySize("toFloatArray")];
        if (dtype == DType.FLOAT32 && isContiguous()) {
            MemorySegment.copy(storage.segment(), ValueLayout.JAVA_FLOAT, offset * Float.BYTES, array, 0, array.length);
        } else {
            forEach((i, value) -> array[i] = (float) value);
        }
        return array;
    }

    /// A copy of the elements on the heap, row-major; those of other dtypes are converted.
    ///
    /// @return an array of [#size()] elements
    /// @throws IllegalStateException if it has more elements than an array can
    public double[] toDoubleArray() {
        double[] array = new double[arraySize("toDoubleArray")];
        forEach((i, value) -> array[i] = value);
        return array;
    }

    /// A copy of whole numbers on the heap, row-major, with all their bits.
    ///
    /// @return an array of [#size()] elements
    /// @throws IllegalArgumentException if the dtype is floating
    /// @throws IllegalStateException if it has more elements than an array can
    public long[] toLongArray() {
        long[] array = new long[arraySize("toLongArray")];
        if (dtype.isFloating()) {
            throw new IllegalArgumentException("toLongArray: " + Shape.text(shape) + " is " + dtype
                    + "; cast(DType.INT64) first, or use toDoubleArray()");
        }
        try (var scratch = TensorArena.ofConfined()) {
            Tensor whole = isContiguous() ? this : copyTo(scratch);
            for (int i = 0; i < array.length; i++) {
                array[i] = dtype.getLong(whole.storage.segment(), whole.offset + i);
            }
        }
        return array;
    }

    private int arraySize(String op) {
        storage.requireElements(op, shape);
        if (size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    op + ": " + Shape.text(shape) + " has more elements than an array can; slice it");
        }
        return (int) size();
    }

    /// The one element.
    ///
    /// @return its value
    /// @throws IllegalStateException if there is more or less than one
    public double item() {
        storage.requireElements("item", shape);
        if (size() != 1) {
            throw new IllegalStateException(
                    "item: " + Shape.text(shape) + " has " + size() + " elements; use at(index) or toFloatArray()");
        }
        return dtype.get(storage.segment(), offset);
    }

    /// One element.
    ///
    /// @param index its position along each axis, negative ones counted from the end
    /// @return its value
    /// @throws IllegalArgumentException if the index has another rank or is out of range
    public double at(long... index) {
        storage.requireElements("at", shape);
        boolean inside = index.length == shape.length;
        long position = offset;
        for (int i = 0; inside && i < index.length; i++) {
            long at = index[i] < 0 ? index[i] + shape[i] : index[i];
            inside = at >= 0 && at < shape[i];
            position += at * strides[i];
        }
        if (!inside) {
            throw new IllegalArgumentException(
                    "at: index " + Shape.text(index) + " is out of range for shape " + Shape.text(shape));
        }
        return dtype.get(storage.segment(), position);
    }

    /// The elements as NumPy would print them, summarised beyond 1,000, with dtype and the op that made it.
    ///
    /// @return `Tensor([[1. 2.] …], dtype=float32, backward=Sum)`
    @Override
    public String toString() {
        return TensorText.of(this);
    }

    // Gradients.

    /// Asks for gradients: ops on this tensor are recorded from now on, and backward adds to [#gradient()],
    /// whose block lives in this tensor's arena (in the now innermost one for a wrapped segment).
    ///
    /// @return this
    /// @throws IllegalArgumentException if the dtype is not floating
    public Tensor trackGradient() {
        requireFloating("trackGradient");
        if (node == null && !leaf && Launch.skips(this)) {
            Prediction.track(this);
        } else if (node == null) {
            leaf = true;
            storage.pinned = true;
            if (storage.home == null || !isOpen(storage.home)) {
                storage.home = Scope.current().innermost("trackGradient");
            }
        }
        return this;
    }

    /// Whether ops on it are recorded.
    ///
    /// @return true for a leaf that asked for it and for what was computed from one
    public boolean tracksGradient() {
        return leaf || node != null;
    }

    private static boolean isOpen(Arena arena) {
        return arena instanceof TensorArena own ? own.isOpen() : arena.scope().isAlive();
    }

    /// Throws, naming `op`, unless backward may add to the gradient of this leaf.
    void requireAccumulating(String op) {
        requireReadable(op);
        requireUsableGradient(op);
        if (gradient == null && !isOpen(storage.home)) {
            throw new IllegalStateException(op + ": the arena in which the gradient of " + Shape.text(shape)
                    + " is to be made is closed; call trackGradient() again in the arena that is to hold it");
        }
    }

    /// Throws, naming `op`, if there is a gradient that backward cannot add to.
    void requireUsableGradient(String op) {
        requireWholeGradient(op);
        if (gradient != null && !gradient.storage.alive()) {
            throw new IllegalStateException(op + ": the block of the gradient of "
                    + (node == null ? "" : node.op + " ") + Shape.text(shape)
                    + " lies in an arena that is closed; call zeroGradient() for another one");
        }
        if (gradient != null) {
            gradient.requireReadable(op);
        }
    }

    /// Throws, naming `op`, if a backward failed that had added to the gradient.
    void requireWholeGradient(String op) {
        if (gradientLost) {
            throw new IllegalStateException(op + ": a backward failed after it had added to the gradient of "
                    + (node == null ? "" : node.op + " ") + Shape.text(shape)
                    + ", which is neither the old nor the new one; call zeroGradient() and go backward again");
        }
    }

    /// Whether there is a gradient to read.
    ///
    /// @return true after a backward that reached it and kept its gradient
    public boolean hasGradient() {
        return Scope.current().sight().see(this).gradientSet;
    }

    /// The gradient that backward left, of this shape and dtype. A leaf's is one block for good: later
    /// backwards add to it.
    ///
    /// @return the gradient itself, not a copy
    /// @throws IllegalStateException if there is none, it was freed, or a backward failed that had added to it
    public Tensor gradient() {
        Tensor seen = Scope.current().sight().see(this);
        if (seen.gradientSet) {
            seen.requireWholeGradient("gradient");
            return seen.gradient;
        }
        String what = "gradient: the gradient of " + (node == null ? "" : node.op + " ") + Shape.text(shape);
        if (gradientFreedAt > 0) {
            throw new IllegalStateException(what + " was freed at step " + gradientFreedAt
                    + " of backward(Release.EAGER); call retain() before backward, or use Release.AT_CLOSE");
        }
        throw new IllegalStateException(what + " is not there; "
                + (tracksGradient()
                        ? "call backward() on something computed from it"
                        : "call trackGradient() on it before computing from it"));
    }

    /// Empties the gradient; its block is kept for the next one, and overwritten. Where that block's arena is closed,
    /// the next one gets another in this tensor's arena.
    public void zeroGradient() {
        Scope.current().sight().see(this).emptyGradient();
    }

    void emptyGradient() {
        gradientSet = false;
        gradientLost = false;
        if (!leaf || (gradient != null && !gradient.storage.alive())) {
            gradient = null;
        }
    }

    /// `backward(Release.AT_CLOSE)` from a gradient of ones.
    ///
    /// A backward that throws leaves every gradient that was not there before empty. Those that it had added to
    /// already are lost: reading them throws until [#zeroGradient()].
    public void backward() {
        backward(Release.AT_CLOSE);
    }

    /// Goes backward from a gradient of ones, adding to the gradient of everything this was computed from.
    ///
    /// @param release when intermediates are freed
    /// @throws IllegalStateException if this tracks no gradient, a value that a rule reads was changed in place, a
    ///     gradient cannot be added to because its arena is closed or an earlier backward failed, or an earlier eager
    ///     backward released the graph; nothing has changed then
    public void backward(Release release) {
        Backward.run(this, null, release);
    }

    /// `backward(gradient, Release.AT_CLOSE)`.
    ///
    /// @param gradient what the gradient of this is taken to be
    public void backward(Tensor gradient) {
        backward(gradient, Release.AT_CLOSE);
    }

    /// Goes backward from a given gradient, adding to the gradient of everything this was computed from.
    ///
    /// @param gradient what the gradient of this is taken to be, of its shape and dtype; not modified
    /// @param release when intermediates are freed
    /// @throws IllegalArgumentException if shape or dtype of the gradient differ
    /// @throws IllegalStateException if this tracks no gradient, a value that a rule reads was changed in place, a
    ///     gradient cannot be added to because its arena is closed or an earlier backward failed, or an earlier eager
    ///     backward released the graph; nothing has changed then
    public void backward(Tensor gradient, Release release) {
        Backward.run(this, Objects.requireNonNull(gradient, "gradient"), release);
    }

    /// What `backward(Release.EAGER)` will free, in order, and how much memory it will take: found by
    /// running the gradient rules on shapes alone. It makes no tensors, and calling it changes nothing.
    ///
    /// @return the schedule, equal to what backward then does, byte for byte
    /// @throws IllegalStateException if this tracks no gradient or its graph was released
    public ReleaseSchedule releaseSchedule() {
        return Backward.predict(this, Release.EAGER);
    }

    /// Keeps value and gradient of this intermediate beyond an eager backward, until its arena closes.
    ///
    /// @return this
    public Tensor retain() {
        storage.requireReadable("retain", shape);
        Tensor seen = Scope.current().sight().see(this);
        seen.retained = true;
        seen.storage.pinned = true;
        return this;
    }

    /// The same elements outside the graph: a view that tracks no gradient. Its block is kept beyond an eager
    /// backward.
    ///
    /// @return a view of the same block
    public Tensor detach() {
        storage.requireReadable("detach", shape);
        Scope.current().sight().see(this).storage.pinned = true;
        return view(offset, shape, strides);
    }

    // Where it lives.

    /// A copy in another arena, contiguous and outside the graph.
    ///
    /// @param arena where the copy lives: any arena, a JDK one too, which counts among [Memory#liveBytes()] until it
    ///     closes
    /// @return the copy
    /// @throws IllegalArgumentException if the arena allocates anything but writable native memory
    /// @throws IllegalStateException if the arena is closed
    public Tensor copyTo(Arena arena) {
        storage.requireReadable("copyTo", shape);
        Tensor copy = makeIn(arena, "copyTo", dtype, shape);
        Launch.unary(Families.copy(dtype), this, copy);
        return copy;
    }

    /// Gives the block to another arena, with every tensor that sees it, and its gradient; no element
    /// moves. The elements are copied instead, and this stays as it is, where something may see the block that would
    /// not notice the change: a segment that was handed out by [#segment()], or, in a shared arena, an op on another
    /// thread. (Intermediates of a recorded graph have a lifetime of their own there, and do move.)
    ///
    /// @param arena the new owner
    /// @return this, or the copy
    /// @throws IllegalStateException if the memory is the caller's, or is freed, or an op on another thread is using
    ///     it; nothing has changed then
    /// @throws MemoryLimitException if the arena's limit would be passed; nothing has changed then
    public Tensor moveTo(TensorArena arena) {
        storage.requireReadable("moveTo", shape);
        arena.requireUsable("moveTo");
        if (Launch.skips(this)) {
            storage.moveCount(arena);
            return this;
        }
        if (storage.isForeign()) {
            throw new IllegalStateException("moveTo: the memory of " + Shape.text(shape)
                    + " is not an arena's of toydiff, so" + " it cannot change owner; use copyTo(arena)");
        }
        if (storage.home == arena) {
            storage.pinned = true;
            return this;
        }
        if (!storage.movable()) {
            return copyTo(arena);
        }
        var from = (TensorArena) storage.home;
        storage.move(arena);
        try {
            // Where the gradient's own arena is closed there is nothing to move.
            if (gradient != null && gradient.storage.alive()) {
                gradient = gradient.moveTo(arena);
            }
        } catch (RuntimeException | Error failure) {
            storage.move(from);
            throw failure;
        }
        return this;
    }

    /// Overwrites the elements with those of another tensor, which stretches to this shape. Not recorded; a
    /// later backward that would have read the old elements throws.
    ///
    /// Where the two overlap in memory, this gets what the source held before, as in NumPy (PyTorch refuses that).
    ///
    /// @param source the elements to copy, of this dtype
    /// @return this
    /// @throws IllegalArgumentException if the dtype differs, the shape does not stretch to this one, or this is
    ///     read-only or itself stretched, so that several of its elements are one in memory
    public Tensor copyFrom(Tensor source) {
        requireModifiable("copyFrom");
        source.requireReadable("copyFrom");
        requireSameDType("copyFrom", source);
        if (!Shape.broadcasts(source.shape, shape)) {
            throw new IllegalArgumentException(
                    "copyFrom: " + Shape.text(source.shape) + " does not stretch to " + Shape.text(shape));
        }
        if (source.storage.shapeOnly() || Launch.skips(this)) {
            return this;
        }
        boolean overlaps = Overlap.between(this, source);
        try (var scratch = overlaps ? TensorArena.ofConfined() : null) {
            Launch.unary(Families.copy(dtype), overlaps ? source.copyTo(scratch) : source, this);
        }
        storage.version++;
        return this;
    }

    // Within the library.

    /// A new contiguous tensor in the innermost arena, its elements not set. `early` when backward may free it.
    static Tensor make(String op, DType dtype, long[] shape, boolean early) {
        Scope scope = Scope.current();
        Backward backward = scope.backward;
        TensorArena arena = scope.innermost(op);
        List<Storage> temporaries = scope.temporaries;
        Storage storage = Storage.make(arena, op, dtype, shape, early || backward != null || temporaries != null);
        if (temporaries != null) {
            temporaries.add(storage);
        }
        if (backward != null) {
            backward.made(storage);
        }
        return new Tensor(storage, dtype, shape);
    }

    /// A new contiguous tensor in any arena, its elements not set; never freed before the arena closes.
    static Tensor makeIn(Arena arena, String op, DType dtype, long[] shape) {
        Shape.checked(op, dtype.bytes(), shape);
        TensorArena innermost = Scope.current().innermostOrNull();
        if (innermost != null && innermost.predicts()) {
            TensorArena counted = arena instanceof TensorArena own && own.predicts() ? own : innermost;
            return new Tensor(Storage.make(counted, op, dtype, shape, false), dtype, shape);
        }
        if (arena instanceof TensorArena own) {
            return new Tensor(Storage.make(own, op, dtype, shape, false), dtype, shape);
        }
        return new Tensor(Storage.makeForeign(arena, op, dtype, shape), dtype, shape);
    }

    /// Another sight of the same block, not recorded. One without elements begins where the block does: what it
    /// was cut from may be a block of 0 bytes, past whose end nothing may begin.
    Tensor view(long offset, long[] shape, long[] strides) {
        long begin = Shape.empty(shape) ? storage.base() : offset;
        return new Tensor(storage, begin, shape, strides, dtype);
    }

    Tensor record(String op, long[] ruleShape, Rule rule, Tensor input) {
        return record(op, ruleShape, new Rule[] {rule}, input);
    }

    Tensor record(String op, long[] ruleShape, Rule toA, Rule toB, Tensor a, Tensor b) {
        return record(op, ruleShape, new Rule[] {toA, toB}, a, b);
    }

    Tensor record(String op, long[] ruleShape, Rule[] rules, Tensor... inputs) {
        node = new Node(op, this, ruleShape, rules, inputs);
        return this;
    }

    Tensor record(String op, JointRule rule, Tensor... inputs) {
        node = new Node(op, this, rule, inputs);
        return this;
    }

    static boolean recorded(Tensor x) {
        return x.tracksGradient() && Scope.current().records(x);
    }

    static boolean recorded(Tensor a, Tensor b) {
        boolean first = recorded(a);
        return recorded(b) || first;
    }

    static boolean recorded(Tensor a, Tensor b, Tensor c) {
        boolean first = recorded(a, b);
        return recorded(c) || first;
    }

    static boolean anyRecorded(Tensor[] xs) {
        boolean any = false;
        for (Tensor x : xs) {
            any |= recorded(x);
        }
        return any;
    }

    void requireReadable(String op) {
        storage.requireReadable(op, shape);
    }

    /// Throws, naming `op`, unless it may be written in place.
    void requireModifiable(String op) {
        requireReadable(op);
        if (!storage.shapeOnly() && storage.segment().isReadOnly()) {
            throw new IllegalArgumentException(op + ": the memory of " + Shape.text(shape) + " is read-only");
        }
        if (Overlap.within(this)) {
            throw new IllegalArgumentException(op + ": " + Shape.text(shape)
                    + " is stretched by broadcastTo, so several of its elements are one in memory; use copyTo(arena)"
                    + " for one that can be written");
        }
    }

    void requireFloating(String op) {
        requireReadable(op);
        if (!dtype.isFloating()) {
            DType holding = dtype == DType.INT64 ? DType.FLOAT64 : DType.FLOAT32;
            throw new IllegalArgumentException(op + ": takes FLOAT32 or FLOAT64, and " + Shape.text(shape) + " is "
                    + dtype + "; cast(DType." + holding.name() + ") first");
        }
    }

    void requireSameDType(String op, Tensor b) {
        if (dtype != b.dtype) {
            throw new IllegalArgumentException(op + ": " + Shape.text(shape) + " is " + dtype + " and "
                    + Shape.text(b.shape) + " is " + b.dtype + "; cast one to the dtype of the other");
        }
    }

    void requireOperand(String op, Tensor b) {
        requireFloating(op);
        b.requireFloating(op);
        requireSameDType(op, b);
    }

    /// Whether a floating tensor's elements are doubles.
    boolean isWide() {
        return dtype == DType.FLOAT64;
    }

    /// Whether the elements lie one after another in memory, in the order of their indices, as in PyTorch: not so
    /// in most views. [#copyTo(Arena)] makes a tensor of which it is so.
    ///
    /// @return whether they do
    public boolean isContiguous() {
        return Shape.contiguous(shape, strides);
    }

    /// Whether it sees its whole block, in order, so that the block may be written in its place.
    boolean coversStorage() {
        return offset == storage.base()
                && isContiguous()
                && Shape.size(storage.shape) == size()
                && storage.dtype == dtype;
    }

    /// In a gradient rule, for a gradient that the rule reads for the last time: allows an
    /// element-by-element op to write its result over it, where the engine knows that nobody else needs it.
    Tensor dying() {
        Backward backward = Scope.current().backward;
        if (backward == null || !backward.mayOverwrite(this)) {
            return this;
        }
        Tensor dying = view(offset, shape, strides);
        dying.overwritable = true;
        return dying;
    }

    /// A contiguous copy for the length of an op, which ends it by [#freeCopyOf].
    Tensor contiguousCopy(String op) {
        Tensor copy = make(op, dtype, shape, true);
        Launch.unary(Families.copy(dtype), this, copy);
        return copy;
    }

    /// Frees this if it is a copy and not `given` itself.
    void freeCopyOf(Tensor given, String op) {
        if (this != given) {
            storage.disposable = true;
            storage.freeIfUnused(op, 0);
        }
    }

    /// The output of an op that writes over this.
    Tensor overwritten() {
        return view(offset, shape, strides);
    }

    Tensor transposeLast() {
        return Views.transposeLast(this);
    }

    /// The last two axes exchanged, not recorded.
    Tensor matrixTranspose() {
        if (matrixTranspose == null) {
            matrixTranspose = view(offset, Views.transposeLast(shape), Views.transposeLast(strides));
        }
        return matrixTranspose;
    }

    /// Entry i along the first axis, not recorded.
    Tensor entry(long i) {
        return view(
                offset + i * strides[0],
                Arrays.copyOfRange(shape, 1, shape.length),
                Arrays.copyOfRange(strides, 1, shape.length));
    }

    /// Sets every element of this fresh, contiguous tensor.
    Tensor fill(double value) {
        if (!storage.shapeOnly()) {
            if (dtype.isFloating()) {
                Launch.fill(this, value);
            } else {
                setAll(i -> value);
            }
        }
        return this;
    }

    /// Sets element i of this fresh, contiguous tensor to `value(i)`.
    Tensor setAll(LongToDoubleFunction value) {
        long n = storage.shapeOnly() ? 0 : size();
        for (long i = 0; i < n; i++) {
            // The value first: it may come from the user's code, which may close the arena.
            double element = Conversions.requireConvertible(storage.op, value.applyAsDouble(i), dtype);
            dtype.set(storage.segment(), offset + i, element);
        }
        return this;
    }

    /// What [#forEach] calls.
    interface Visitor {
        void visit(int position, double value);
    }

    /// Visits the elements in row-major order.
    void forEach(Visitor visitor) {
        if (size() > 0) {
            forEach(visitor, 0, offset, 0);
        }
    }

    private int forEach(Visitor visitor, int first, long at, int position) {
        int axis = Shape.pastOnes(shape, first);
        if (axis == shape.length) {
            visitor.visit(position, dtype.get(storage.segment(), at));
            return position + 1;
        }
        int next = position;
        for (long i = 0; i < shape[axis]; i++) {
            next = forEach(visitor, axis + 1, at + i * strides[axis], next);
        }
        return next;
    }
}
