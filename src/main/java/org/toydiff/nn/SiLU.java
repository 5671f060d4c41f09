package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x·sigmoid(x)`, also known as swish: [Functional#silu(Tensor)].
public final class SiLU extends Layer {
    /// Creates the layer.
    public SiLU() {}

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.silu(x);
    }

    @Override
    public String toString() {
        return "SiLU()";
    }
}
