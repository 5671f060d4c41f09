package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.kernels.PassDescription.Fold;

/// A pass without its arithmetic, which a generated subclass has. A run consists of quarters, if the pass has them, a
/// part of whole vectors, and the rest.
///
/// The methods for these take the operands as [Kernel.Pass#run] does, two indices, the parameters and the totals. They
/// return the total of the first folded value, a float if the pass computes floats, or 0, and write further totals.
abstract class PassLoop implements Kernel.Pass {
    final Fold fold;
    final int lanes;
    private final int step;
    private final boolean inQuarters;
    private final int leastOfQuarters;
    private final boolean wide;

    /// Creates a pass in which a part has a multiple of `step` elements, a power of two.
    PassLoop(PassDescription pass, int step) {
        this.step = step;
        fold = pass.fold();
        lanes = pass.virtualLanes();
        inQuarters = pass.inQuarters();
        leastOfQuarters = pass.leastOfQuarters();
        wide = pass.precision() == Precision.FLOAT64;
    }

    /// Computes elements `from` to `to`.
    abstract double part(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            MemorySegment d,
            long d0,
            MemorySegment e,
            long e0,
            long from,
            long to,
            double[] parameters,
            double[] totals);

    /// Computes elements `from` to `to`, where `from` is 0, and three more parts as long, which follow.
    abstract double quarters(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            MemorySegment d,
            long d0,
            MemorySegment e,
            long e0,
            long from,
            long to,
            double[] parameters,
            double[] totals);

    /// Computes elements `from` to `to`, one by one, and folds them into the total.
    abstract double rest(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            MemorySegment d,
            long d0,
            MemorySegment e,
            long e0,
            long from,
            long to,
            double[] parameters,
            double[] totals,
            double total);

    @Override
    public final double run(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            MemorySegment d,
            long d0,
            MemorySegment e,
            long e0,
            long n,
            double[] parameters,
            double[] totals) {
        long whole = n & -step;
        if (totals != null) {
            Arrays.fill(totals, fold.identity);
        }
        double total;
        if (inQuarters) {
            long quarter = n < leastOfQuarters ? 0 : n / (4L * lanes) * lanes;
            double first = quarters(a, a0, b, b0, c, c0, d, d0, e, e0, 0, quarter, parameters, totals);
            total = fold(part(a, a0, b, b0, c, c0, d, d0, e, e0, 4 * quarter, whole, parameters, totals), first);
        } else {
            total = part(a, a0, b, b0, c, c0, d, d0, e, e0, 0, whole, parameters, totals);
        }
        if (whole < n) {
            total = rest(a, a0, b, b0, c, c0, d, d0, e, e0, whole, n, parameters, totals, total);
        }
        if (totals != null) {
            totals[0] = total;
        }
        return total;
    }

    @Override
    public final void rows(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            long ai,
            long bi,
            long ci,
            long rows,
            long n,
            MemorySegment numbers,
            long numbers0,
            int count,
            double[] parameters) {
        // Short rows take no longer than calls, of which one is saved here. A generated loop over rows saves all of
        // them, but checks bounds in each step of the inner loop: e^x of long rows took 2.3 times as long.
        boolean isPart = n % step == 0 && (!inQuarters || n < leastOfQuarters);
        for (long i = 0; i < rows; i++) {
            for (int p = 0; p < count; p++) {
                parameters[p] = numbers.getAtIndex(JAVA_DOUBLE, numbers0 + p * rows + i);
            }
            long at = a0 + i * ai;
            long bt = b0 + i * bi;
            long ct = c0 + i * ci;
            double total = isPart
                    ? part(a, at, b, bt, c, ct, null, 0, null, 0, 0, n, parameters, null)
                    : run(a, at, b, bt, c, ct, null, 0, null, 0, n, parameters, null);
            if (fold != null) {
                numbers.setAtIndex(JAVA_DOUBLE, numbers0 + i, total);
            }
        }
    }

    /// {@return the fold of two totals}
    final double fold(double a, double b) {
        return switch (fold) {
            case SUM -> wide ? a + b : (float) a + (float) b;
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
        };
    }

    /// A pass in vector form.
    abstract static class Vectors extends PassLoop {
        private final PassLoop scalar;

        Vectors(PassDescription pass, int step, PassLoop scalar) {
            super(pass, step);
            this.scalar = scalar;
        }

