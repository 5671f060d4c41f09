package org.toydiff.nn;

import org.toydiff.Tensor;

/// [Tensor#tanh()] as a layer: the hyperbolic tangent.
public final class Tanh extends Module {
    /// Makes the layer.
    public Tanh() {}

    @Override
    public Tensor forward(Tensor x) {
        return x.tanh();
    }

    @Override
    public String toString() {
        return "Tanh()";
    }
}
