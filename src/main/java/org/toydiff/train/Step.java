package org.toydiff.train;

import org.toydiff.data.Batch;

/// A step of a training.
interface Step extends AutoCloseable {
    /// Trains on a batch. If it fails before the optimizer steps, or is skipped, parameters, buffers and the state
    /// of the optimizer are unchanged.
    ///
    /// @param examples the number of examples of the batch, with those that other processes have
    /// @return the loss of the batch
    double train(Batch batch, long examples);

    /// {@return the norm of the last step's gradients before clipping, NaN if they were not clipped}
    double gradientNorm();

    /// {@return whether the last step was skipped, because its loss or a gradient was not finite}
    boolean skipped();

    /// {@return the peak of live bytes in the last step}
    long peakBytes();

    /// {@return the divisor of the last batch's loss, NaN if it is not recorded}
    double denominator();

    @Override
    void close();
}
