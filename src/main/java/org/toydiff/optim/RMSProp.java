package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// RMSProp: T. Hinton, "Neural networks for machine learning", lecture 6e, 2012, as PyTorch's RMSprop:
/// `d = g + decay·p`, `v ← α·v + (1 − α)·d²`, `b ← μ·b + d / (√v + ε)`, `p ← p − lr·b`.
public final class RMSProp extends Optimizer {
    private final double alpha;
    private final double epsilon;
    private final double momentum;

    /// With α = 0.99, ε = 1e-8 and no momentum.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public RMSProp(List<Tensor> parameters, double lr) {
        this(parameters, lr, 0.99, 1e-8, 0, 0);
    }

    /// With settings of one's own.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param alpha α, what is kept of v, in [0, 1)
    /// @param epsilon what keeps the divisor from 0, 0 or more
    /// @param momentum μ, what is kept of b, 0 or more; with 0 there is none
    /// @param weightDecay the weight decay, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public RMSProp(
            List<Tensor> parameters, double lr, double alpha, double epsilon, double momentum, double weightDecay) {
        super(
                parameters,
                lr,
                weightDecay,
                momentum == 0 ? new String[] {"square_avg"} : new String[] {"square_avg", "momentum_buffer"});
        this.alpha = require("alpha", alpha, alpha >= 0 && alpha < 1);
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        this.momentum = require("momentum", momentum, momentum >= 0);
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double decay = group.weightDecay();
        if (momentum == 0) {
            Updates.adaptive(parameter, gradient, state[0], group.lr(), alpha, 1 - alpha, epsilon, decay);
        } else {
            Updates.adaptive(
                    parameter, gradient, state[0], state[1], group.lr(), alpha, 1 - alpha, epsilon, momentum, decay);
        }
    }
}
