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
    /// Elements per part.
    private static final long PART = 1 << 15;

    /// Elements per call of a kernel. With short calls the compiler compiles the method as a whole, and not first
    /// its loop from the middle (on-stack replacement), where it does not know the code in front of the loop (see
    /// [org.toydiff.internal.kernels]): the first epoch of Fashion-MNIST then takes 4 seconds instead of 5.5.
    private static final long CALL = 1 << 10;

    /// Set by the caller before [#run].
    public final Coefficients coefficients = new Coefficients();

    private Kernel.Pass kernel;
    private double[] parameters;
    private MemorySegment p;
    private MemorySegment g;
    private MemorySegment m;
    private MemorySegment v;
    private long p0;
    private long g0;
    private long m0;
    private long v0;
    private long n;

    /// The sum of each part.
    private double[] sums = new double[16];

    /// Processes `n` contiguous elements of each operand; gradient, first and second may be null where the kernel
    /// does not read them. Offsets are in elements.
    ///
    /// @return the total of the parts' sums, added in order; 0 if the kernel sums nothing
    public double run(
            UpdateKernel kernel,
            boolean wide,
            long n,
            MemorySegment parameter,
            long parameterAt,
            MemorySegment gradient,
            long gradientAt,
            MemorySegment first,
            long firstAt,
            MemorySegment second,
            long secondAt) {
        this.kernel = kernel.of(wide);
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
        int parts = Math.toIntExact(parts(n, PART));
        if (parts > sums.length) {
            sums = new double[parts];
        }
        Arrays.fill(sums, 0, parts, 0);
        Workers.run(this, parts);
        p = null;
        g = null;
        m = null;
        v = null;
        double sum = 0;
        for (int i = 0; i < parts; i++) {
            sum += sums[i];
        }
        return sum;
    }

    @Override
    protected void part(long index) {
        long end = Math.min(n, (index + 1) * PART);
        double sum = 0;
        for (long at = index * PART; at < end; at += CALL) {
            sum += call(at, Math.min(CALL, end - at));
        }
        sums[(int) index] = sum;
    }

    private double call(long at, long count) {
        return kernel.run(p, p0 + at, g, g0 + at, m, m0 + at, v, v0 + at, count, parameters);
    }
}
