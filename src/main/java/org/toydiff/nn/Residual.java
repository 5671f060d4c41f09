package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x + module(x)`: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", 2015.
public final class Residual extends Module {
    private final Module module;

    /// Adds to its input what a module makes of it.
    ///
    /// @param module gives the shape that it takes
    public Residual(Module module) {
        this.module = child("module", module);
    }

    @Override
    public Tensor forward(Tensor x) {
        return x.add(forward(module, x));
    }
}
