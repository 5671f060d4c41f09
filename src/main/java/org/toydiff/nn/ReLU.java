package org.toydiff.nn;

import org.toydiff.Tensor;

/// [Tensor#relu()] as a layer: the rectifier.
public final class ReLU extends Layer {
    /// Creates the layer.
    public ReLU() {}

    @Override
    protected Tensor compute(Tensor x) {
        return x.relu();
    }

    @Override
    public String toString() {
        return "ReLU()";
    }
}
