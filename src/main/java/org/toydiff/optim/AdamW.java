package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;

/// Adam with decoupled weight decay: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", 2019. As
/// [Adam], except that the decay is not part of the gradient: `p ← (1 − lr·decay)·p − …`, as PyTorch's AdamW.
public final class AdamW extends AdaptiveMoments<AdamW> {
    /// Creates an optimizer with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and weight decay 0.01.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public AdamW(List<Tensor> parameters, double lr) {
        super(parameters, lr, 1e-8, 0.01);
    }

    /// Divides by the largest second moment so far, in `max_exp_avg_sq`, instead of the current one: S. Reddi, S. Kale,
    /// S. Kumar, "On the convergence of Adam and beyond", 2018 (AMSGrad).
    ///
    /// **Memory** each parameter has that tensor too, made in the innermost arena.
    ///
    /// @return this
    /// @throws IllegalStateException after a step
    public AdamW amsgrad() {
        keepLargest();
        return this;
    }

    @Override
    AdamW self() {
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        adam(parameter, gradient, state, step, group.lr(), 0, 1 - group.lr() * group.weightDecay());
    }
}
