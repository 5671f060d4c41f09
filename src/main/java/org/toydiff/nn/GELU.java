package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x·Φ(x)`, Φ being the normal distribution function: [Functional#gelu(Tensor)].
public final class GELU extends Layer {
    private final boolean tanh;

    /// The exact one.
    public GELU() {
        this(false);
    }

    /// The exact one, or its approximation by tanh.
    ///
    /// @param tanh whether to approximate, as PyTorch's `approximate="tanh"`
    public GELU(boolean tanh) {
        this.tanh = tanh;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return tanh ? Functional.geluTanh(x) : Functional.gelu(x);
    }

    @Override
    public String toString() {
        return "GELU(" + (tanh ? "tanh" : "") + ")";
    }
}
