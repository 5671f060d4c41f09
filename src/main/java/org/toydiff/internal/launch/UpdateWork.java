package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.internal.kernels.Coefficients;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.UpdateKernel;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One optimizer step of one parameter in progress: a pass over parameter, gradient and state. One object per
/// thread, like [ElementWork].
public final class UpdateWork extends Work {
    /// The number of consecutive elements that are added to one partial sum. It divides [#PART] and is a multiple of
    /// [#CALL].
    public static final int UNIT = 1 << 12;

    /// Elements per part.
    private static final long PART = 1 << 15;

    /// Elements per call of a kernel. With short calls the compiler compiles the method as a whole, and not first
    /// its loop from the middle (on-stack replacement), where it does not know the code in front of the loop (see
    /// [org.toydiff.internal.kernels]): the first epoch of Fashion-MNIST then takes 4 seconds instead of 5.5.
    private static final long CALL = 1 << 10;

    /// Set by the caller before [#run].
    public final Coefficients coefficients = new Coefficients();

    private Kernel.Pass kernel;
    private ElementKind kind;
    private double[] parameters;
    private MemorySegment p;
    private MemorySegment g;
    private MemorySegment m;
    private MemorySegment v;
    private MemorySegment w;
    private long p0;
    private long g0;
    private long m0;
    private long v0;
    private long w0;
    private long n;

    /// The sum of each unit.
    private double[] sums = new double[16];

    /// Processes `n` contiguous elements of each operand; gradient, first, second and third may be null where the
    /// kernel does not read them. Offsets are in elements.
    ///
    /// @return the total of the sums of units of [#UNIT] elements, added in order; 0 if the kernel sums nothing
    public double run(
            UpdateKernel kernel,
            ElementKind kind,
            long n,
            MemorySegment parameter,
            long parameterAt,
            MemorySegment gradient,
            long gradientAt,
            MemorySegment first,
            long firstAt,
            MemorySegment second,
            long secondAt,
            MemorySegment third,
            long thirdAt) {
        this.kind = kind;
        this.kernel = kernel.of(kind == ElementKind.FLOAT64);
        parameters = coefficients.parameters();
        this.n = n;
        p = parameter;
        p0 = parameterAt;
        g = gradient;
        g0 = gradientAt;
        m = first;
        m0 = firstAt;
        v = second;
        v0 = secondAt;
        w = third;
        w0 = thirdAt;
        int units = Math.toIntExact(parts(n, UNIT));
        if (units > sums.length) {
            sums = new double[units];
        }
        Arrays.fill(sums, 0, units, 0);
        Workers.run(this, parts(n, PART));
        p = null;
        g = null;
        m = null;
        v = null;
        w = null;
        return total(sums, 0, units);
    }

    /// {@return the total of sums of units from `from` on, added in order}
    public static double total(double[] sums, int from, int units) {
        double total = 0;
        for (int i = 0; i < units; i++) {
            total += sums[from + i];
        }
        return total;
    }

    /// Copies the sums of the units of the last run.
    public void copySums(double[] to, int at) {
        System.arraycopy(sums, 0, to, at, (int) parts(n, UNIT));
    }

    @Override
    protected void part(long index) {
        long end = Math.min(n, (index + 1) * PART);
        for (long at = index * PART; at < end; at += CALL) {
            sums[(int) (at / UNIT)] += call(at, Math.min(CALL, end - at));
        }
    }

    private double call(long at, long count) {
        if (kind == ElementKind.BFLOAT16) {
            return widened(at, count);
        }
        return kernel.run(p, p0 + at, g, g0 + at, m, m0 + at, v, v0 + at, w, w0 + at, count, parameters, null);
    }

    /// Updates elements of BFLOAT16 as floats, and rounds those that a kernel may have changed.
    private double widened(long at, long count) {
        MemorySegment scratch = Scratch.take();
        try {
            widen(p, p0 + at, scratch, 0, count);
            widen(g, g0 + at, scratch, CALL, count);
            widen(m, m0 + at, scratch, 2 * CALL, count);
            widen(v, v0 + at, scratch, 3 * CALL, count);
            widen(w, w0 + at, scratch, 4 * CALL, count);
            double sum = kernel.run(
                    scratch,
                    0,
                    scratch,
                    CALL,
                    scratch,
                    2 * CALL,
                    scratch,
                    3 * CALL,
                    scratch,
                    4 * CALL,
                    count,
                    parameters,
                    null);
            round(scratch, 0, p, p0 + at, count);
            round(scratch, 2 * CALL, m, m0 + at, count);
            round(scratch, 3 * CALL, v, v0 + at, count);
            round(scratch, 4 * CALL, w, w0 + at, count);
            return sum;
        } finally {
            Scratch.give(scratch);
        }
    }

    private static void widen(MemorySegment x, long x0, MemorySegment scratch, long to, long count) {
        if (x != null) {
            Widened.widen(x, x0, scratch, to, count);
        }
    }

    private static void round(MemorySegment scratch, long from, MemorySegment x, long x0, long count) {
        if (x != null) {
            Widened.round(scratch, from, x, x0, count);
        }
    }
}
