package org.toydiff.optim;

import org.toydiff.Tensor;

/// An optimizer whose steps depend on the norm of the whole parameter and on a second one. It measures the squares of
/// the elements that it has and then steps, so that the elements may be divided among processes in between.
sealed interface TrustRatio permits LAMB, LARS {
    /// Computes the squares of the second norm, and puts the sum over each [org.toydiff.Updates#UNIT] elements into
    /// `squares` from `at` on.
    void measure(
            ParameterGroup group,
            Tensor parameter,
            Tensor gradient,
            Tensor[] state,
            long step,
            double[] squares,
            int at);

    /// Steps, with the norm of the whole parameter and the root of the total of all squares.
    void update(
            ParameterGroup group,
            Tensor parameter,
            Tensor gradient,
            Tensor[] state,
            long step,
            double parameterNorm,
            double norm);
}
