package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsOther;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// Activations of a [Tensor] that take one pass forward and keep their input alone. Those whose
/// gradient reads the output alone are `relu`, `sigmoid` and `tanh`.
public sealed interface ActivationOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `y = x·Φ(x)` with `Φ(x) = ½·(1 + erf(x/√2))`, the distribution function of the standard normal; gradient
    /// `g·(Φ(x) + x·φ(x))` with the density φ: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016. Small
    /// results keep their precision, down to x = −12.9 (FLOAT32) or −37.5, below which they are 0.
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

    /// Exponential linear unit: x where it is positive, else `α·(eˣ − 1)`; gradient `g` where x is positive, else
    /// `g·α·eˣ`, also at 0: D. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by
    /// exponential linear units (ELUs)", 2016.
    ///
    /// @param alpha α, minus the limit at −∞
    /// @return a new tensor of this shape
    default Tensor elu(double alpha) {
        Tensor self = self();
        self.requireFloating("elu");
        return binary(
                self,
                Families.constant(self, "elu", alpha),
                "elu",
                BinaryKernel.ELU,
                readsInputs((g, x, other) -> g.multiply(eluSlope(x, other))),
                Tensor.ZERO);
    }

    /// `y = x·min(max(x + 3, 0), 6) / 6`, a piecewise approximation of `x·sigmoid(x)`; gradient 0 up to −3, `g` from 3
    /// on, else `g·(x/3 + ½)`: A. Howard et al., "Searching for MobileNetV3", 2019.
    ///
    /// @return a new tensor of this shape
    default Tensor hardswish() {
        return unary(self(), "hardswish", UnaryKernel.HARDSWISH, readsInput((g, x) -> hardswishGradient(g.dying(), x)));
    }

    /// `y = x·tanh(ln(1 + eˣ))`; gradient `g·(t + x·σ(x)·(1 − t²))` with `t = y/x` and the logistic function σ:
    /// D. Misra, "Mish: a self regularized non-monotonic activation function", 2020.
    ///
    /// @return a new tensor of this shape
    default Tensor mish() {
        return unary(self(), "mish", UnaryKernel.MISH, readsInput((g, x) -> mishGradient(g.dying(), x)));
    }

    /// elu's derivative, 1 or `α·eˣ`, whose own is the same below 0, else 0.
    private static Tensor eluSlope(Tensor x, Tensor alpha) {
        return binary(
                x,
                alpha,
                "eluSlope",
                BinaryKernel.ELU_SLOPE,
                readsInputs((h, own, other) ->
                        h.multiply(eluSlope(own, other)).zeroWhere(own.less(0).logicalNot())),
                Tensor.ZERO);
    }

    /// hardswish's gradient, whose own to x is `h·g/3` between −3 and 3.
    private static Tensor hardswishGradient(Tensor g, Tensor x) {
        return binary(
                g,
                x,
                "hardswishGradient",
                BinaryKernel.HARDSWISH_GRADIENT,
                readsOther((h, other) -> hardswishGradient(h, other)),
                readsInputs((h, own, other) -> h.multiply(other)
                        .multiply(1.0 / 3)
                        .zeroWhere(own.abs().less(3).logicalNot())));
    }

    /// mish's gradient, whose own to x, with `u = σ(−x)`, `t = (1 − u²)/(1 + u²)` and `t′ = 4·u²·(1 − u)/(1 + u²)²`,
    /// is `h·g·t′·(2 + x·(u − 2·t·(1 − u)))`.
    private static Tensor mishGradient(Tensor g, Tensor x) {
        return binary(
                g,
                x,
                "mishGradient",
                BinaryKernel.MISH_GRADIENT,
                readsOther((h, other) -> mishGradient(h, other)),
                readsInputs((h, own, other) -> {
                    Tensor u = own.negative().sigmoid();
                    Tensor rest = u.negative().add(1);
                    Tensor square = u.multiply(u);
                    Tensor divisor = square.add(1);
                    Tensor t = square.negative().add(1).divide(divisor);
                    Tensor slope =
                            square.multiply(4).multiply(rest).divide(divisor).divide(divisor);
                    Tensor bend = u.subtract(t.multiply(rest).multiply(2));
                    return h.multiply(other)
                            .multiply(slope)
                            .multiply(own.multiply(bend).add(2));
                }));
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
