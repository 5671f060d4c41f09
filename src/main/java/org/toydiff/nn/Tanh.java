package org.toydiff.nn;

import org.toydiff.Tensor;

/// [Tensor#tanh()] as a layer: the hyperbolic tangent.
public final class Tanh extends Layer {
    /// Creates the layer.
    public Tanh() {}

    @Override
    protected Tensor compute(Tensor x) {
        return x.tanh();
    }

    @Override
    public String toString() {
        return "Tanh()";
    }
}
