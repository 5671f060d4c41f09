package org.toydiff.nn;

import org.toydiff.Tensor;

/// A scalar computed from output and target, to be minimised by training, as the losses of [Functional] are.
///
/// The loss of a batch must be the mean over its examples. Batches are weighted by their numbers of examples,
/// unless the loss records its divisor in [LossTerms], as those of [Functional] and [CrossEntropyLoss] do: then by
/// that. A loss can be computed in micro-batches, parts of a batch, only if it records its divisor; a custom loss
/// does when it ends with [Functional#reduce] or [Functional#meanOver].
@FunctionalInterface
public interface Loss {
    /// Computes the loss of a batch by ops alone; no elements may be read.
    ///
    /// @param output the output of the model
    /// @param target the expected output
    /// @return a scalar
    Tensor of(Tensor output, Tensor target);
}
