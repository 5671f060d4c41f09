package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// LARS, for large batches: Y. You, I. Gitman, B. Ginsburg, "Large batch training of convolutional networks",
/// 2017, algorithm 1: a rate for each parameter from its norm and that of its gradient,
/// `λ = trust·‖p‖ / (‖g‖ + decay·‖p‖)`, `v ← μ·v + lr·λ·(g + decay·p)`, `p ← p − v`.
///
/// Where a norm is 0, λ is 1, so that parameters that start as zeros can move. Momentum is that of the paper: the
/// rate is part of the velocity. Biases and the parameters of normalisation layers are often put in a group with
/// weight decay 0.
public final class LARS extends Optimizer implements TrustRatio {
    private double momentum = 0.9;
    private double trust = 0.001;

    /// Creates an optimizer with momentum 0.9, no weight decay and trust 0.001; the methods below change its
    /// settings.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public LARS(List<Tensor> parameters, double lr) {
        super(parameters, lr, "momentum_buffer");
    }

    /// Sets the momentum. Each parameter has a velocity even if it is 0.
    ///
    /// @param momentum μ, the factor of the old velocity, 0 or more; 0.9 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public LARS momentum(double momentum) {
        this.momentum = require("momentum", momentum, momentum >= 0);
        return this;
    }

    /// Sets the trust coefficient: the size of a step relative to the parameter's norm.
    ///
    /// @param trust the coefficient, positive; 0.001 by default
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public LARS trust(double trust) {
        this.trust = require("trust", trust, trust > 0);
        return this;
    }

    @Override
    public LARS weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return this;
    }

    @Override
    public LARS maximize() {
        super.maximize();
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        update(group, parameter, gradient, state, step, Updates.norm(parameter), Updates.norm(gradient));
    }

    @Override
    public void measure(
            ParameterGroup group,
            Tensor parameter,
            Tensor gradient,
            Tensor[] state,
            long step,
            double[] squares,
            int at) {
        Updates.squares(gradient, squares, at);
    }

    @Override
    public void update(
            ParameterGroup group,
            Tensor parameter,
            Tensor gradient,
            Tensor[] state,
            long step,
            double parameterNorm,
            double norm) {
        double decay = group.weightDecay();
        double local = parameterNorm > 0 && norm > 0 ? trust * parameterNorm / (norm + decay * parameterNorm) : 1;
        Updates.sgd(parameter, gradient, state[0], 1, group.lr() * local, momentum, false, decay);
    }
}
