package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsOther;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// Activations of a [Tensor] that take one pass forward and one backward, and keep their input alone. Those whose
/// gradient reads the output alone are `relu`, `sigmoid` and `tanh`.
public sealed interface ActivationOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `y = x·Φ(x)` with `Φ(x) = ½·(1 + erf(x/√2))`, the distribution function of the standard normal; gradient
    /// `g·(Φ(x) + x·φ(x))` with the density φ: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.
    ///
    /// @return a new tensor of this shape
    default Tensor gelu() {
        return unary(self(), "gelu", UnaryKernel.GELU, readsInput((g, x) -> geluGradient(g.dying(), x)));
    }

    /// `y = ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`, an approximation of [#gelu()] from the same paper; gradient its
    /// derivative times `g`.
    ///
    /// @return a new tensor of this shape
    default Tensor geluTanh() {
        return unary(self(), "geluTanh", UnaryKernel.GELU_TANH, readsInput((g, x) -> geluTanhGradient(g.dying(), x)));
    }

    /// gelu's gradient `g·(Φ(x) + x·φ(x))`, whose own to x is `h·g·φ(x)·(2 − x²)`.
    private static Tensor geluGradient(Tensor g, Tensor x) {
        return binary(
                g,
                x,
                "geluGradient",
                BinaryKernel.GELU_GRADIENT,
                readsOther((h, other) -> geluGradient(h, other)),
                readsInputs((h, own, other) -> {
                    Tensor square = own.multiply(own);
                    Tensor density = square.multiply(-0.5).exp().multiply(1 / Math.sqrt(2 * Math.PI));
                    return h.multiply(other)
                            .multiply(density.multiply(square.negative().add(2)));
                }));
    }

    /// geluTanh's gradient, whose own to x, with `u = √(2/π)·(x + 0.044715·x³)` and `t = tanh u`, is
    /// `h·g·(1 − t²)·(u′ + ½·x·u″ − x·t·u′²)`.
    private static Tensor geluTanhGradient(Tensor g, Tensor x) {
        return binary(
                g,
                x,
                "geluTanhGradient",
                BinaryKernel.GELU_TANH_GRADIENT,
                readsOther((h, other) -> geluTanhGradient(h, other)),
                readsInputs((h, own, other) -> {
                    double slope = Math.sqrt(2 / Math.PI);
                    Tensor square = own.multiply(own).multiply(0.044715);
                    Tensor t = own.multiply(square.add(1)).multiply(slope).tanh();
                    Tensor first = square.multiply(3).add(1).multiply(slope);
                    // ½·x·u″ = 3·√(2/π)·0.044715·x²
                    Tensor sum = first.add(square.multiply(3 * slope))
                            .subtract(own.multiply(t).multiply(first).multiply(first));
                    return h.multiply(other)
                            .multiply(sum.subtract(sum.multiply(t).multiply(t)));
                }));
    }
}
