package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x + layer(x)`: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", 2015.
public final class Residual extends Layer {
    private final Layer layer;

    /// Creates a layer that adds the output of another one to its input.
    ///
    /// @param layer a layer whose output has the shape of its input
    public Residual(Layer layer) {
        this.layer = child("module", layer);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.add(layer.forward(x));
    }
}
