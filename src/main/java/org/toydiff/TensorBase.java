package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;
import static org.toydiff.Rule.readsShape;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.LongToDoubleFunction;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.ForeignStorage;
import org.toydiff.internal.memory.Storage;
import org.toydiff.internal.text.ArrayText;

/// The state of a tensor, and all that ops and gradient rules need beyond its public methods: allocation, views,
/// recording, checks, and the ops that occur in gradients alone.
abstract sealed class TensorBase permits Tensor {
    /// Changed by [#place] alone, like the offset.
    Storage storage;

    /// The first element, in elements of [Storage#segment()].
    long offset;

    final long[] shape;
    final long[] strides;
    final DType dtype;

    /// The recorded op whose output this is, or null.
    Node node;

    /// Asked to track gradients itself.
    boolean leaf;

    boolean retained;

    /// This with its last two axes exchanged, kept because every step reads a weight that way.
    private Tensor matrixTranspose;

    /// The block of the gradient, kept while it holds none.
    Tensor gradient;

    boolean gradientSet;

    /// Set when a backward failed after it had added to the gradient.
    boolean gradientLost;

    /// The step at which an eager backward freed the gradient, for the message to a later reader; 0 when it did not.
    int gradientFreedAt;

    TensorBase(Storage storage, long offset, long[] shape, long[] strides, DType dtype) {
        this.storage = storage;
        this.offset = offset;
        this.shape = shape;
        this.strides = strides;
        this.dtype = dtype;
    }

    private Tensor self() {
        return (Tensor) this;
    }

    /// Lets this tensor of a compiled function lie elsewhere: its inputs differ from run to run.
    void place(Storage storage, long offset) {
        this.storage = storage;
        this.offset = offset;
    }

    // Allocation.

    /// A new contiguous tensor over a fresh storage.
    static Tensor of(Storage storage, DType dtype, long[] shape) {
        return new Tensor(storage, storage.base(), shape, Shape.strides(shape), dtype);
    }

    /// A new contiguous tensor in the innermost arena, its elements not set. `early` when backward may free it.
    static Tensor make(String op, DType dtype, long[] shape, boolean early) {
        Scope scope = Scope.current();
        Backward backward = scope.backward;
        TensorArena arena = scope.innermost(op);
        List<Storage> temporaries = scope.temporaries;
        Storage storage = arena.make(op, dtype, shape, early || backward != null || temporaries != null);
        if (temporaries != null) {
            temporaries.add(storage);
        }
        if (backward != null) {
            backward.made(storage);
        }
        if (scope.recorder != null) {
            scope.recorder.made(storage);
        }
        return of(storage, dtype, shape);
    }

    /// A new contiguous tensor in the innermost arena for the gradient rule of one node, among whose inputs it is: an
    /// eager backward frees it once that rule has run.
    static Tensor makeSaved(String op, DType dtype, long[] shape) {
        Tensor saved = make(op, dtype, shape, true);
        saved.storage.saved = true;
        return saved;
    }

    /// A new contiguous tensor in any arena, its elements not set; never freed before the arena closes.
    static Tensor makeIn(Arena arena, String op, DType dtype, long[] shape) {
        Shape.checked(op, dtype.bytes(), shape);
        TensorArena innermost = Scope.current().innermostOrNull();
        if (innermost != null && innermost.predicts()) {
            TensorArena counted = arena instanceof TensorArena own && own.predicts() ? own : innermost;
            return of(counted.make(op, dtype, shape, false), dtype, shape);
        }
        if (arena instanceof TensorArena own) {
            Storage storage = own.make(op, dtype, shape, false);
            Recorder.made(own, storage);
            return of(storage, dtype, shape);
        }
        Storage storage = ForeignStorage.make(arena, op, dtype.element, shape, MemoryLimitException::new);
        return of(storage, dtype, shape);
    }

    /// For factories: as [#makeIn], null standing for the innermost arena.
    static Tensor allocate(String op, Arena arena, DType dtype, long... shape) {
        long[] sizes = Shape.checked(op, dtype.bytes(), shape.clone());
        if (arena != null) {
            Recorder.requireInside(op, arena);
        }
        return arena == null ? make(op, dtype, sizes, false) : makeIn(arena, op, dtype, sizes);
    }

    static Tensor filled(String op, Arena arena, DType dtype, double value, long... shape) {
        dtype.requireConvertible(op, value);
        return allocate(op, arena, dtype, shape).fill(value);
    }

    /// A scalar in the innermost arena, for the other side of a binary op.
    static Tensor constant(DType dtype, double value) {
        dtype.requireConvertible("full", value);
        return make("full", dtype, Shape.SCALAR, false).fill(value);
    }

