package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.toydiff.internal.launch.Shape;

/// The memory of a [Tensor]: its elements, and the arena that it lives in.
public sealed interface MemoryOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// {@return the dtype of the elements}
    default DType dtype() {
        return self().dtype;
    }

    /// {@return whether the elements lie one after another in memory, in the order of their indices, as in PyTorch}
    /// Most views do not; [#copyTo(Arena)] makes a tensor that does.
    default boolean isContiguous() {
        return Shape.contiguous(self().shape, self().strides);
    }

    /// Returns the memory itself, from the first element to the last; that of a view with gaps includes them. Writes
    /// to it show in the tensor and its views, unseen by the check for in-place changes.
    ///
    /// @return a segment that throws once the memory is freed
    /// @throws IllegalStateException if it is freed already
    default MemorySegment segment() {
        Tensor x = self();
        x.requireElements("segment");
        long elements = x.size() == 0 ? 0 : Shape.last(x.shape, x.strides) + 1;
        long begin = (x.offset - x.storage.base()) * x.dtype.bytes();
        return x.storage.expose().asSlice(begin, elements * x.dtype.bytes());
    }

    /// Copies the elements to the heap, row-major; those of other dtypes are converted.
    ///
    /// @return an array of as many elements
    /// @throws IllegalStateException if it has more elements than an array can
    default float[] toFloatArray() {
        Tensor x = self();
        float[] array = new float[arraySize("toFloatArray")];
        if (x.dtype == DType.FLOAT32 && isContiguous()) {
            long begin = x.offset * Float.BYTES;
            MemorySegment.copy(x.storage.segment(), ValueLayout.JAVA_FLOAT, begin, array, 0, array.length);
        } else {
            x.forEach((i, value) -> array[i] = (float) value);
        }
        return array;
    }

    /// Copies the elements to the heap, row-major; those of other dtypes are converted.
    ///
    /// @return an array of as many elements
    /// @throws IllegalStateException if it has more elements than an array can
    default double[] toDoubleArray() {
        double[] array = new double[arraySize("toDoubleArray")];
        self().forEach((i, value) -> array[i] = value);
        return array;
    }

    /// Copies integers to the heap, row-major, with all their bits.
    ///
    /// @return an array of as many elements
    /// @throws IllegalArgumentException if the dtype is floating
    /// @throws IllegalStateException if it has more elements than an array can
    default long[] toLongArray() {
        Tensor x = self();
        long[] array = new long[arraySize("toLongArray")];
        if (x.dtype.isFloating()) {
            throw new IllegalArgumentException("toLongArray: " + Shape.text(x.shape) + " is " + x.dtype
                    + "; cast(DType.INT64) first, or use toDoubleArray()");
        }
        try (var scratch = TensorArena.ofConfined()) {
            Tensor whole = isContiguous() ? x : copyTo(scratch);
            for (int i = 0; i < array.length; i++) {
                array[i] = x.dtype.getLong(whole.storage.segment(), whole.offset + i);
            }
        }
        return array;
    }

    private int arraySize(String op) {
        Tensor x = self();
        x.requireElements(op);
        if (x.size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    op + ": " + Shape.text(x.shape) + " has more elements than an array can; slice it");
        }
        return (int) x.size();
    }

    /// {@return the value of the only element}
    ///
    /// @throws IllegalStateException if there are more or fewer
    default double item() {
        Tensor x = self();
        x.requireElements("item");
        if (x.size() != 1) {
            throw new IllegalStateException(
                    "item: " + Shape.text(x.shape) + " has " + x.size() + " elements; use at(index) or toFloatArray()");
        }
        return x.dtype.get(x.storage.segment(), x.offset);
    }

    /// {@return the value of one element}
    ///
    /// @param index its position along each axis, negative ones counted from the end
    /// @throws IllegalArgumentException if the index has another rank or is out of range
    default double at(long... index) {
        Tensor x = self();
        x.requireElements("at");
        boolean inside = index.length == x.shape.length;
        long position = x.offset;
        for (int i = 0; inside && i < index.length; i++) {
            long at = index[i] < 0 ? index[i] + x.shape[i] : index[i];
            inside = at >= 0 && at < x.shape[i];
            position += at * x.strides[i];
        }
        if (!inside) {
            throw new IllegalArgumentException(
                    "at: index " + Shape.text(index) + " is out of range for shape " + Shape.text(x.shape));
        }
        return x.dtype.get(x.storage.segment(), position);
    }

    /// Copies it to another arena, contiguous and outside the graph.
    ///
    /// @param arena the arena of the copy: any, a JDK one too, which counts among [Memory#liveBytes()] until it
    ///     closes
    /// @return the copy
    /// @throws IllegalArgumentException if the arena allocates anything but writable native memory
    /// @throws IllegalStateException if the arena is closed
    default Tensor copyTo(Arena arena) {
        Tensor x = self();
        x.requireReadable("copyTo");
        Recorder.requireInside("copyTo", arena);
        Tensor copy = Tensor.makeIn(arena, "copyTo", x.dtype, x.shape);
        Launch.unary(Families.copy(x.dtype), x, copy);
        return copy;
    }

    /// Gives the block to another arena, with every tensor over it, and its gradient; no element moves. The elements
    /// are copied instead, and this stays as it is, where something may use the block that would not notice the
    /// change: a segment that was handed out by [#segment()], or, in a shared arena, an op on another thread.
    /// (Intermediates of a recorded graph have a lifetime of their own there, and do move.)
    ///
    /// @param arena the new owner
    /// @return this, or the copy
    /// @throws IllegalStateException if the memory is the caller's, or is freed, or an op on another thread is using
    ///     it; nothing has changed then
    /// @throws MemoryLimitException if the arena's limit would be passed; nothing has changed then
    default Tensor moveTo(TensorArena arena) {
        Tensor x = self();
        x.requireReadable("moveTo");
        arena.requireUsable("moveTo");
        Recorder.refuse("moveTo", "changes the owner of a block, and a replay would not; move it after run");
        if (Launch.skips(x)) {
            x.storage.moveCount(arena.account);
            return x;
        }
        if (x.storage.isForeign()) {
            throw new IllegalStateException("moveTo: the memory of " + Shape.text(x.shape)
                    + " is not an arena's of toydiff, so it cannot change owner; use copyTo(arena)");
        }
        if (x.storage.home == arena) {
            x.storage.pinned = true;
            return x;
        }
        if (!x.storage.movable()) {
            return copyTo(arena);
        }
        var from = (TensorArena) x.storage.home;
        x.storage.move(arena.account);
        try {
            // Where the gradient's own arena is closed there is nothing to move.
            if (x.gradient != null && x.gradient.storage.alive()) {
                x.gradient = x.gradient.moveTo(arena);
            }
        } catch (RuntimeException | Error failure) {
            x.storage.move(from.account);
            throw failure;
        }
        return x;
    }

    /// Overwrites the elements with those of another tensor, which stretches to this shape. Not recorded; a later
    /// backward that would have read the old elements throws.
    ///
    /// Where the two overlap in memory, this gets the elements that the source held before, as in NumPy (PyTorch
    /// refuses that).
    ///
    /// @param source the elements to copy, of this dtype
    /// @return this
    /// @throws IllegalArgumentException if the dtype differs, the shape does not stretch to this one, or this is
    ///     read-only or itself stretched, so that several of its elements are one in memory
    default Tensor copyFrom(Tensor source) {
        Tensor x = self();
        x.requireModifiable("copyFrom");
        source.requireReadable("copyFrom");
        x.requireSameDType("copyFrom", source);
        if (!Shape.broadcasts(source.shape, x.shape)) {
            throw new IllegalArgumentException(
                    "copyFrom: " + Shape.text(source.shape) + " does not stretch to " + Shape.text(x.shape));
        }
        if (source.storage.isAbstract() || Launch.skips(x)) {
            return x;
        }
        boolean overlaps = Tensor.mayShareMemory(x, source);
        try (var scratch = overlaps ? TensorArena.ofConfined() : null) {
            Launch.unary(Families.copy(x.dtype), overlaps ? source.copyTo(scratch) : source, x);
        }
        x.storage.version++;
        return x;
    }
}
