package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// LARS, for large batches: Y. You, I. Gitman, B. Ginsburg, "Large batch training of convolutional networks", 2017,
/// algorithm 1: a rate for each parameter from the norms of it and of its gradient,
/// `λ = trust·‖p‖ / (‖g‖ + decay·‖p‖)`, `v ← μ·v + lr·λ·(g + decay·p)`, `p ← p − v`.
///
/// Where a norm is 0, λ is 1, so that parameters that begin as zeros do begin. Momentum is that of the paper: the
/// rate goes into the velocity. Biases and norms are often put in a group with weight decay 0.
public final class LARS extends Optimizer {
    private final double momentum;
    private final double trust;

    /// With momentum 0.9, no weight decay and trust 0.001.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public LARS(List<Tensor> parameters, double lr) {
        this(parameters, lr, 0.9, 0, 0.001);
    }

    /// With settings of one's own.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param momentum μ, what is kept of the velocity, 0 or more
    /// @param weightDecay the weight decay, 0 or more
    /// @param trust how much of a parameter's norm a step may be, more than 0
    /// @throws IllegalArgumentException if a setting is out of range
    public LARS(List<Tensor> parameters, double lr, double momentum, double weightDecay, double trust) {
        super(parameters, lr, weightDecay, "momentum_buffer");
        this.momentum = require("momentum", momentum, momentum >= 0);
        this.trust = require("trust", trust, trust > 0);
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double norm = Updates.norm(parameter);
        double gradientNorm = Updates.norm(gradient);
        double decay = group.weightDecay();
        double local = norm > 0 && gradientNorm > 0 ? trust * norm / (gradientNorm + decay * norm) : 1;
        Updates.sgd(parameter, gradient, state[0], 1, group.lr() * local, momentum, false, decay);
    }
}
