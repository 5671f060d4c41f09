package org.toydiff.optim;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// RMSProp: T. Hinton, "Neural networks for machine learning", lecture 6e, 2012, as PyTorch's RMSprop:
/// `d = g + decay·p`, `v ← α·v + (1 − α)·d²`, `b ← μ·b + d / (√v + ε)`, `p ← p − lr·b`; centered, with
/// `m ← α·m + (1 − α)·d` and `v − m²` in the place of v.
public final class RMSProp extends Optimizer {
    private double alpha = 0.99;
    private double epsilon = 1e-8;
    private double momentum;
    private boolean centered;

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
        keep("momentum", stateNames(momentum, centered));
        this.momentum = momentum;
        return this;
    }

    /// Divides by the deviation of the gradients from their running mean m instead of their size: A. Graves,
    /// "Generating sequences with recurrent neural networks", 2013.
    ///
    /// **Memory** each parameter has a tensor m, `grad_avg`, made in the innermost arena.
    ///
    /// @return this
    /// @throws IllegalStateException after a step
    public RMSProp centered() {
        keep("centered", stateNames(momentum, true));
        centered = true;
        return this;
    }

    private static String[] stateNames(double momentum, boolean centered) {
        List<String> names = new ArrayList<>(List.of("square_avg"));
        if (centered) {
            names.add("grad_avg");
        }
        if (momentum != 0) {
            names.add("momentum_buffer");
        }
        return names.toArray(String[]::new);
    }

    @Override
    public RMSProp weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return this;
    }

    @Override
    public RMSProp maximize() {
        super.maximize();
        return this;
    }

    @Override
    protected boolean isElementwise() {
        return true;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double decay = group.weightDecay();
        if (centered) {
            Tensor velocity = momentum == 0 ? null : state[2];
            Updates.centered(
                    parameter, gradient, state[1], state[0], velocity, group.lr(), alpha, epsilon, momentum, decay);
        } else if (momentum == 0) {
            Updates.adaptive(parameter, gradient, state[0], group.lr(), alpha, 1 - alpha, epsilon, decay);
        } else {
            Updates.adaptive(
                    parameter, gradient, state[0], state[1], group.lr(), alpha, 1 - alpha, epsilon, momentum, decay);
        }
    }
}
