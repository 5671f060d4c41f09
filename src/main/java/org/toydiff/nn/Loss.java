package org.toydiff.nn;

import org.toydiff.Tensor;

/// A scalar computed from output and target, which training makes small; the losses of [Functional] are such.
///
/// The loss of a batch must be the mean over its examples. Batches weigh as many examples as they have, unless the
/// loss records what it divides by in [LossTerms], as those of [Functional] and [CrossEntropyLoss] do: then they
/// weigh that. To be computed in micro-batches, parts of a batch, a loss must record it; one of the caller's own
/// does when it ends with [Functional#reduce] or [Functional#meanOver].
@FunctionalInterface
public interface Loss {
    /// The loss of a batch, by ops alone: no elements may be read.
    ///
    /// @param output the output of the model
    /// @param target what the output should be
    /// @return a scalar
    Tensor of(Tensor output, Tensor target);
}
