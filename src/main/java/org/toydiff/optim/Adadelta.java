package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adadelta: M. Zeiler, "ADADELTA: an adaptive learning rate method", 2012, as PyTorch's: `d = g + decay·p`,
/// `v ← ρ·v + (1 − ρ)·d²`, `e = √(u + ε) / √(v + ε)·d`, `u ← ρ·u + (1 − ρ)·e²`, `p ← p − lr·e`; v and u are
/// `square_avg` and `acc_delta`.
public final class Adadelta extends Optimizer {
    private double rho = 0.9;
    private double epsilon = 1e-6;

    /// Creates an optimizer with ρ = 0.9, ε = 1e-6 and no weight decay.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more; 1 in the paper
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public Adadelta(List<Tensor> parameters, double lr) {
        super(parameters, lr, "square_avg", "acc_delta");
    }

    /// Sets ρ, the decay rate of the means.
    ///
    /// @param rho ρ, in [0, 1]; 0.9 by default
    /// @return this
    /// @throws IllegalArgumentException if it is out of range
    public Adadelta rho(double rho) {
        this.rho = require("rho", rho, rho >= 0 && rho <= 1);
        return this;
    }

    /// Sets ε, which keeps the divisor from 0 and begins the steps.
    ///
    /// @param epsilon ε, 0 or more; 1e-6 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public Adadelta epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return this;
    }

    @Override
    public Adadelta weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return this;
    }

    @Override
    public Adadelta maximize() {
        super.maximize();
        return this;
    }

    @Override
    protected boolean isElementwise() {
        return true;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        Updates.adadelta(parameter, gradient, state[0], state[1], group.lr(), rho, epsilon, group.weightDecay());
    }
}
