package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;

/// What Adam and its kin have in common: means of gradients and of their squares, in `exp_avg` and `exp_avg_sq`.
abstract sealed class AdaptiveMoments extends Optimizer permits Adam, AdamW, LAMB {
    final double beta1;
    final double beta2;
    final double epsilon;

    AdaptiveMoments(
            List<Tensor> parameters, double lr, double beta1, double beta2, double epsilon, double weightDecay) {
        super(parameters, lr, weightDecay, "exp_avg", "exp_avg_sq");
        this.beta1 = require("beta1", beta1, beta1 >= 0 && beta1 < 1);
        this.beta2 = require("beta2", beta2, beta2 >= 0 && beta2 < 1);
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
    }
}