    /// The shape of values that a factory is given, one axis of all of them if it names none.
    static long[] shapeOf(int values, long[] shape) {
        if (shape.length == 0) {
            return new long[] {values};
        }
        Shape.checked("of", DType.FLOAT64.bytes(), shape);
        if (Shape.size(shape) != values) {
            throw new IllegalArgumentException("of: " + values + " values do not fill the shape " + Shape.text(shape));
        }
        return shape;
    }

    static Tensor wrapped(MemorySegment segment, DType dtype, long[] shape) {
        Shape.checked("wrap", dtype.bytes(), shape);
        long bytes = Shape.size(shape) * dtype.bytes();
        if (!segment.isNative()) {
            throw new IllegalArgumentException("wrap: the segment is on the Java heap; allocate it from an Arena");
        }
        if (segment.byteSize() < bytes) {
            throw new IllegalArgumentException("wrap: " + Shape.text(shape) + " " + dtype + " takes " + bytes
                    + " bytes, and the segment has " + segment.byteSize());
        }
        if (segment.address() % dtype.bytes() != 0) {
            throw new IllegalArgumentException(
                    "wrap: the segment is not aligned to " + dtype.bytes() + " bytes, as " + dtype + " needs");
        }
        return of(ForeignStorage.of(segment.asSlice(0, bytes), "wrap", dtype.element, shape), dtype, shape);
    }

    // Views.

    /// A view of the same block, not recorded. One without elements begins where the block does: the tensor that it
    /// was cut from may be a block of 0 bytes, past whose end nothing may begin.
    Tensor view(long offset, long[] shape, long[] strides) {
        long begin = Shape.empty(shape) ? storage.base() : offset;
        return new Tensor(storage, begin, shape, strides, dtype);
    }

    /// A view of all of it, not recorded.
    Tensor view() {
        return view(offset, shape, strides);
    }

    /// A view with the last two axes exchanged, not recorded.
    Tensor matrixTranspose() {
        if (matrixTranspose == null) {
            matrixTranspose = view(offset, Shape.transposeLast(shape), Shape.transposeLast(strides));
        }
        return matrixTranspose;
    }

    /// A view with the last two axes exchanged, recorded as a transpose.
    Tensor transposeLast() {
        return Families.view(
                self(),
                "transpose",
                offset,
                Shape.transposeLast(shape),
                Shape.transposeLast(strides),
                readsNothing(g -> g.transposeLast()));
    }

    /// A view of entry i along the first axis, not recorded.
    Tensor entry(long i) {
        return view(
                offset + i * strides[0],
                Arrays.copyOfRange(shape, 1, shape.length),
                Arrays.copyOfRange(strides, 1, shape.length));
    }

    // Recording.

    Tensor record(String op, long[] ruleShape, Rule rule, Tensor input) {
        return record(op, ruleShape, new Rule[] {rule}, input);
    }

    Tensor record(String op, long[] ruleShape, Rule toA, Rule toB, Tensor a, Tensor b) {
        return record(op, ruleShape, new Rule[] {toA, toB}, a, b);
    }

    Tensor record(String op, long[] ruleShape, Rule[] rules, Tensor... inputs) {
        node = new Node(op, self(), ruleShape, rules, inputs);
        return self();
    }

    static boolean recorded(Tensor x) {
        Recorder.asksTracking(x);
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

    // Checks.

    /// Throws, naming `op`, unless it may read the elements into Java.
    void requireElements(String op) {
        storage.requireElements(op, shape);
        Recorder.refuseReading(op, shape);
    }

    void requireReadable(String op) {
        storage.requireReadable(op, shape);
    }

    /// Throws, naming `op`, unless it may be written in place.
    void requireModifiable(String op) {
        requireReadable(op);
        if (storage.isReadOnly()) {
            throw new IllegalArgumentException(op + ": the memory of " + Shape.text(shape) + " is read-only");
        }
        if (Shape.overlapsItself(shape, strides)) {
            throw new IllegalArgumentException(op + ": " + Shape.text(shape)
                    + " is stretched by broadcastTo, so several of its elements are one in memory; use copyTo(arena)"
                    + " for one that can be written");
        }
    }

    void requireFloating(String op) {
        requireReadable(op);
        if (!dtype.isFloating()) {
            DType holding = dtype == DType.BOOL ? DType.FLOAT32 : DType.FLOAT64;
            throw new IllegalArgumentException(op + ": takes FLOAT32, FLOAT64 or BFLOAT16, and " + Shape.text(shape)
                    + " is " + dtype + "; cast(DType." + holding.name() + ") first");
        }
    }

    /// Throws, naming `op`, if it is BOOL.
    void requireNumbers(String op, String remedy) {
        if (dtype == DType.BOOL) {
            throw new IllegalArgumentException(
                    op + ": takes numbers, and " + Shape.text(shape) + " is " + dtype + "; " + remedy);
        }
    }

    void requireSameDType(String op, Tensor b) {
        if (dtype != b.dtype) {
            throw new IllegalArgumentException(op + ": " + Shape.text(shape) + " is " + dtype + " and "
                    + Shape.text(b.shape) + " is " + b.dtype + "; cast one to the dtype of the other");
        }
    }

    /// Throws, naming `op` and the cast to write, unless both operands have one dtype. No op casts by itself.
    void requireCommonDType(String op, Tensor b) {
        if (dtype == b.dtype) {
            return;
        }
        throw new IllegalArgumentException(op + ": " + Shape.text(shape) + " is " + dtype + " and "
                + Shape.text(b.shape) + " is " + b.dtype + "; " + DType.remedy(dtype, b.dtype));
    }

    void requireOperand(String op, Tensor b) {
        requireFloating(op);
        b.requireReadable(op);
        requireCommonDType(op, b);
    }

    void requireInteger(String op) {
        requireReadable(op);
        if (!dtype.isInteger()) {
            throw new IllegalArgumentException(op + ": takes INT32 or INT64, and " + Shape.text(shape) + " is " + dtype
                    + "; cast(DType.INT64) first");
        }
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
            throw new IllegalStateException(op + ": the block of the gradient of " + described()
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
                    + described()
                    + ", which is neither the old nor the new one; call zeroGradient() and go backward again");
        }
    }

