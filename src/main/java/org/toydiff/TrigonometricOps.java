package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsAll;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsOutput;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// The trigonometric and hyperbolic functions of a [Tensor], element by element; angles are in radians.
public sealed interface TrigonometricOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `y = sin x`: the sine; gradient `g·cos x`.
    ///
    /// @return a new tensor of this shape
    default Tensor sin() {
        return unary(self(), "sin", UnaryKernel.SIN, readsInput((g, x) -> g.multiply(x.cos())));
    }

    /// `y = cos x`: the cosine; gradient `−g·sin x`.
    ///
    /// @return a new tensor of this shape
    default Tensor cos() {
        return unary(self(), "cos", UnaryKernel.COS, readsInput((g, x) -> g.multiply(x.sin())
                .negative()));
    }

    /// `y = tan x`: the tangent; gradient `g·(1 + y²)`.
    ///
    /// @return a new tensor of this shape
    default Tensor tan() {
        return unary(
                self(),
                "tan",
                UnaryKernel.TAN,
                readsOutput((g, y) -> g.multiply(y.multiply(y).add(1))));
    }

    /// `y = arcsin x`: the arcsine in ±π/2, within 0.8 ulp; NaN beyond ±1; gradient `g / √(1 − x²)`, infinite at ±1.
    ///
    /// @return a new tensor of this shape
    default Tensor asin() {
        return unary(self(), "asin", UnaryKernel.ASIN, readsInput((g, x) -> g.multiply(reciprocalCosine(x))));
    }

    /// `y = arccos x`: the arccosine in 0…π, within 0.8 ulp; NaN beyond ±1; gradient `−g / √(1 − x²)`, infinite at ±1.
    ///
    /// @return a new tensor of this shape
    default Tensor acos() {
        return unary(self(), "acos", UnaryKernel.ACOS, readsInput((g, x) -> g.multiply(reciprocalCosine(x))
                .negative()));
    }

    /// `1/√(1 − x²)`.
    private static Tensor reciprocalCosine(Tensor x) {
        return x.multiply(x).negative().add(1).rsqrt();
    }

    /// `y = arctan x`: the arctangent in ±π/2, within 1 ulp; gradient `g / (1 + x²)`.
    ///
    /// @return a new tensor of this shape
    default Tensor atan() {
        return unary(
                self(),
                "atan",
                UnaryKernel.ATAN,
                readsInput((g, x) -> g.divide(x.multiply(x).add(1))));
    }

    /// The angle in ±π of the vector `(x, this)` to the first axis, within 1 ulp; special cases are those of
    /// [Math#atan2]. Gradient, with `r² = this² + x²`, `g·x / r²` to this and `−g·this / r²` to x; 0 to both where
    /// both are 0.
    ///
    /// @param x the other coordinate, of the same dtype, that broadcasts with this
    /// @return a new tensor of the broadcast shape, in radians
    default Tensor atan2(Tensor x) {
        return binary(
                self(),
                x,
                "atan2",
                BinaryKernel.ATAN2,
                readsInputs((g, own, other) -> g.multiply(bySquaredLength(other, own))),
                readsInputs((g, own, other) ->
                        g.multiply(bySquaredLength(other, own)).negative()));
    }

    /// `a / (a² + b²)`, without squares that overflow; 0 where both are 0.
    private static Tensor bySquaredLength(Tensor a, Tensor b) {
        Tensor length = a.hypot(b);
        Tensor divisor = length.oneWhere(length.equalTo(0));
        return a.divide(divisor).divide(divisor);
    }

    /// `y = √(this² + b²)`: the length of the vector `(this, b)`, within 1.1 ulp, without squares that overflow; ∞ if
    /// either is infinite, else NaN if either is. Gradient `g·this / y` to this, `g·b / y` to b; NaN where both are 0.
    ///
    /// @param b the other coordinate, of the same dtype, that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor hypot(Tensor b) {
        return binary(
                self(),
                b,
                "hypot",
                BinaryKernel.HYPOT,
                readsAll((g, own, other, y) -> g.multiply(own.divide(y))),
                readsAll((g, own, other, y) -> g.multiply(own.divide(y))));
    }

    /// `y = sinh x`: the hyperbolic sine; gradient `g·cosh x`.
    ///
    /// @return a new tensor of this shape
    default Tensor sinh() {
        return unary(self(), "sinh", UnaryKernel.SINH, readsInput((g, x) -> g.multiply(x.cosh())));
    }

    /// `y = cosh x`: the hyperbolic cosine; gradient `g·sinh x`.
    ///
    /// @return a new tensor of this shape
    default Tensor cosh() {
        return unary(self(), "cosh", UnaryKernel.COSH, readsInput((g, x) -> g.multiply(x.sinh())));
    }

    /// `y = tanh x`: the hyperbolic tangent; gradient `g·(1 − y²)`.
    ///
    /// @return a new tensor of this shape
    default Tensor tanh() {
        return unary(self(), "tanh", UnaryKernel.TANH, Activation.TANH.rule);
    }
}
