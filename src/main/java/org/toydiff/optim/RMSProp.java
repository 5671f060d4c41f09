package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// RMSProp: T. Hinton, "Neural networks for machine learning", lecture 6e, 2012, as PyTorch's RMSprop:
/// `d = g + decay·p`, `v ← α·v + (1 − α)·d²`, `b ← μ·b + d / (√v + ε)`, `p ← p − lr·b`.
public final class RMSProp extends Optimizer {
    private double alpha = 0.99;
    private double epsilon = 1e-8;
    private double momentum;

    /// With α = 0.99, ε = 1e-8 and no momentum. The methods that follow change a setting of this.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public RMSProp(List<Tensor> parameters, double lr) {
        super(parameters, lr, "square_avg");
    }

    /// Sets α, the share of v that is kept.
    ///
    /// @param alpha α, in [0, 1), 0.99 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is out of range
    public RMSProp alpha(double alpha) {
        this.alpha = require("alpha", alpha, alpha >= 0 && alpha < 1);
        return this;
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more, 1e-8 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public RMSProp epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return this;
    }

    /// Sets the momentum.
    ///
    /// **Memory** a momentum other than 0 keeps b for each parameter, made in the innermost arena.
    ///
    /// @param momentum μ, the share of b that is kept, 0 or more; 0, for none, without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    /// @throws IllegalStateException if steps have been made without momentum and there is one now, or the reverse
    public RMSProp momentum(double momentum) {
        require("momentum", momentum, momentum >= 0);
        keep("momentum", momentum == 0 ? new String[] {"square_avg"} : new String[] {"square_avg", "momentum_buffer"});
        this.momentum = momentum;
        return this;
    }

    @Override
    public RMSProp weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return this;
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
