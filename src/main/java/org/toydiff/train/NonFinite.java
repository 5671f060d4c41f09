package org.toydiff.train;

/// The response of a [Trainer] to a loss or a gradient that is NaN or infinite. Outside a trainer,
/// [org.toydiff.optim.Gradients#areFinite] checks gradients.
public enum NonFinite {
    /// Ends the training with an ArithmeticException before the optimizer steps.
    STOP,

    /// Skips the step: parameters, buffers and the state of the optimizer stay as they are, and schedulers of steps
    /// do not step. The history counts skipped steps. A loss that is not finite is left out of the mean over the
    /// epoch, and its outputs out of the metrics.
    SKIP,

    /// Makes the step, which may spoil the parameters.
    ALLOW
}
