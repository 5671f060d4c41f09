package org.toydiff;

import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsOutput;

import org.toydiff.internal.kernels.UnaryKernel;

/// The exponentials and logarithms of a [Tensor], element by element.
public sealed interface ExponentialOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `y = eˣ`: the exponential; gradient `g·y`.
    ///
    /// @return a new tensor of this shape
    default Tensor exp() {
        return unary(
                self(), "exp", UnaryKernel.EXP, readsOutput((g, y) -> g.dying().multiply(y)));
    }

    /// `y = ln x`: the natural logarithm; gradient `g / x`.
    ///
    /// @return a new tensor of this shape
    default Tensor log() {
        return unary(self(), "log", UnaryKernel.LOG, readsInput((g, x) -> g.divide(x)));
    }

    /// `y = ln (1 + x)`, exact for small x; gradient `g / (1 + x)`.
    ///
    /// @return a new tensor of this shape
    default Tensor log1p() {
        return unary(self(), "log1p", UnaryKernel.LOG1P, readsInput((g, x) -> g.divide(x.add(1))));
    }

    /// `y = eˣ − 1`, precise for small x too: within 1.6 ulp (FLOAT64: 2); gradient `g·(y + 1)`.
    ///
    /// @return a new tensor of this shape
    default Tensor expm1() {
        return unary(self(), "expm1", UnaryKernel.EXPM1, readsOutput((g, y) -> g.multiply(y.add(1))));
    }

    /// `y = 2ˣ`: the exponential to base 2, within 0.9 ulp, exact for integers; gradient `g·y·ln 2`.
    ///
    /// @return a new tensor of this shape
    default Tensor exp2() {
        return unary(self(), "exp2", UnaryKernel.EXP2, readsOutput((g, y) -> g.multiply(y)
                .multiply(Math.log(2))));
    }

    /// `y = log₂ x`: the logarithm to base 2, within 1.6 ulp, exact for powers of 2; −∞ at ±0, NaN below; gradient
    /// `g / (x·ln 2)`.
    ///
    /// @return a new tensor of this shape
    default Tensor log2() {
        return unary(self(), "log2", UnaryKernel.LOG2, readsInput((g, x) -> g.divide(x.multiply(Math.log(2)))));
    }

    /// `y = log₁₀ x`: the logarithm to base 10, within 1.6 ulp, exact for powers of 10; −∞ at ±0, NaN below;
    /// gradient `g / (x·ln 10)`.
    ///
    /// @return a new tensor of this shape
    default Tensor log10() {
        return unary(self(), "log10", UnaryKernel.LOG10, readsInput((g, x) -> g.divide(x.multiply(Math.log(10)))));
    }
}
