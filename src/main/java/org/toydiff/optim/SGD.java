package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Stochastic gradient descent: `d = g + decay·p`, `v ← μ·v + d`, `p ← p − lr·v`, as PyTorch's SGD with momentum μ
/// and no dampening; with Nesterov's momentum `p ← p − lr·(d + μ·v)`.
public final class SGD extends Optimizer {
    private final double momentum;
    private final boolean nesterov;

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
        this(parameters, lr, momentum, 0, false);
    }

    /// With all settings.
    ///
    /// @param parameters what to change
    /// @param lr the learning rate, 0 or more
    /// @param momentum what is kept of the velocity, 0 or more; with 0 there is none
    /// @param weightDecay the weight decay, 0 or more
    /// @param nesterov whether to take Nesterov's momentum, which needs one
    /// @throws IllegalArgumentException if a setting is out of range
    public SGD(List<Tensor> parameters, double lr, double momentum, double weightDecay, boolean nesterov) {
        super(parameters, lr, weightDecay, momentum == 0 ? new String[0] : new String[] {"momentum_buffer"});
        this.momentum = require("momentum", momentum, momentum >= 0 && (momentum > 0 || !nesterov));
        this.nesterov = nesterov;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        if (momentum == 0) {
            Updates.sgd(parameter, gradient, group.lr(), group.weightDecay());
        } else {
            Updates.sgd(parameter, gradient, state[0], group.lr(), 1, momentum, nesterov, group.weightDecay());
        }
    }
}
