package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adam by the infinity norm: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 2, as
/// PyTorch's Adamax: `d = g + decay·p`, `m ← β₁·m + (1 − β₁)·d`, `u ← max(β₂·u, |d| + ε)`,
/// `p ← p − lr / (1 − β₁ᵗ)·m / u`; m and u are `exp_avg` and `exp_inf`.
public final class Adamax extends AdaptiveMoments<Adamax> {
    /// Creates an optimizer with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no weight decay.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public Adamax(List<Tensor> parameters, double lr) {
        super(parameters, lr, 1e-8, 0, "exp_inf");
    }

    @Override
    Adamax self() {
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double decay = group.weightDecay();
        Updates.adamax(parameter, gradient, state[0], state[1], step, group.lr(), beta1, beta2, epsilon, decay);
    }
}
