package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adam: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1, with ε outside the root
/// as in PyTorch: `d = g + decay·p`, `m ← β₁·m + (1 − β₁)·d`, `v ← β₂·v + (1 − β₂)·d²`,
/// `p ← p − lr / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`.
public final class Adam extends AdaptiveMoments {
    /// With β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public Adam(List<Tensor> parameters, double lr) {
        this(parameters, lr, 0.9, 0.999, 1e-8);
    }

    /// With settings of one's own.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param beta1 what is kept of the first moment, in [0, 1)
    /// @param beta2 what is kept of the second moment, in [0, 1)
    /// @param epsilon what keeps the divisor from 0, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public Adam(List<Tensor> parameters, double lr, double beta1, double beta2, double epsilon) {
        this(parameters, lr, beta1, beta2, epsilon, 0);
    }

    /// With an L2 penalty too.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param beta1 what is kept of the first moment, in [0, 1)
    /// @param beta2 what is kept of the second moment, in [0, 1)
    /// @param epsilon what keeps the divisor from 0, 0 or more
    /// @param weightDecay the weight decay, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public Adam(List<Tensor> parameters, double lr, double beta1, double beta2, double epsilon, double weightDecay) {
        super(parameters, lr, beta1, beta2, epsilon, weightDecay);
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
