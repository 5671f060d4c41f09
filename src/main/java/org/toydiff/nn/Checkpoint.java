package org.toydiff.nn;

import org.toydiff.Autograd;
import org.toydiff.Tensor;

/// A layer none of whose intermediates is kept for backward: they are computed again there. Costs a second forward
/// of the layer and saves the memory of what it makes: [Autograd#checkpoint].
///
/// Its parameters have the names they have in the layer alone, so that a state dict fits with and without it. The
/// layer must give the same result for the same input: random numbers are drawn as the
/// first time, but running statistics would be updated twice.
public final class Checkpoint extends Layer {
    private final Layer layer;

    private Checkpoint(Layer layer) {
        this.layer = whole(layer);
    }

    /// Wraps a layer.
    ///
    /// @param layer what is computed again in backward; best one that makes much and takes and gives little
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
