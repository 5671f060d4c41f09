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
}
