package org.toydiff;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.Runs;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One optimizer step of one parameter under way: a pass over parameter, gradient and state. One object for each
/// thread, as [ElementWork].
final class UpdateWork extends Work {
    /// So many elements make a part.
    private static final long PART = 1 << 15;

    private Runs runs;
    private boolean adam;
    private MemorySegment p;
    private MemorySegment g;
    private MemorySegment m;
    private MemorySegment v;
    private long p0;
    private long g0;
    private long m0;
    private long v0;
    private long n;
    private double rate;
    private double momentum;
    private double beta1;
    private double beta2;
    private double scale;
    private double epsilon;

    /// The velocity may be null, without momentum.
    void sgd(Tensor parameter, Tensor gradient, Tensor velocity, double rate, double momentum) {
        adam = false;
        this.rate = rate;
        this.momentum = momentum;
        run(parameter, gradient, velocity, null);
    }

    void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            double rate,
            double beta1,
            double beta2,
            double scale,
            double epsilon) {
        adam = true;
        this.rate = rate;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.scale = scale;
        this.epsilon = epsilon;
        run(parameter, gradient, first, second);
    }

    private void run(Tensor parameter, Tensor gradient, Tensor first, Tensor second) {
        runs = Runs.of(parameter.isWide());
        n = parameter.size();
        p = parameter.storage.segment();
        p0 = parameter.offset;
        g = gradient.storage.segment();
        g0 = gradient.offset;
        m = first == null ? null : first.storage.segment();
        m0 = first == null ? 0 : first.offset;
        v = second == null ? null : second.storage.segment();
        v0 = second == null ? 0 : second.offset;
        Workers.run(this, Math.toIntExact((n + PART - 1) / PART));
        p = null;
        g = null;
        m = null;
        v = null;
    }

    @Override
    protected void part(int index) {
        long at = index * PART;
        long count = Math.min(PART, n - at);
        if (adam) {
            runs.adam(p, p0 + at, g, g0 + at, m, m0 + at, v, v0 + at, count, rate, beta1, beta2, scale, epsilon);
        } else if (m != null) {
            runs.sgdMomentum(p, p0 + at, g, g0 + at, m, m0 + at, count, rate, momentum);
        } else {
            runs.sgd(p, p0 + at, g, g0 + at, count, rate);
        }
    }
}
