package org.toydiff.internal.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// The layouts that BLAS reads, against the positions that it computes: element `(i, j)` of a row-major matrix lies
/// at `i·ld + j`, of a transposed one at `j·ld + i`, where `ld` is at least the length of a row.
class MatrixLayoutTest {
    private static final long[] SIZES = {0, 1, 2, 3, 5};
    private static final long[] STRIDES = {-2, 0, 1, 2, 3, 4, 5, 7, Integer.MAX_VALUE, 1L << 31};

    private static String text(long[] shape, long[] strides) {
        return Arrays.toString(shape) + " with strides " + Arrays.toString(strides);
    }

    /// {@return whether BLAS reads the elements of a view in place, with this leading dimension}
    private static boolean reads(long[] shape, long[] strides, boolean transposed, long leading) {
        for (long i = 0; i < shape[0]; i++) {
            for (long j = 0; j < shape[1]; j++) {
                long read = transposed ? j * leading + i : i * leading + j;
                if (read != i * strides[0] + j * strides[1]) {
                    return false;
                }
            }
        }
        return leading >= Math.max(1, transposed ? shape[0] : shape[1]) && leading <= Integer.MAX_VALUE;
    }

    /// {@return whether any leading dimension fits} Only the two strides and the least one can.
    private static boolean isReadable(long[] shape, long[] strides, boolean transposed) {
        long least = Math.max(1, transposed ? shape[0] : shape[1]);
        return reads(shape, strides, transposed, least)
                || reads(shape, strides, transposed, strides[0])
                || reads(shape, strides, transposed, strides[1]);
    }

    @Test
    void aMatrixIsReadableIfBlasReadsItsElementsInOneOfTwoWays() {
        int readable = 0;
        for (long m : SIZES) {
            for (long n : SIZES) {
                for (long down : STRIDES) {
                    for (long across : STRIDES) {
                        readable += requireReadable(new long[] {m, n}, new long[] {down, across}) ? 1 : 0;
                    }
                }
            }
        }
        assertTrue(readable > 100, readable + " are");
    }

    private static boolean requireReadable(long[] shape, long[] strides) {
        boolean found = MatrixLayout.isReadable(shape, strides);
        if (found) {
            boolean transposed = MatrixLayout.transposed(shape, strides);
            int leading = MatrixLayout.leading(shape, strides, transposed);
            assertTrue(reads(shape, strides, transposed, leading), text(shape, strides));
        } else if (shape[0] > 0 && shape[1] > 0) {
            assertFalse(isReadable(shape, strides, false), text(shape, strides));
            assertFalse(isReadable(shape, strides, true), text(shape, strides));
        }
        return found;
    }

    @Test
    void leadingAxesDoNotMatter() {
        assertTrue(MatrixLayout.isReadable(new long[] {7, 2, 3}, new long[] {-5, 3, 1}));
        assertFalse(MatrixLayout.isReadable(new long[] {7, 2, 3}, new long[] {6, 6, 2}));
    }

    @Test
    void theIncrementOfAVectorIsItsStride() {
        for (long n : SIZES) {
            for (long stride : STRIDES) {
                if (stride >= 1 && stride <= Integer.MAX_VALUE) {
                    int increment = MatrixLayout.increment(new long[] {9, n}, new long[] {0, stride}, 1);
                    assertEquals(n <= 1 ? 1 : stride, increment, n + " by " + stride);
                }
            }
        }
    }
}
