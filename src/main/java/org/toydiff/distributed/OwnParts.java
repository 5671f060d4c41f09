package org.toydiff.distributed;

import org.toydiff.Tensor;
import org.toydiff.optim.Division;

/// The division of the optimizer's state by [DataParallel].
final class OwnParts implements Division {
    private final Layout layout;
    private final int rank;

    /// Set once the state is divided.
    private DataParallel parallel;

    OwnParts(Layout layout, int rank) {
        this.layout = layout;
        this.rank = rank;
    }

    void serve(DataParallel parallel) {
        this.parallel = parallel;
    }

    @Override
    public long from(int parameter) {
        return layout.from(parameter, rank);
    }

    @Override
    public long to(int parameter) {
        return layout.to(parameter, rank);
    }

    @Override
    public Tensor gradient(int parameter) {
        return parallel.ownGradient(parameter);
    }

    @Override
    public void sum(double[] numbers) {
        parallel.sum(numbers);
    }

    @Override
    public Tensor whole(int parameter, Tensor own) {
        return parallel.whole(parameter, own);
    }
}
