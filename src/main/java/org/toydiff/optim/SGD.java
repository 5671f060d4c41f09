package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Stochastic gradient descent: `d = g + decay·p`, `v ← μ·v + d`, `p ← p − lr·v`, as PyTorch's SGD with momentum μ;
/// with dampening τ `v ← μ·v + (1 − τ)·d` after the first step; with Nesterov's momentum `p ← p − lr·(d + μ·v)`.
public final class SGD extends Optimizer {
    private double momentum;
    private double dampening;
    private boolean nesterov;

    /// Creates an optimizer without momentum; the methods below change its settings.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @throws IllegalArgumentException if the parameters or the rate are not valid, see [Optimizer#addGroup]
    public SGD(List<Tensor> parameters, double lr) {
        super(parameters, lr);
    }

    /// Creates an optimizer with momentum.
    ///
    /// @param parameters the parameters to update
    /// @param lr the learning rate, 0 or more
    /// @param momentum μ, the factor of the old velocity, 0 or more; 0 for no momentum
    /// @throws IllegalArgumentException if the momentum is negative or NaN, or the parameters or the rate are not
    ///     valid, see [Optimizer#addGroup]
    public SGD(List<Tensor> parameters, double lr, double momentum) {
        this(parameters, lr);
        momentum(momentum);
    }

    /// Sets the momentum.
    ///
    /// **Memory** with a momentum other than 0 each parameter has a velocity, made in the innermost arena.
    ///
    /// @param momentum μ, the factor of the old velocity, 0 or more; 0, no momentum, by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN, or 0 after [#nesterov()]
    /// @throws IllegalStateException if it changes between 0 and another value after a step
    public SGD momentum(double momentum) {
        require("momentum", momentum, momentum >= 0);
        if (nesterov && momentum == 0) {
            throw new IllegalArgumentException("SGD: nesterov() looks ahead by the momentum; give one above 0");
        }
        keep("momentum", momentum == 0 ? new String[0] : new String[] {"momentum_buffer"});
        this.momentum = momentum;
        return this;
    }

    /// Sets the dampening of the momentum: the part of each gradient after the first that does not enter the velocity.
    ///
    /// @param dampening τ; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if it is NaN, or not 0 after [#nesterov()]
    public SGD dampening(double dampening) {
        require("dampening", dampening, !Double.isNaN(dampening));
        if (nesterov && dampening != 0) {
            throw new IllegalArgumentException("SGD: nesterov() goes without dampening; leave one of them out");
        }
        this.dampening = dampening;
        return this;
    }

    /// Switches to Nesterov's momentum, which looks one step ahead.
    ///
    /// @return this
    /// @throws IllegalStateException if there is no momentum, or dampening
    public SGD nesterov() {
        if (dampening != 0) {
            throw new IllegalStateException("SGD: nesterov() goes without dampening; leave one of them out");
        }
        if (momentum == 0) {
            throw new IllegalStateException("SGD: nesterov() looks ahead by the momentum, and there is none; call"
                    + " momentum(0.9), say, before it");
        }
        nesterov = true;
        return this;
    }

    @Override
    public SGD weightDecay(double weightDecay) {
        super.weightDecay(weightDecay);
        return this;
    }

    @Override
    public SGD maximize() {
        super.maximize();
        return this;
    }

    @Override
    protected boolean isElementwise() {
        return true;
    }

    @Override
    protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
        if (momentum == 0) {
            Updates.sgd(parameter, gradient, group.lr(), group.weightDecay());
        } else {
            double share = step == 1 ? 1 : 1 - dampening;
            Updates.sgd(parameter, gradient, state[0], group.lr(), share, momentum, nesterov, group.weightDecay());
        }
    }
}
