package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsAll;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;
import static org.toydiff.Rule.readsOutput;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// The ops of [Tensor] that work element by element, one row each: name, kernel, and a gradient rule for each input.
/// Those of one subject have an interface of their own: [ExponentialOps], [TrigonometricOps], [RoundingOps],
/// [DivisionOps].
///
/// They take FLOAT32 and FLOAT64. `add`, `subtract`, `multiply`, `maximum`, `minimum`, `clamp`, `negative`, `abs`,
/// `sign` and `relu` take INT32 and INT64 too: results wrap around, and nothing is recorded.
public sealed interface ElementwiseOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    // Element by element, one operand.

    /// `y = 2/√π · ∫₀ˣ e^−t² dt`: the error function; gradient `g·2/√π·e^−x²`.
    ///
    /// @return a new tensor of this shape
    default Tensor erf() {
        return unary(self(), "erf", UnaryKernel.ERF, readsInput((g, x) -> g.multiply(
                        x.multiply(x).negative().exp())
                .multiply(2 / Math.sqrt(Math.PI))));
    }

    /// `y = x`, but `min` where it is less and `max` where it is more; NaN stays NaN; gradient `g` from min to max,
    /// both included, else 0.
    ///
    /// @param min the lower bound
    /// @param max the upper bound
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if min is greater than max or one is NaN, or of integers, if one is not of
    ///     their dtype
    default Tensor clamp(double min, double max) {
        Tensor x = self();
        x.requireNumbers("clamp", "cast(DType.INT32) first");
        if (!(min <= max)) {
            throw new IllegalArgumentException("clamp: " + min + " to " + max + " is no range; give min ≤ max");
        }
        boolean recorded = Tensor.recorded(x);
        Tensor lower = constant("clamp", min);
        Tensor upper = constant("clamp", max);
        Tensor y = Tensor.make("clamp", x.dtype, x.shape, recorded);
        Launch.binary(Families.kernel(BinaryKernel.MAXIMUM, x.dtype), x, lower, y);
        Launch.binary(Families.kernel(BinaryKernel.MINIMUM, x.dtype), y, upper, y);
        Rule rule = readsInput((g, in) -> {
            Tensor above = Tensor.where(in.greaterOrEqual(Tensor.constant(in.dtype, min)), g, g.zero());
            return Tensor.where(in.lessOrEqual(Tensor.constant(in.dtype, max)), above, g.zero());
        });
        return recorded ? y.record("clamp", null, rule, x) : y;
    }

    /// `y = −x`: the negative; gradient `−g`.
    ///
    /// @return a new tensor of this shape
    default Tensor negative() {
        return unary(self(), "negative", UnaryKernel.NEGATIVE, readsNothing(g -> g.negative()));
    }

    /// `y = 1 / (1 + e⁻ˣ)`: the logistic function; gradient `g·y·(1 − y)`.
    ///
    /// @return a new tensor of this shape
    default Tensor sigmoid() {
        return unary(self(), "sigmoid", UnaryKernel.SIGMOID, Activation.SIGMOID.rule);
    }

    /// `y = −1, 0 or 1`: the sign, 0 for ±0 and NaN; gradient 0.
    ///
    /// @return a new tensor of this shape
    default Tensor sign() {
        return unary(self(), "sign", UnaryKernel.SIGN, Tensor.ZERO);
    }

    /// `y = |x|`: the absolute value; gradient `g·sign x`, so 0 at 0.
    ///
    /// @return a new tensor of this shape
    default Tensor abs() {
        return unary(
                self(), "abs", UnaryKernel.ABS, readsInput((g, x) -> g.dying().multiply(x.sign())));
    }

    /// `y = 1/x`: the reciprocal, ±∞ at ±0; gradient `−g·y²`.
    ///
    /// @return a new tensor of this shape
    default Tensor reciprocal() {
        return unary(
                self(),
                "reciprocal",
                UnaryKernel.RECIPROCAL,
                readsOutput((g, y) -> g.multiply(y.multiply(y).negative())));
    }

    /// `y = √x`: the square root, NaN below 0; gradient `g / 2y`.
    ///
    /// @return a new tensor of this shape
    default Tensor sqrt() {
        return unary(self(), "sqrt", UnaryKernel.SQRT, readsOutput((g, y) -> g.divide(y.multiply(2))));
    }

    /// `y = 1/√x`: the reciprocal of the square root, within 1.5 ulp; ±∞ at ±0, NaN below; gradient `−½·g·y³`.
    ///
    /// @return a new tensor of this shape
    default Tensor rsqrt() {
        return unary(self(), "rsqrt", UnaryKernel.RSQRT, readsOutput((g, y) -> g.multiply(
                        y.multiply(y).multiply(y))
                .multiply(-0.5)));
    }

    /// `y = max(x, 0)`: the rectifier; NaN stays NaN; gradient g where `x > 0`, so 0 at 0.
    ///
    /// @return a new tensor of this shape
    default Tensor relu() {
        return unary(self(), "relu", UnaryKernel.RELU, Activation.RELU.rule);
    }

    // Element by element, two operands that broadcast.

    /// `y = this + b`: the sum; gradient `g` to both.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor add(Tensor b) {
        return binary(self(), b, "add", BinaryKernel.ADD, readsNothing(g -> g), readsNothing(g -> g));
    }

    /// [#add(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor add(double b) {
        return add(constant("add", b));
    }

    /// `y = this − b`: the difference; gradient `g` to this, `−g` to b.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor subtract(Tensor b) {
        return binary(
                self(), b, "subtract", BinaryKernel.SUBTRACT, readsNothing(g -> g), readsNothing(g -> g.negative()));
    }

    /// [#subtract(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor subtract(double b) {
        return subtract(constant("subtract", b));
    }

    /// `y = this · b`: the product; gradient `g·b` to this, `g·this` to b.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor multiply(Tensor b) {
        return binary(
                self(),
                b,
                "multiply",
                BinaryKernel.MULTIPLY,
                readsOther((g, other) -> g.multiply(other)),
                readsOther((g, other) -> g.multiply(other)));
    }

    /// [#multiply(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor multiply(double b) {
        return multiply(constant("multiply", b));
    }

    /// `y = this / b`: the quotient; division by 0 follows IEEE 754; gradient `g / b` to this, `−g·this / b²`
    /// to b.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor divide(Tensor b) {
        return binary(
                self(),
                b,
                "divide",
                BinaryKernel.DIVIDE,
                readsOther((g, d) -> g.divide(d)),
                readsInputs((g, d, a) -> g.multiply(a.divide(d)).divide(d).negative()));
    }

    /// [#divide(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor divide(double b) {
        return divide(constant("divide", b));
    }

    /// `y = thisᵇ`: the power, as C's `pow`; gradient `g·b·thisᵇ⁻¹` to this, 0 where b is 0; `g·y·ln this` to
    /// b, 0 where this is 0 and b is not negative.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor power(Tensor b) {
        // ln 0 is −∞, but 0ᵇ does not change with b while b ≥ 0. That holds exactly where max(|a|, −b) is not
        // positive.
        return binary(
                self(),
                b,
                "power",
                BinaryKernel.POWER,
                readsInputs((g, a, e) -> {
                    // Where e is 0 the power is of 0, too: e − 1 would bring back an infinity in second gradients.
                    Tensor constant = e.equalTo(0);
                    Tensor slope = e.multiply(a.power(e.subtract(1).zeroWhere(constant)));
                    return g.multiply(slope.zeroWhere(constant));
                }),
                readsAll((g, e, a, y) -> g.multiply(y.multiply(a.log())
                        .zeroWhere(a.abs().maximum(e.negative()).lessOrEqual(0)))));
    }

    /// [#power(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor power(double b) {
        return power(constant("power", b));
    }

    /// `y = max(this, b)`: the larger one, NaN if either is; gradient `g` to the larger one, half of it to
    /// each where both are equal.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor maximum(Tensor b) {
        return binary(
                self(),
                b,
                "maximum",
                BinaryKernel.MAXIMUM,
                readsInputs((g, own, other) -> g.shared(own.maximumShare(other))),
                readsInputs((g, own, other) -> g.shared(own.maximumShare(other))));
    }

    /// [#maximum(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor maximum(double b) {
        return maximum(constant("maximum", b));
    }

    /// `y = min(this, b)`: the smaller one, NaN if either is; gradient `g` to the smaller one, half of it to
    /// each where both are equal.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    default Tensor minimum(Tensor b) {
        return binary(
                self(),
                b,
                "minimum",
                BinaryKernel.MINIMUM,
                readsInputs((g, own, other) -> g.shared(other.maximumShare(own))),
                readsInputs((g, own, other) -> g.shared(other.maximumShare(own))));
    }

    /// [#minimum(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    default Tensor minimum(double b) {
        return minimum(constant("minimum", b));
    }

    /// Returns the elements as another dtype; gradient `g` cast back, between floating dtypes.
    ///
    /// Rounds to the nearest float; truncates towards zero for integers; BOOL is "not 0". NaN and values out of
    /// range have no integer.
    ///
    /// @param dtype the dtype of the result
    /// @return a new tensor, or this when it has the dtype already
    /// @throws IllegalArgumentException if an element has no value of an integer dtype
    default Tensor cast(DType dtype) {
        Tensor x = self();
        x.requireReadable("cast");
        DType from = x.dtype;
        if (from == dtype) {
            return x;
        }
        boolean recorded = dtype.isFloating() && Tensor.recorded(x);
        Tensor y = Families.cast(x, dtype);
        return recorded ? y.record("cast", null, readsNothing(g -> g.cast(from)), x) : y;
    }

    /// A scalar of this dtype for the other side of a binary op.
    private Tensor constant(String op, double value) {
        return Families.constant(self(), op, value);
    }
}
