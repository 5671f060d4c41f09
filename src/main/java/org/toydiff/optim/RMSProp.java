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

    /// Creates an optimizer with α = 0.99, ε = 1e-8 and no momentum; the methods below change its settings.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public RMSProp(List<Tensor> parameters, double lr) {
        super(parameters, lr, "square_avg");
    }

    /// Sets α, the decay rate of the mean v.
    ///
    /// @param alpha α, in [0, 1); 0.99 by default
    /// @return this
    /// @throws IllegalArgumentException if it is out of range
    public RMSProp alpha(double alpha) {
        this.alpha = require("alpha", alpha, alpha >= 0 && alpha < 1);
        return this;
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; 1e-8 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public RMSProp epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return this;
    }

    /// Sets the momentum.
    ///
    /// **Memory** with a momentum other than 0 each parameter has a tensor b, made in the innermost arena.
    ///
    /// @param momentum μ, the factor of the old b, 0 or more; 0, no momentum, by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    /// @throws IllegalStateException if it changes between 0 and another value after a step
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
