package org.toydiff.nn;

import org.toydiff.Tensor;

/// A custom layer as the documentation shows it, with children, a parameter and ops.
final class Gated extends Layer {
    private final Linear value = child("value", new Linear(4, 3));
    final Linear gate = child("gate", new Linear(4, 3));
    private final Tensor scale = parameter("scale", Tensor.ones(3));

    @Override
    protected Tensor compute(Tensor x) {
        return value.forward(x).multiply(gate.forward(x).sigmoid()).multiply(scale);
    }
}
