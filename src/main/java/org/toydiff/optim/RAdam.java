package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Rectified Adam: L. Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, as PyTorch's RAdam:
/// [Adam] whose step is not scaled by the second moment while that has seen too few gradients, and is shortened by the
/// rectification term of [Updates#radam] afterwards.
public final class RAdam extends AdaptiveMoments<RAdam> {
    private boolean decoupled;

    /// Creates an optimizer with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no weight decay.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public RAdam(List<Tensor> parameters, double lr) {
        super(parameters, lr, 1e-8, 0);
    }

    /// Decouples the weight decay from the gradient, as [AdamW] does: `p ← (1 − lr·decay)·p − …`.
    ///
    /// @return this
    public RAdam decoupledWeightDecay() {
        decoupled = true;
        return this;
    }

    @Override
    RAdam self() {
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double decay = group.weightDecay();
        Updates.radam(
                parameter,
                gradient,
                state[0],
                state[1],
                step,
                group.lr(),
                beta1,
                beta2,
                epsilon,
                decoupled ? 0 : decay,
                decoupled ? 1 - group.lr() * decay : 1);
    }
}
