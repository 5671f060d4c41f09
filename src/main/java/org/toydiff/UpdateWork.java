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

    private final MemorySegment[] memory = new MemorySegment[4];
    private final long[] starts = new long[4];
    private Runs runs;
    private boolean adam;
    private int operands;
    private long n;
    private double rate;
    private double momentum;
    private double beta1;
    private double beta2;
    private double scale;
    private double epsilon;

    void sgd(double rate, double momentum, Tensor... operands) {
        adam = false;
        this.rate = rate;
        this.momentum = momentum;
        run(operands);
    }

    void adam(double rate, double beta1, double beta2, double scale, double epsilon, Tensor... operands) {
        adam = true;
        this.rate = rate;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.scale = scale;
        this.epsilon = epsilon;
        run(operands);
    }

    private void run(Tensor[] tensors) {
        operands = tensors.length;
        for (int i = 0; i < operands; i++) {
            memory[i] = tensors[i].storage.segment();
            starts[i] = tensors[i].offset;
        }
        runs = Runs.of(tensors[0].isWide());
        n = tensors[0].size();
        Workers.run(this, Math.toIntExact((n + PART - 1) / PART));
        for (int i = 0; i < operands; i++) {
            memory[i] = null;
        }
    }

    @Override
    protected void part(int index) {
        long from = index * PART;
        long count = Math.min(PART, n - from);
        MemorySegment p = memory[0];
        MemorySegment g = memory[1];
        long p0 = starts[0] + from;
        long g0 = starts[1] + from;
        if (adam) {
            long m0 = starts[2] + from;
            long v0 = starts[3] + from;
            runs.adam(p, p0, g, g0, memory[2], m0, memory[3], v0, count, rate, beta1, beta2, scale, epsilon);
        } else if (operands == 3) {
            runs.sgdMomentum(p, p0, g, g0, memory[2], starts[2] + from, count, rate, momentum);
        } else {
            runs.sgd(p, p0, g, g0, count, rate);
        }
    }
}
