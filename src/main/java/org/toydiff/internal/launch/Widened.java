package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Kernels;
import org.toydiff.internal.kernels.UnaryKernel;

/// Elementwise kernels of BFLOAT16: those of FLOAT32, block by block, with operands widened to floats before and
/// results rounded after. A block stays in the first-level cache meanwhile. So every kernel has a form for BFLOAT16,
/// whose results are those of FLOAT32, rounded once.
final class Widened {
    /// The elements of a block. Three operands of so many floats fit into a first-level cache.
    static final int BLOCK = 2048;

    static final Kernel.Unary WIDEN = CastKernels.of(Element.BFLOAT16, Element.FLOAT32);
    static final Kernel.Unary ROUND = CastKernels.of(Element.FLOAT32, Element.BFLOAT16);

    // Indexed by the kernels. Two threads may each create one; the two are equivalent.
    private static final Unary[] UNARY = new Unary[UnaryKernel.values().length];
    private static final Binary[] BINARY = new Binary[BinaryKernel.values().length];

    private Widened() {}

    static Kernel.Unary of(UnaryKernel kernel) {
        Unary widened = UNARY[kernel.ordinal()];
        if (widened == null) {
            Kernel.Unary floats = kernel.of(false);
            widened = Kernels.notedRounded(new Unary(floats, kernel.isTest()), floats);
            UNARY[kernel.ordinal()] = widened;
        }
        return widened;
    }

    static Kernel.Binary of(BinaryKernel kernel) {
        Binary widened = BINARY[kernel.ordinal()];
        if (widened == null) {
            Kernel.Binary floats = kernel.of(false);
            widened = Kernels.notedRounded(new Binary(floats, kernel.takesMask(), kernel.isTest()), floats);
            BINARY[kernel.ordinal()] = widened;
        }
        return widened;
    }

    /// Widens n contiguous elements.
    static void widen(MemorySegment x, long x0, MemorySegment y, long y0, long n) {
        WIDEN.run(x, x0, 0, 1, y, y0, 0, 1, 1, n);
    }

    /// Rounds n contiguous elements.
    static void round(MemorySegment x, long x0, MemorySegment y, long y0, long n) {
        ROUND.run(x, x0, 0, 1, y, y0, 0, 1, 1, n);
    }

    /// Widens a block of an operand, of which repeated rows and columns are read once.
    private static void widen(MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long n1, long n2) {
        long columns = xj == 0 ? 1 : n2;
        WIDEN.run(x, x0, xi, xj, y, y0, columns, 1, xi == 0 ? 1 : n1, columns);
    }

    /// {@return the stride between the rows of a widened block of n2 columns}
    private static long between(long xi, long xj, long n2) {
        return xi == 0 ? 0 : xj == 0 ? 1 : n2;
    }

    private static long step(long xj) {
        return xj == 0 ? 0 : 1;
    }

    /// @param floats the kernel of FLOAT32
    /// @param isTest whether its results are truth values
    private record Unary(Kernel.Unary floats, boolean isTest) implements Kernel.Unary {
        @Override
        public void run(
                MemorySegment x,
                long x0,
                long xi,
                long xj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2) {
            long columns = Math.min(n2, BLOCK);
            long rows = BLOCK / Math.max(1, columns);
            MemorySegment scratch = Scratch.take();
            try {
                for (long i = 0; i < n1; i += rows) {
                    for (long j = 0; j < n2; j += columns) {
                        long height = Math.min(rows, n1 - i);
                        long width = Math.min(columns, n2 - j);
                        long xAt = x0 + i * xi + j * xj;
                        block(scratch, x, xAt, xi, xj, y, y0 + i * yi + j * yj, yi, yj, height, width);
                    }
                }
            } finally {
                Scratch.give(scratch);
            }
        }

        private void block(
                MemorySegment scratch,
                MemorySegment x,
                long x0,
                long xi,
                long xj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2) {
            WIDEN.run(x, x0, xi, xj, scratch, 0, n2, 1, n1, n2);
            if (isTest) {
                floats.run(scratch, 0, n2, 1, y, y0, yi, yj, n1, n2);
                return;
            }
            floats.run(scratch, 0, n2, 1, scratch, 0, n2, 1, n1, n2);
            ROUND.run(scratch, 0, n2, 1, y, y0, yi, yj, n1, n2);
        }
    }

    /// @param floats the kernel of FLOAT32
    /// @param takesMask whether its second operand is a mask
    /// @param isTest whether its results are truth values
    private record Binary(Kernel.Binary floats, boolean takesMask, boolean isTest) implements Kernel.Binary {
        @Override
        public void run(
                MemorySegment a,
                long a0,
                long ai,
                long aj,
                MemorySegment b,
                long b0,
                long bi,
                long bj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2) {
            long columns = Math.min(n2, BLOCK);
            long rows = BLOCK / Math.max(1, columns);
            MemorySegment scratch = Scratch.take();
            try {
                for (long i = 0; i < n1; i += rows) {
                    for (long j = 0; j < n2; j += columns) {
                        long height = Math.min(rows, n1 - i);
                        long width = Math.min(columns, n2 - j);
                        long aAt = a0 + i * ai + j * aj;
                        long bAt = b0 + i * bi + j * bj;
                        long yAt = y0 + i * yi + j * yj;
                        block(scratch, a, aAt, ai, aj, b, bAt, bi, bj, y, yAt, yi, yj, height, width);
                    }
                }
            } finally {
                Scratch.give(scratch);
            }
        }

        private void block(
                MemorySegment scratch,
                MemorySegment a,
                long a0,
                long ai,
                long aj,
                MemorySegment b,
                long b0,
                long bi,
                long bj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2) {
            widen(a, a0, ai, aj, scratch, 0, n1, n2);
            long down = between(ai, aj, n2);
            if (takesMask) {
                floats.run(scratch, 0, down, step(aj), b, b0, bi, bj, scratch, 2 * BLOCK, n2, 1, n1, n2);
            } else {
                widen(b, b0, bi, bj, scratch, BLOCK, n1, n2);
                long bDown = between(bi, bj, n2);
                if (isTest) {
                    floats.run(scratch, 0, down, step(aj), scratch, BLOCK, bDown, step(bj), y, y0, yi, yj, n1, n2);
                    return;
                }
                floats.run(
                        scratch, 0, down, step(aj), scratch, BLOCK, bDown, step(bj), scratch, 2 * BLOCK, n2, 1, n1, n2);
            }
            ROUND.run(scratch, 2 * BLOCK, n2, 1, y, y0, yi, yj, n1, n2);
        }
    }
}
