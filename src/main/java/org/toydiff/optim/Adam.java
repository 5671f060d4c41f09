package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adam: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1, with ε outside the
/// root as in PyTorch.
///
/// `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, `p ← p − lr / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`
public final class Adam extends Optimizer {
    private final double lr;
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final List<Tensor> firstMoments;
    private final List<Tensor> secondMoments;
    private long steps;

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
        super(parameters);
        this.lr = require("lr", lr, lr >= 0);
        this.beta1 = require("beta1", beta1, beta1 >= 0 && beta1 < 1);
        this.beta2 = require("beta2", beta2, beta2 >= 0 && beta2 < 1);
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        this.firstMoments = zerosLikeParameters();
        this.secondMoments = zerosLikeParameters();
    }

    @Override
    protected void beginStep() {
        steps++;
    }

    @Override
    protected void update(int index, Tensor parameter, Tensor gradient) {
        Updates.adam(
                parameter,
                gradient,
                firstMoments.get(index),
                secondMoments.get(index),
                steps,
                lr,
                beta1,
                beta2,
                epsilon);
    }
}
