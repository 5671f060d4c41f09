package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x + layer(x)`: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", 2015.
public final class Residual extends Layer {
    private final Layer layer;

    /// Adds the output of a layer to its input.
    ///
    /// @param layer its output has the shape of its input
    public Residual(Layer layer) {
        this.layer = child("module", layer);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.add(layer.forward(x));
    }
}