        @Override
        final double rest(
                MemorySegment a,
                long a0,
                MemorySegment b,
                long b0,
                MemorySegment c,
                long c0,
                MemorySegment d,
                long d0,
                MemorySegment e,
                long e0,
                long from,
                long to,
                double[] parameters,
                double[] totals,
                double total) {
            return scalar.rest(a, a0, b, b0, c, c0, d, d0, e, e0, from, to, parameters, totals, total);
        }
    }

    /// A pass in scalar form: goes through a [Staging], block by block. The lanes of a fold stay in its array
    /// meanwhile.
    abstract static class Staged extends PassLoop {
        private final ValueLayout layout;
        private final ValueLayout lanesLayout;

        /// Sets of operands: bit k stands for operand k.
        private final int read;
        private final int written;

        /// Lanes of all folded values.
        private final int allLanes;

        Staged(PassDescription pass, int step) {
            super(pass, step);
            layout = Staging.layout(pass.storage() == Precision.FLOAT64);
            lanesLayout = Staging.layout(pass.precision() == Precision.FLOAT64);
            read = Arrays.stream(pass.graph().inputs()).reduce(0, (set, k) -> set | 1 << k);
            written = pass.outputs().stream()
                    .mapToInt(output -> 1 << output.operand())
                    .sum();
            allLanes = lanes * pass.folded().size();
        }

        /// Computes the first n elements of the operands' arrays, and folds them into the lanes. Operands that the
        /// pass does not have, and the lanes of a pass that folds nothing, are null.
        abstract void block(Object a, Object b, Object c, Object d, Object e, Object lanes, int n, double[] parameters);

        /// {@return the fold of the lanes} Those of further folded values are written to `totals`.
        abstract double total(Object lanes, double[] totals);

        @Override
        final double part(
                MemorySegment a,
                long a0,
                MemorySegment b,
                long b0,
                MemorySegment c,
                long c0,
                MemorySegment d,
                long d0,
                MemorySegment e,
                long e0,
                long from,
                long to,
                double[] parameters,
                double[] totals) {
            if (from >= to) {
                return fold == null ? 0 : fold.identity;
            }
            Staging staging = Staging.take();
            Object as = set(staging, 0, a, a0);
            Object bs = set(staging, 1, b, b0);
            Object cs = set(staging, 2, c, c0);
            Object ds = set(staging, 3, d, d0);
            Object es = set(staging, 4, e, e0);
            Object lanes = lanes(staging);
            for (long i = from; i < to; i += Staging.LENGTH) {
                int n = Staging.blockLength(i, to);
                staging.load(read, i, n);
                block(as, bs, cs, ds, es, lanes, n, parameters);
                staging.store(written, i, n);
            }
            // Before another thread may take the staging, and with it the lanes.
            double total = fold == null ? 0 : total(lanes, totals);
            staging.giveBack();
            return total;
        }

        @Override
        final double quarters(
                MemorySegment a,
                long a0,
                MemorySegment b,
                long b0,
                MemorySegment c,
                long c0,
                MemorySegment d,
                long d0,
                MemorySegment e,
                long e0,
                long from,
                long to,
                double[] parameters,
                double[] totals) {
            double first = part(a, a0, b, b0, c, c0, d, d0, e, e0, from, to, parameters, totals);
            double second = part(a, a0, b, b0, c, c0, d, d0, e, e0, to, 2 * to, parameters, totals);
            double third = part(a, a0, b, b0, c, c0, d, d0, e, e0, 2 * to, 3 * to, parameters, totals);
            double fourth = part(a, a0, b, b0, c, c0, d, d0, e, e0, 3 * to, 4 * to, parameters, totals);
            return fold(fold(first, second), fold(third, fourth));
        }

        private Object set(Staging staging, int operand, MemorySegment x, long start) {
            return ((read | written) >> operand & 1) == 0 ? null : staging.set(operand, layout, x, start);
        }

        /// {@return the array of the lanes, which start with the identity}
        private Object lanes(Staging staging) {
            if (fold == null) {
                return null;
            }
            Object array = staging.array(Staging.LANES, lanesLayout);
            if (array instanceof double[] doubles) {
                Arrays.fill(doubles, 0, allLanes, fold.identity);
            } else {
                Arrays.fill((float[]) array, 0, allLanes, (float) fold.identity);
            }
            return array;
        }
    }
}
