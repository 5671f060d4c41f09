package org.toydiff.nn;

import org.toydiff.Tensor;

/// `x·Φ(x)`, where Φ is the distribution function of the standard normal: [Functional#gelu(Tensor)].
public final class GELU extends Layer {
    private final boolean tanh;

    /// Creates the exact form.
    public GELU() {
        this(false);
    }

    /// Creates the exact form or its approximation by tanh.
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
