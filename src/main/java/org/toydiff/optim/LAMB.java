package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// LAMB, for large batches: Y. You et al., "Large batch optimization for deep learning: training BERT in 76
/// minutes", 2020, algorithm 2 with φ the identity: Adam's step r, weight decay included, scaled to the norm of the
/// parameter, `r = m̂ / (√v̂ + ε) + decay·p`, `p ← p − lr·‖p‖/‖r‖·r`.
///
/// Where a norm is 0 the ratio is 1.
public final class LAMB extends AdaptiveMoments<LAMB> implements TrustRatio {
    /// Creates an optimizer with β₁ = 0.9, β₂ = 0.999, ε = 1e-6 and weight decay 0.01.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public LAMB(List<Tensor> parameters, double lr) {
        super(parameters, lr, 1e-6, 0.01);
    }

    @Override
    LAMB self() {
        return this;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        Updates.lamb(
                parameter, gradient, state[0], state[1], step, group.lr(), beta1, beta2, epsilon, group.weightDecay());
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
        Updates.lambMoments(
                parameter, gradient, state[0], state[1], step, beta1, beta2, epsilon, group.weightDecay(), squares, at);
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
        double ratio = parameterNorm > 0 && norm > 0 ? parameterNorm / norm : 1;
        Updates.lambStep(
                parameter, state[0], state[1], step, group.lr() * ratio, beta1, beta2, epsilon, group.weightDecay());
    }
}
