package org.toydiff.train;

import org.toydiff.Tensor;

/// What training makes small: a scalar computed from output and target, as the losses of
/// [org.toydiff.nn.Functional] are.
///
/// The loss of a batch must be the mean over its examples, so that batches, and the parts of one, weigh as many
/// examples as they have.
@FunctionalInterface
public interface Loss {
    /// The loss of a batch, by ops alone: no elements may be read.
    ///
    /// @param output what the model gave
    /// @param target what was asked for
    /// @return a scalar
    Tensor of(Tensor output, Tensor target);
}