    void emptyGradient() {
        gradientSet = false;
        gradientLost = false;
        if (!leaf || (gradient != null && !gradient.storage.alive())) {
            gradient = null;
        }
    }

    /// The op that made it, if that was recorded, and its shape: for messages.
    String described() {
        return (node == null ? "" : node.op + " ") + Shape.text(shape);
    }

    static boolean isOpen(Arena arena) {
        return arena instanceof TensorArena own ? own.isOpen() : arena.scope().isAlive();
    }

    /// Whether it is FLOAT64 and not FLOAT32. Kernels of any floating dtype are those of [DType#kind].
    boolean isWide() {
        if (dtype == DType.BFLOAT16) {
            throw new AssertionError("kernels of floats would misread " + Shape.text(shape) + " " + dtype);
        }
        return dtype == DType.FLOAT64;
    }

    /// Whether it covers its whole block, in order, so that the block may be written in its place.
    boolean coversStorage() {
        return offset == storage.base()
                && self().isContiguous()
                && Shape.size(storage.shape) == self().size()
                && storage.dtype == dtype.element;
    }

    /// Whether two tensors lie in parts of memory that meet (NumPy's may_share_memory), whichever arena or wrapped
    /// segment they were made from; gaps between the elements of a view count too. A tensor that is null, empty or
    /// abstract meets none.
    static boolean mayShareMemory(Tensor a, Tensor b) {
        return occupies(a) && occupies(b) && a.begin() < b.end() && b.begin() < a.end();
    }

    private static boolean occupies(Tensor t) {
        return t != null && !t.storage.isAbstract() && !Shape.empty(t.shape);
    }

    long begin() {
        return storage.segment().address() + offset * dtype.bytes();
    }

    long end() {
        return begin() + (Shape.last(shape, strides) + 1) * dtype.bytes();
    }

    // Elements.

    /// A contiguous copy for the length of an op, which ends it by [#freeCopyOf].
    Tensor contiguousCopy(String op) {
        Tensor copy = make(op, dtype, shape, true);
        Launch.unary(Families.copy(dtype), self(), copy);
        return copy;
    }

    /// This, or a contiguous copy for the length of an op, which ends it by [#freeCopyOf].
    Tensor contiguous(String op) {
        return self().isContiguous() ? self() : contiguousCopy(op);
    }

    /// Frees this if it is a copy and not `given` itself.
    void freeCopyOf(Tensor given, String op) {
        if (this != given) {
            freeScratch(op);
        }
    }

    /// Frees this tensor, which was made for the length of an op.
    void freeScratch(String op) {
        storage.disposable = true;
        storage.freeIfUnused(op, 0);
    }

    /// Sets every element of this fresh, contiguous tensor.
    Tensor fill(double value) {
        if (!storage.isAbstract()) {
            Launch.fill(self(), dtype.requireConvertible(storage.op, value));
        }
        return self();
    }

    /// Sets element i of this fresh, contiguous tensor to `value(i)`.
    Tensor setAll(LongToDoubleFunction value) {
        if (!storage.isAbstract() && self().size() > 0) {
            setElements(value);
            Recorder.set(self(), y -> y.setElements(value));
        }
        return self();
    }

    void setElements(LongToDoubleFunction value) {
        long n = self().size();
        for (long i = 0; i < n; i++) {
            // The value first: it may come from the caller's code, which may close the arena.
            double element = dtype.requireConvertible(storage.op, value.applyAsDouble(i));
            dtype.set(storage.segment(), offset + i, element);
        }
    }

