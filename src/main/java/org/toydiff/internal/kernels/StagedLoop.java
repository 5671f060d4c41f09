package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// The scalar forms of elementwise kernels and of sums of columns, without their arithmetic, which a generated
/// subclass has. They pass contiguous operands through a [Staging], block by block, and compute others in memory.
///
/// All kernels share this code, so that the JVM compiles it once, not once for each of them.
final class StagedLoop {
    private StagedLoop() {}

    /// A kernel of one operand in memory.
    abstract static class InMemory implements Kernel.Unary {
        private final Pieces pieces = new Pieces();

        /// Computes part of a row in memory.
        abstract void row(MemorySegment x, long x0, long xj, MemorySegment y, long y0, long yj, long n);

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
            for (long i = 0; i < n1; i++) {
                for (long j = 0, n; j < n2; j += n) {
                    n = Math.min(pieces.next(), n2 - j);
                    row(x, x0 + i * xi + j * xj, xj, y, y0 + i * yi + j * yj, yj, n);
                }
            }
        }
    }

    /// The scalar form of a kernel of one operand.
    abstract static class Unary extends InMemory {
        private final ValueLayout xLayout;
        private final ValueLayout yLayout;
        private final boolean readsResult;

        /// Creates a loop over elements with these layouts. `readsResult` means that the arithmetic reads the element
        /// that it replaces.
        Unary(ValueLayout x, ValueLayout y, boolean readsResult) {
            xLayout = x;
            yLayout = y;
            this.readsResult = readsResult;
        }

        /// Computes the first n elements of arrays.
        abstract void block(Object x, Object y, int n);

        @Override
        public final void run(
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
            if (!Staging.fits(n2, yj, xj, xj)) {
                super.run(x, x0, xi, xj, y, y0, yi, yj, n1, n2);
                return;
            }
            Staging staging = Staging.take();
            for (long i = 0; i < n1; i++) {
                Object xs = staging.set(0, xLayout, x, x0 + i * xi);
                Object ys = staging.set(1, yLayout, y, y0 + i * yi);
                int each = readsResult ? 2 : 0;
                if (xj == 0) {
                    staging.repeat(0);
                } else {
                    each |= 1;
                }
                for (long j = 0; j < n2; j += Staging.LENGTH) {
                    int n = Staging.blockLength(j, n2);
                    staging.load(each, j, n);
                    block(xs, ys, n);
                    staging.store(2, j, n);
                }
            }
            staging.giveBack();
        }
    }

    /// The scalar form of a kernel of two operands.
    abstract static class Binary implements Kernel.Binary {
        private final Pieces pieces = new Pieces();
        private final ValueLayout aLayout;
        private final ValueLayout bLayout;
        private final ValueLayout yLayout;
        private final boolean readsResult;

        /// Creates a loop, as a [Unary] one.
        Binary(ValueLayout a, ValueLayout b, ValueLayout y, boolean readsResult) {
            aLayout = a;
            bLayout = b;
            yLayout = y;
            this.readsResult = readsResult;
        }

        /// Computes part of a row in memory.
        abstract void row(
                MemorySegment a,
                long a0,
                long aj,
                MemorySegment b,
                long b0,
                long bj,
                MemorySegment y,
                long y0,
                long yj,
                long n);

        /// Computes the first n elements of arrays.
        abstract void block(Object a, Object b, Object y, int n);

        @Override
        public final void run(
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
            if (!Staging.fits(n2, yj, aj, bj)) {
                for (long i = 0; i < n1; i++) {
                    for (long j = 0, n; j < n2; j += n) {
                        n = Math.min(pieces.next(), n2 - j);
                        long aAt = a0 + i * ai + j * aj;
                        long bAt = b0 + i * bi + j * bj;
                        row(a, aAt, aj, b, bAt, bj, y, y0 + i * yi + j * yj, yj, n);
                    }
                }
                return;
            }
            Staging staging = Staging.take();
            for (long i = 0; i < n1; i++) {
                Object as = staging.set(0, aLayout, a, a0 + i * ai);
                Object bs = staging.set(1, bLayout, b, b0 + i * bi);
                Object ys = staging.set(2, yLayout, y, y0 + i * yi);
                int each = readsResult ? 4 : 0;
                if (aj == 0) {
                    staging.repeat(0);
                } else {
                    each |= 1;
                }
                if (bj == 0) {
                    staging.repeat(1);
                } else {
                    each |= 2;
                }
                for (long j = 0; j < n2; j += Staging.LENGTH) {
                    int n = Staging.blockLength(j, n2);
                    staging.load(each, j, n);
                    block(as, bs, ys, n);
                    staging.store(4, j, n);
                }
            }
            staging.giveBack();
        }
    }

    /// The scalar form of sums of columns.
    abstract static class Columns implements Kernel.Columns {
        private final Pieces pieces = new Pieces();
        private final ValueLayout layout;

        Columns(ValueLayout layout) {
            this.layout = layout;
        }

        /// Adds n columns of some rows, in memory, to the sums.
        abstract void addInMemory(MemorySegment x, long x0, long xi, long rows, double[] sums, long n);

        /// Adds the first n elements of an array to the sums.
        abstract void add(double[] sums, Object x, int n);

        /// Stores the quotients of n sums by the divisor as elements of an array.
        abstract void divide(double[] sums, Object y, int n, double divisor);

        @Override
        public final void run(
                MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, double divisor) {
            Staging staging = Staging.take();
            Object xs = staging.set(0, layout, x, x0);
            Object ys = staging.set(1, layout, y, y0);
            double[] sums = (double[]) staging.array(Staging.LANES, JAVA_DOUBLE);
            for (long j = 0; j < n; j += Staging.LENGTH) {
                int length = Staging.blockLength(j, n);
                Arrays.fill(sums, 0, length, 0);
                if (length < Staging.SHORTEST) {
                    addInPieces(x, x0 + j, xi, rows, sums, length);
                } else {
                    for (long i = 0; i < rows; i++) {
                        staging.load(1, i * xi + j, length);
                        add(sums, xs, length);
                    }
                }
                divide(sums, ys, length, divisor);
                staging.store(2, j, length);
            }
            staging.giveBack();
        }

        private void addInPieces(MemorySegment x, long x0, long xi, long rows, double[] sums, long n) {
            for (long i = 0, each; i < rows; i += each) {
                each = Math.min(1 + pieces.next() / n, rows - i);
                addInMemory(x, x0 + i * xi, xi, each, sums, n);
            }
        }
    }
}
