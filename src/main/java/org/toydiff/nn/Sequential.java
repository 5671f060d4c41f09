package org.toydiff.nn;

import org.toydiff.Activation;
import org.toydiff.Tensor;

/// Modules one after another, each fed with what the one before it gives. Their names are `0`, `1`, ….
///
/// A [Linear] with a [ReLU], [Tanh] or [Sigmoid] after it runs as one op.
public final class Sequential extends Module {
    private final Module[] modules;

    /// Chains modules.
    ///
    /// @param modules in the order in which they are applied
    public Sequential(Module... modules) {
        this.modules = modules.clone();
        for (int i = 0; i < modules.length; i++) {
            child(Integer.toString(i), modules[i]);
        }
    }

    @Override
    public Tensor forward(Tensor x) {
        Tensor y = x;
        for (int i = 0; i < modules.length; i++) {
            Activation activation = i + 1 < modules.length ? activation(modules[i + 1]) : null;
            if (activation != null && modules[i] instanceof Linear linear && !Summary.underWay()) {
                Tensor in = y;
                y = named(linear, () -> linear.forward(in, activation));
                i++;
            } else {
                y = forward(modules[i], y);
            }
        }
        return y;
    }

    /// What a linear layer before the module can apply in its place, or null.
    private static Activation activation(Module module) {
        if (module instanceof ReLU) {
            return Activation.RELU;
        }
        if (module instanceof Tanh) {
            return Activation.TANH;
        }
        return module instanceof Sigmoid ? Activation.SIGMOID : null;
    }
}
