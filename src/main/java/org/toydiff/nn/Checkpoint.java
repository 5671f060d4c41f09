package org.toydiff.nn;

import org.toydiff.Autograd;
import org.toydiff.Tensor;

/// Wraps a layer so that backward recomputes its intermediates instead of keeping them. It costs a second forward
/// of the layer and saves the memory of everything the layer computes: [Autograd#checkpoint].
///
/// The wrapped layer's parameters keep their names, so a state dict fits with and without the wrapper. The layer
/// must return the same result for the same input: the recomputation draws the same random numbers, but it would
/// update running statistics a second time.
public final class Checkpoint extends Layer {
    private final Layer layer;

    private Checkpoint(Layer layer) {
        this.layer = wrapped(layer);
    }

    /// Wraps a layer.
    ///
    /// @param layer the layer to recompute in backward; the gain is largest where its intermediates are large and
    ///     its input and output small
    /// @return the wrapped layer
    public static Checkpoint of(Layer layer) {
        return new Checkpoint(layer);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Autograd.checkpoint(layer::forward, x, layer.parameters());
    }

    @Override
    public String toString() {
        return "Checkpoint(" + layer + ")";
    }
}
