package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.internal.kernels.Coefficients;
import org.toydiff.internal.kernels.UpdateKernels;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One optimizer step of one parameter under way: a pass over parameter, gradient and state. One object for each
/// thread, as [ElementWork].
public final class UpdateWork extends Work {
    /// So many elements make a part.
    private static final long PART = 1 << 15;

    /// So many go to one call of a kernel. With short calls the compiler compiles the method as a whole, and not
    /// first its loop from the middle (on-stack replacement), where it does not know what stands in front of it
    /// (see [org.toydiff.internal.kernels]): the first epoch of Fashion-MNIST then takes 4 seconds instead of 5.5.
    private static final long CALL = 1 << 10;

    /// Which kernel of [UpdateKernels] runs.
    public enum Kind {
        DESCEND,
        MOMENTUM,
        ADAM,
        ADAPTIVE,
        ADAPTIVE_MOMENTUM,
        LAMB_MOMENTS,
        LAMB_STEP
    }

    /// Set by the caller before [#run].
    public final Coefficients coefficients = new Coefficients();

    private UpdateKernels kernels;
    private Kind kind;
    private MemorySegment p;
    private MemorySegment g;
    private MemorySegment m;
    private MemorySegment v;
    private long p0;
    private long g0;
    private long m0;
    private long v0;
    private long n;

    /// What each part summed up.
    private double[] sums = new double[16];

    /// Runs over `n` contiguous elements of each operand; of gradient, first and second those may be null that the
    /// kernel does not read. Offsets are in elements.
    ///
    /// @return the parts' sums together, in their order; 0 where the kernel sums nothing
    public double run(
            Kind kind,
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
        this.kind = kind;
        kernels = UpdateKernels.of(wide);
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
        Coefficients c = coefficients;
        switch (kind) {
            case DESCEND -> kernels.descend(p, p0 + at, g, g0 + at, count, c);
            case MOMENTUM -> kernels.momentum(p, p0 + at, g, g0 + at, v, v0 + at, count, c);
            case ADAM -> kernels.adam(p, p0 + at, g, g0 + at, m, m0 + at, v, v0 + at, count, c);
            case ADAPTIVE -> kernels.adaptive(p, p0 + at, g, g0 + at, v, v0 + at, count, c);
            case ADAPTIVE_MOMENTUM ->
                kernels.adaptiveMomentum(p, p0 + at, g, g0 + at, m, m0 + at, v, v0 + at, count, c);
            case LAMB_MOMENTS -> {
                return kernels.lambMoments(p, p0 + at, g, g0 + at, m, m0 + at, v, v0 + at, count, c);
            }
            case LAMB_STEP -> kernels.lambStep(p, p0 + at, m, m0 + at, v, v0 + at, count, c);
        }
        return 0;
    }
}
