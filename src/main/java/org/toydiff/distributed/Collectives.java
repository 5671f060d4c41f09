package org.toydiff.distributed;

import java.util.Arrays;
import org.toydiff.Tensor;

/// Checks the tensors of collectives.
final class Collectives {
    private Collectives() {}

    static void requireReduced(Tensor tensor) {
        requireModified("allReduce", tensor);
        switch (tensor.dtype()) {
            case FLOAT32, FLOAT64, BFLOAT16, INT32, INT64 -> {}
            default ->
                throw new IllegalArgumentException("allReduce: " + describe(tensor)
                        + " cannot be added up; cast it to a floating dtype, INT32 or INT64");
        }
    }

    static void requireBroadcast(Tensor tensor, int root, int size) {
        requireModified("broadcast", tensor);
        if (root < 0 || root >= size) {
            throw new IllegalArgumentException("broadcast: there is no rank " + root + " in a group of " + size);
        }
    }

    static void requireGathered(Tensor part, Tensor whole, int size) {
        requireContiguous("allGather", part);
        requireModified("allGather", whole);
        long[] expected = new long[part.rank() + 1];
        expected[0] = size;
        System.arraycopy(part.shape(), 0, expected, 1, part.rank());
        if (part.dtype() != whole.dtype() || !Arrays.equals(expected, whole.shape())) {
            throw new IllegalArgumentException("allGather: the parts " + describe(part) + " of " + size
                    + " processes do not make a whole " + describe(whole) + "; it must be " + Arrays.toString(expected)
                    + " " + part.dtype());
        }
        if (part.segment().asOverlappingSlice(whole.segment()).isPresent()) {
            throw new IllegalArgumentException("allGather: the part " + describe(part)
                    + " overlaps the whole in memory; copyTo(arena) gives it its own");
        }
    }

    private static void requireModified(String op, Tensor tensor) {
        requireContiguous(op, tensor);
        if (tensor.segment().isReadOnly()) {
            throw new IllegalArgumentException(op + ": the memory of " + describe(tensor) + " is read-only");
        }
    }

    private static void requireContiguous(String op, Tensor tensor) {
        if (!tensor.isContiguous()) {
            throw new IllegalArgumentException(op + ": " + describe(tensor)
                    + " is not contiguous; use copyTo(arena) for one that is, and copyFrom to bring results back");
        }
    }

    static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }
}
