package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Stochastic gradient descent: `v ← μ·v + g`, `p ← p − lr·v`, as PyTorch's SGD with momentum μ and no
/// dampening.
public final class SGD extends Optimizer {
    private final double lr;
    private final double momentum;
    private final List<Tensor> velocities;

    /// Without momentum.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public SGD(List<Tensor> parameters, double lr) {
        this(parameters, lr, 0);
    }

    /// With momentum.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param momentum what is kept of the velocity, 0 or more; with 0 there is none
    /// @throws IllegalArgumentException if a setting is out of range
    public SGD(List<Tensor> parameters, double lr, double momentum) {
        super(parameters);
        this.lr = require("lr", lr, lr >= 0);
        this.momentum = require("momentum", momentum, momentum >= 0);
        this.velocities = momentum == 0 ? List.of() : zerosLikeParameters();
    }

    @Override
    protected void update(int index, Tensor parameter, Tensor gradient) {
        if (momentum == 0) {
            Updates.sgd(parameter, gradient, lr);
        } else {
            Updates.sgd(parameter, gradient, velocities.get(index), lr, momentum);
        }
    }
}
