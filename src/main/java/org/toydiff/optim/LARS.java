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
    private double momentum = 0.9;
    private double trust = 0.001;

    /// With momentum 0.9, no weight decay and trust 0.001. The methods that follow change a setting of this.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    public LARS(List<Tensor> parameters, double lr) {
        super(parameters, lr, "momentum_buffer");
    }

    /// Sets the momentum. The velocity is kept also where that is 0.
    ///
    /// @param momentum μ, the share of the velocity that is kept, 0 or more, 0.9 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public LARS momentum(double momentum) {
        this.momentum = require("momentum", momentum, momentum >= 0);
        return this;
    }

    /// Sets how large a step may be, as a share of the parameter's norm.
    ///
    /// @param trust the share, more than 0, 0.001 without this call
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
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        double norm = Updates.norm(parameter);
        double gradientNorm = Updates.norm(gradient);
        double decay = group.weightDecay();
        double local = norm > 0 && gradientNorm > 0 ? trust * norm / (gradientNorm + decay * norm) : 1;
        Updates.sgd(parameter, gradient, state[0], 1, group.lr() * local, momentum, false, decay);
    }
}
