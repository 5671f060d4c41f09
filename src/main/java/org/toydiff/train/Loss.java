package org.toydiff.train;

import org.toydiff.Tensor;

/// What training makes small: a scalar computed from output and target, as the losses of
/// [org.toydiff.nn.Functional] are.
///
/// The loss of a batch must be the mean over its examples. Batches weigh as many examples as they have, unless the
/// loss tells what it divides by ([org.toydiff.nn.LossTerms]), as those of [org.toydiff.nn.Functional] and
/// [org.toydiff.nn.CrossEntropyLoss] do: then they weigh that. To be computed in parts of a batch
/// ([Trainer#microBatch]) it must tell; one of one's own does when it ends with
/// [org.toydiff.nn.Functional#reduce] or [org.toydiff.nn.Functional#meanOver].
@FunctionalInterface
public interface Loss {
    /// The loss of a batch, by ops alone: no elements may be read.
    ///
    /// @param output what the model gave
    /// @param target what was asked for
    /// @return a scalar
    Tensor of(Tensor output, Tensor target);
}
