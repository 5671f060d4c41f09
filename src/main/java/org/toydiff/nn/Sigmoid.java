package org.toydiff.nn;

import org.toydiff.Tensor;

/// [Tensor#sigmoid()] as a layer: the logistic function.
public final class Sigmoid extends Layer {
    /// Creates the layer.
    public Sigmoid() {}

    @Override
    protected Tensor compute(Tensor x) {
        return x.sigmoid();
    }

    @Override
    public String toString() {
        return "Sigmoid()";
    }
}
