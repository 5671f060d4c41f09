package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;

/// The elements of an IDX file, in the encoding of the file.
///
/// @param mapped the mapped file; null if the elements were decompressed
record IdxArray(Path path, IdxElement element, long[] shape, MemorySegment data, MappedFile mapped) {
    private long rowSize() {
        long size = 1;
        for (int i = 1; i < shape.length; i++) {
            size *= shape[i];
        }
        return size;
    }

    /// Throws unless this thread may read the elements and the file still has its length.
    void requireReadable() {
        if (!data.scope().isAlive()) {
            throw new IllegalStateException("batch: the arena in which " + path
                    + " was opened is closed; open it in one that outlives the set");
        }
        if (!data.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException("batch: " + path + " was opened in a confined arena of another thread than "
                    + Thread.currentThread() + "; open it in TensorArena.ofShared()");
        }
        if (mapped != null) {
            mapped.requireWhole("batch");
        }
    }

    /// Returns rows as FLOAT32, with pixels scaled to 0..1.
    Tensor floats(long[] indices) {
        long size = rowSize();
        long[] sizes = shape.clone();
        sizes[0] = indices.length;
        Tensor floats = Tensor.empty(DType.FLOAT32, sizes);
        MemorySegment to = floats.segment();
        for (int i = 0; i < indices.length; i++) {
            element.toFloats(data, indices[i] * size * element.bytes, to, i * size, size);
        }
        return floats;
    }

    /// Returns integers of an array with one axis as INT64.
    Tensor integers(long[] indices) {
        Tensor integers = Tensor.empty(DType.INT64, indices.length);
        MemorySegment to = integers.segment();
        for (int i = 0; i < indices.length; i++) {
            to.setAtIndex(ValueLayout.JAVA_LONG, i, (long) element.number(data, indices[i] * element.bytes));
        }
        return integers;
    }
}
