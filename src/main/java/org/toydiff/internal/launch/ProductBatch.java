package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Work;

/// Products `y = a·b + beta·y` in progress, without the division into tiles and their arithmetic, which a subclass has:
/// the sizes, the batch, and the operations that follow a tile while it is in the cache.
abstract class ProductBatch extends Work {
    int m;
    int n;
    int k;
    MemorySegment a;
    MemorySegment b;
    MemorySegment y;
    long a0;
    long b0;
    long y0;
    double beta;

    // The batch: its axes, and the strides along them.
    private long[] batchShape;
    private long[] batchA;
    private long[] batchB;
    long batches;

    // Operations that follow a tile; null if absent.
    MemorySegment bias;
    long bias0;
    long biasStep;
    Kernel.Unary activation;

    /// Overwrites y's old elements, the activation's output, with the gradient through it.
    Kernel.Binary gradient;

    /// Whether tiles are to be those of a product that goes through a gradient, though it does not.
    boolean beforeGradient;

    final void bias(MemorySegment bias, long biasAt, long step) {
        this.bias = bias;
        bias0 = biasAt;
        biasStep = step;
    }

    /// Applies an activation to each tile from now on. Ended by [#plain()].
    public final void activate(Kernel.Unary kernel) {
        activation = kernel;
    }

    /// Passes each tile from now on through an activation's gradient, given y's old elements, the activation's
    /// output, and writes the result to y. Ended by [#plain()].
    public final void throughGradient(Kernel.Binary kernel) {
        gradient = kernel;
    }

    /// Divides products from now on as those that go [through a gradient][#throughGradient], so that a gradient applied
    /// afterwards gives the bits of theirs. Ended by [#plain()].
    public final void beforeGradient() {
        beforeGradient = true;
    }

    /// Ends all operations that follow a tile.
    public final void plain() {
        bias = null;
        activation = null;
        gradient = null;
        beforeGradient = false;
    }

    /// Sets the result, and the axes of the batch with the operands' strides along them.
    final void begin(double beta, MemorySegment y, long yAt, long[] shape, long[] aStrides, long[] bStrides) {
        this.beta = beta;
        this.y = y;
        y0 = yAt;
        batchShape = shape;
        batchA = aStrides;
        batchB = bStrides;
        batches = Shape.size(shape);
    }

    /// {@return where the first operand of a product begins}
    final long aAt(long batch) {
        return a0 + Shape.offset(batch, batchShape, batchA);
    }

    /// {@return where the second operand of a product begins}
    final long bAt(long batch) {
        return b0 + Shape.offset(batch, batchShape, batchB);
    }

    /// {@return where the result of a product begins}
    final long yAt(long batch) {
        return y0 + batch * m * n;
    }

    final void forget() {
        a = null;
        b = null;
        y = null;
    }
}
