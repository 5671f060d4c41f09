package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adagrad: J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods", 2011, as PyTorch's: `d = g + decay·p`,
/// `v ← v + d²`, `p ← p − lr / (1 + (t − 1)·rateDecay) · d / (√v + ε)`.
public final class Adagrad extends Optimizer {
    private final double rateDecay;
    private final double epsilon;

    /// With ε = 1e-10 and a rate that does not decay.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public Adagrad(List<Tensor> parameters, double lr) {
        this(parameters, lr, 0, 1e-10, 0);
    }

    /// With settings of one's own.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param rateDecay how fast the rate decays, 0 or more
    /// @param epsilon what keeps the divisor from 0, 0 or more
    /// @param weightDecay the weight decay, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public Adagrad(List<Tensor> parameters, double lr, double rateDecay, double epsilon, double weightDecay) {
        super(parameters, lr, weightDecay, "sum");
        this.rateDecay = require("rateDecay", rateDecay, rateDecay >= 0);
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double rate = group.lr() / (1 + (step - 1) * rateDecay);
        Updates.adaptive(parameter, gradient, state[0], rate, 1, 1, epsilon, group.weightDecay());
    }
}
