package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;

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

    /// Divides by the largest second moment so far, in `max_exp_avg_sq`, instead of the current one: S. Reddi, S. Kale,
    /// S. Kumar, "On the convergence of Adam and beyond", 2018 (AMSGrad).
    ///
    /// **Memory** each parameter has that tensor too, made in the innermost arena.
    ///
    /// @return this
    /// @throws IllegalStateException after a step
    public Adam amsgrad() {
        keepLargest();
        return this;
    }

    @Override
    Adam self() {
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        adam(parameter, gradient, state, step, group.lr(), group.weightDecay(), 1);
    }
}
