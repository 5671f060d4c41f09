package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x·min(max(x + 3, 0), 6)/6`: [Functional#hardswish(Tensor)].
public final class Hardswish extends Layer {
    /// Creates the layer.
    public Hardswish() {}

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.hardswish(x);
    }

    @Override
    public String toString() {
        return "Hardswish()";
    }
}
