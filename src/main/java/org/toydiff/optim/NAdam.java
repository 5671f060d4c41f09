package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Adam with Nesterov's momentum: T. Dozat, "Incorporating Nesterov momentum into Adam", 2016, as PyTorch's NAdam:
/// moments m and v as [Adam]'s, `μₜ = β₁·(1 − ½·0.96^(t·ψ))`,
/// `p ← p − lr·((1 − μₜ) / (1 − μ₁⋯μₜ)·d + μₜ₊₁ / (1 − μ₁⋯μₜ₊₁)·m) / (√(v / (1 − β₂ᵗ)) + ε)`.
public final class NAdam extends AdaptiveMoments<NAdam> {
    private double momentumDecay = 0.004;
    private boolean decoupled;

    /// The product μ₁⋯μₜ of a step t, since one parameter after another asks for it.
    private long productStep;
    private double product = 1;

    /// Creates an optimizer with β₁ = 0.9, β₂ = 0.999, ε = 1e-8, ψ = 0.004 and no weight decay.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public NAdam(List<Tensor> parameters, double lr) {
        super(parameters, lr, 1e-8, 0);
    }

    @Override
    public NAdam betas(double beta1, double beta2) {
        super.betas(beta1, beta2);
        productStep = 0;
        return this;
    }

    /// Sets ψ, by which the momentum grows with the steps.
    ///
    /// @param momentumDecay ψ, 0 or more; 0.004 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public NAdam momentumDecay(double momentumDecay) {
        this.momentumDecay = require("momentumDecay", momentumDecay, momentumDecay >= 0);
        productStep = 0;
        return this;
    }

    /// Decouples the weight decay from the gradient, as [AdamW] does: `p ← (1 − lr·decay)·p − …`.
    ///
    /// @return this
    public NAdam decoupledWeightDecay() {
        decoupled = true;
        return this;
    }

    @Override
    NAdam self() {
        return this;
    }

    private double momentum(long step) {
        return beta1 * (1 - 0.5 * StrictMath.pow(0.96, step * momentumDecay));
    }

    /// Always multiplies from the first step on, so that a resumed optimizer has the same bits.
    private double product(long step) {
        if (step < productStep || productStep == 0) {
            productStep = 0;
            product = 1;
        }
        while (productStep < step) {
            product *= momentum(++productStep);
        }
        return product;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double product = product(step);
        double next = momentum(step + 1);
        double decay = group.weightDecay();
        Updates.nadam(
                parameter,
                gradient,
                state[0],
                state[1],
                step,
                group.lr() * (1 - momentum(step)) / (1 - product),
                group.lr() * next / (1 - product * next),
                beta1,
                beta2,
                epsilon,
                decoupled ? 0 : decay,
                decoupled ? 1 - group.lr() * decay : 1);
    }
}
