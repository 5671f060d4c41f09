package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x·sigmoid(x)`, also known as swish: [Functional#silu(Tensor)].
public final class SiLU extends Module {
    /// An activation without parameters.
    public SiLU() {}

    @Override
    public Tensor forward(Tensor x) {
        return Functional.silu(x);
    }

    @Override
    public String toString() {
        return "SiLU()";
    }
}
