package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x·tanh(ln(1 + eˣ))`: [Functional#mish(Tensor)].
public final class Mish extends Layer {
    /// Creates the layer.
    public Mish() {}

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.mish(x);
    }

    @Override
    public String toString() {
        return "Mish()";
    }
}