    /// Sets the elements of this fresh, contiguous INT64 tensor.
    Tensor setAll(long[] values) {
        if (!storage.isAbstract()) {
            setElements(values);
            Recorder.set(self(), y -> y.setElements(values));
        }
        return self();
    }

    void setElements(long[] values) {
        MemorySegment.copy(values, 0, storage.segment(), ValueLayout.JAVA_LONG, offset * Long.BYTES, values.length);
    }

    /// A callback of [#forEach].
    interface Visitor {
        void visit(int position, double value);
    }

    /// Visits the elements in row-major order.
    void forEach(Visitor visitor) {
        if (self().size() > 0) {
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

    /// `Tensor([[1. 2.] …], dtype=float32, backward=Sum)`
    String text() {
        var text = new StringBuilder("Tensor(");
        if (storage.isFreed() || !storage.alive()) {
            text.append("freed, shape=").append(Shape.text(shape));
        } else {
            requireElements("toString");
            text.append(ArrayText.of(
                    shape, strides, offset, at -> dtype.get(storage.segment(), at), format(), text.length()));
        }
        text.append(", dtype=").append(dtype);
        if (node != null) {
            text.append(", backward=").append(node.op.substring(0, 1).toUpperCase(Locale.ROOT));
            text.append(node.op.substring(1));
        } else if (leaf) {
            text.append(", tracksGradient=true");
        }
        return text.append(')').toString();
    }

    private ArrayText.Format format() {
        return switch (dtype) {
            case FLOAT32, BFLOAT16 -> ArrayText.Format.FLOAT;
            case FLOAT64 -> ArrayText.Format.DOUBLE;
            case INT32, INT64 -> ArrayText.Format.INTEGER;
            case BOOL -> ArrayText.Format.BOOLEAN;
        };
    }

    // For gradient rules. Each op here has rules of its own, so gradients can be differentiated again.

    /// For a gradient that the running rule reads for the last time: allows an elementwise op to write its result
    /// over it, where nobody else needs it.
    Tensor dying() {
        Backward backward = Scope.current().backward;
        return backward == null ? self() : backward.dying(self());
    }

    /// Whether this is a result of [#dying()] that an elementwise op may write over.
    boolean isDying() {
        Backward backward = Scope.current().backward;
        return backward != null && backward.isDying(self());
    }

    /// The sum over the axes that broadcasting from `shape` to this shape stretched; this itself when there are
    /// none.
    Tensor sumTo(long[] shape) {
        if (Arrays.equals(this.shape, shape)) {
            return self();
        }
        boolean[] stretched = Shape.stretchedAxes(shape, this.shape);
        Tensor sum = Families.sum(self(), stretched, true);
        return this.shape.length == shape.length ? sum : sum.reshape(shape);
    }

    /// A view stretched to a shape to which this broadcasts, and which the caller does not change.
    Tensor stretchTo(long[] shape) {
        return Families.view(
                self(),
                "broadcastTo",
                offset,
                shape,
                Shape.stretched(this.shape, strides, shape),
                readsShape((g, original) -> g.sumTo(original)));
    }

    /// The part of maximum's gradient that belongs to this: 1 where it is larger than b, ½ where equal, else 0.
    Tensor maximumShare(Tensor b) {
        return binary(self(), b, "maximumShare", BinaryKernel.MAXIMUM_SHARE, ZERO, ZERO);
    }

    /// `this·share` for a share of a gradient that has none of its own; 0 where that is 0, whatever stands here: an
    /// infinite gradient goes to the operand that was taken and leaves no NaN at the other.
    Tensor shared(Tensor share) {
        return binary(self(), share, "shared", BinaryKernel.SHARED, readsOther((g, other) -> g.shared(other)), ZERO);
    }

    /// The gradient of an op that does not change with its input.
    static final Rule ZERO = readsShape((g, shape) -> Tensor.zeros(g.dtype, shape));

    /// This with 0 in place of the elements that a mask marks, whatever stood there.
    Tensor zeroWhere(Tensor mask) {
        return Families.broadcasting(
                self(),
                mask,
                "zeroWhere",
                dtype.kind.of(BinaryKernel.ZERO_WHERE),
                readsOther((g, other) -> g.zeroWhere(other)),
                null);
    }

    /// This with 1 in place of the elements that a mask marks: a divisor or a base that makes no infinity there. No
    /// gradient goes to the replaced elements.
    Tensor oneWhere(Tensor mask) {
        return Tensor.where(mask, constant(dtype, 1), self());
    }

    /// A scalar 0 of this dtype.
    Tensor zero() {
        return constant(dtype, 0);
    }
}
