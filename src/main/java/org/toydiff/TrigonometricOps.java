package org.toydiff;

import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsOutput;

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
