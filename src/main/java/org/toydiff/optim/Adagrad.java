package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adagrad: J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods", 2011, as PyTorch's: `d = g + decay·p`,
/// `v ← v + d²`, `p ← p − lr / (1 + (t − 1)·lrDecay) · d / (√v + ε)`.
public final class Adagrad extends Optimizer {
    private double lrDecay;
    private double epsilon = 1e-10;

    /// Creates an optimizer with ε = 1e-10 and no decay of the rate; the methods below change its settings.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public Adagrad(List<Tensor> parameters, double lr) {
        super(parameters, lr, "sum");
    }

    /// Sets how fast the learning rate decays.
    ///
    /// @param lrDecay 0 or more; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public Adagrad lrDecay(double lrDecay) {
        this.lrDecay = require("lrDecay", lrDecay, lrDecay >= 0);
        return this;
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; 1e-10 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public Adagrad epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return this;
    }

    @Override
    public Adagrad weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return this;
    }

    @Override
    public Adagrad maximize() {
        super.maximize();
        return this;
    }

    @Override
    protected boolean isElementwise() {
        return true;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double rate = group.lr() / (1 + (step - 1) * lrDecay);
        Updates.adaptive(parameter, gradient, state[0], rate, 1, 1, epsilon, group.weightDecay());
    }
}
