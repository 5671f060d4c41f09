package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// The base of Adam and its variants: running means of the gradients, in `exp_avg`, and of their squares, in
/// `exp_avg_sq`, or another measure of their size.
///
/// @param <S> the optimizer itself, which the settings return
abstract sealed class AdaptiveMoments<S extends AdaptiveMoments<S>> extends Optimizer
        permits Adam, AdamW, Adamax, LAMB, NAdam, RAdam {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon;
    private boolean largest;

    AdaptiveMoments(List<Tensor> parameters, double lr, double epsilon, double weightDecay) {
        this(parameters, lr, epsilon, weightDecay, "exp_avg_sq");
    }

    AdaptiveMoments(List<Tensor> parameters, double lr, double epsilon, double weightDecay, String second) {
        super(parameters, lr, "exp_avg", second);
        this.epsilon = epsilon;
        super.weightDecay(weightDecay);
    }

    abstract S self();

    /// Sets the decay rates of the running means.
    ///
    /// @param beta1 β₁, of the mean of the gradients, in [0, 1); 0.9 by default
    /// @param beta2 β₂, of the mean of their squares, or of the maximum in [Adamax], in [0, 1); 0.999 by default
    /// @return this
    /// @throws IllegalArgumentException if one is out of range
    public S betas(double beta1, double beta2) {
        require("beta1", beta1, beta1 >= 0 && beta1 < 1);
        require("beta2", beta2, beta2 >= 0 && beta2 < 1);
        this.beta1 = beta1;
        this.beta2 = beta2;
        return self();
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; the constructor names the default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public S epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return self();
    }

    @Override
    public S weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return self();
    }

    @Override
    public S maximize() {
        super.maximize();
        return self();
    }

    @Override
    protected boolean isElementwise() {
        return !(this instanceof TrustRatio);
    }

    /// Gives each parameter the largest second moment so far, by which [#adam] then divides.
    final void keepLargest() {
        keep("amsgrad", "exp_avg", "exp_avg_sq", "max_exp_avg_sq");
        largest = true;
    }

    /// A step of Adam, with a weight decay that is part of the gradient and one that is not.
    final void adam(
            Tensor parameter, Tensor gradient, Tensor[] state, long step, double lr, double decay, double scale) {
        if (largest) {
            Updates.amsgrad(
                    parameter, gradient, state[0], state[1], state[2], step, lr, beta1, beta2, epsilon, decay, scale);
        } else {
            Updates.adam(parameter, gradient, state[0], state[1], step, lr, beta1, beta2, epsilon, decay, scale);
        }
    }
}
