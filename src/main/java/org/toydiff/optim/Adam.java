package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adam: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1, with ε outside the
/// root as in PyTorch: `d = g + decay·p`, `m ← β₁·m + (1 − β₁)·d`, `v ← β₂·v + (1 − β₂)·d²`,
/// `p ← p − lr / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`.
public final class Adam extends AdaptiveMoments<Adam> {
    /// Creates an optimizer with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public Adam(List<Tensor> parameters, double lr) {
        super(parameters, lr, 1e-8, 0);
    }

    @Override
    Adam self() {
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        Updates.adam(
                parameter,
                gradient,
                state[0],
                state[1],
                step,
                group.lr(),
                beta1,
                beta2,
                epsilon,
                group.weightDecay(),
                1);
    }
}
