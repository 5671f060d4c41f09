package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsAll;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;
import static org.toydiff.Rule.readsOutput;
import static org.toydiff.Rule.readsShape;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.DoubleMask;
import org.toydiff.internal.kernels.FloatMask;
import org.toydiff.internal.kernels.UnaryKernel;

/// The ops of [Tensor] that work element by element, one row each: name, kernels, and a gradient rule for each
/// input. Families own everything else.
abstract sealed class ElementOps extends TensorCreation permits TensorOps {
    final Tensor self() {
        return (Tensor) this;
    }

    // Element by element, one operand.

    /// `y = ln x`: the natural logarithm; gradient `g / x`.
    ///
    /// @return a new tensor of this shape
    public Tensor log() {
        return unary(self(), "log", UnaryKernel.LOG, readsInput((g, x) -> g.divide(x)));
    }

    /// `y = ln (1 + x)`, exact for small x; gradient `g / (1 + x)`.
    ///
    /// @return a new tensor of this shape
    public Tensor log1p() {
        return unary(self(), "log1p", UnaryKernel.LOG1P, readsInput((g, x) -> g.divide(x.add(1))));
    }

    /// `y = 2/√π · ∫₀ˣ e^−t² dt`: the error function; gradient `g·2/√π·e^−x²`.
    ///
    /// @return a new tensor of this shape
    public Tensor erf() {
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
    /// @throws IllegalArgumentException if min is greater than max or one is NaN
    public Tensor clamp(double min, double max) {
        return Selection.clamp(self(), min, max);
    }

    /// `y = −x`: the negative; gradient `−g`.
    ///
    /// @return a new tensor of this shape
    public Tensor negative() {
        return unary(self(), "negative", UnaryKernel.NEGATIVE, readsNothing(g -> g.negative()));
    }

    /// `y = 1 / (1 + e⁻ˣ)`: the logistic function; gradient `g·y·(1 − y)`.
    ///
    /// @return a new tensor of this shape
    public Tensor sigmoid() {
        return unary(self(), "sigmoid", UnaryKernel.SIGMOID, Activation.SIGMOID.rule);
    }

    /// `y = sin x`: the sine; gradient `g·cos x`.
    ///
    /// @return a new tensor of this shape
    public Tensor sin() {
        return unary(self(), "sin", UnaryKernel.SIN, readsInput((g, x) -> g.multiply(x.cos())));
    }

    /// `y = cos x`: the cosine; gradient `−g·sin x`.
    ///
    /// @return a new tensor of this shape
    public Tensor cos() {
        return unary(self(), "cos", UnaryKernel.COS, readsInput((g, x) -> g.multiply(x.sin())
                .negative()));
    }

    /// `y = tan x`: the tangent; gradient `g·(1 + y²)`.
    ///
    /// @return a new tensor of this shape
    public Tensor tan() {
        return unary(
                self(),
                "tan",
                UnaryKernel.TAN,
                readsOutput((g, y) -> g.multiply(y.multiply(y).add(1))));
    }

    /// `y = sinh x`: the hyperbolic sine; gradient `g·cosh x`.
    ///
    /// @return a new tensor of this shape
    public Tensor sinh() {
        return unary(self(), "sinh", UnaryKernel.SINH, readsInput((g, x) -> g.multiply(x.cosh())));
    }

    /// `y = cosh x`: the hyperbolic cosine; gradient `g·sinh x`.
    ///
    /// @return a new tensor of this shape
    public Tensor cosh() {
        return unary(self(), "cosh", UnaryKernel.COSH, readsInput((g, x) -> g.multiply(x.sinh())));
    }

    /// `y = tanh x`: the hyperbolic tangent; gradient `g·(1 − y²)`.
    ///
    /// @return a new tensor of this shape
    public Tensor tanh() {
        return unary(self(), "tanh", UnaryKernel.TANH, Activation.TANH.rule);
    }

    /// `y = eˣ`: the exponential; gradient `g·y`.
    ///
    /// @return a new tensor of this shape
    public Tensor exp() {
        return unary(
                self(), "exp", UnaryKernel.EXP, readsOutput((g, y) -> g.dying().multiply(y)));
    }

    /// `y = −1, 0 or 1`: the sign, 0 for ±0 and NaN; gradient 0.
    ///
    /// @return a new tensor of this shape
    public Tensor sign() {
        return unary(self(), "sign", UnaryKernel.SIGN, readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// `y = |x|`: the absolute value; gradient `g·sign x`, so 0 at 0.
    ///
    /// @return a new tensor of this shape
    public Tensor abs() {
        return unary(
                self(), "abs", UnaryKernel.ABS, readsInput((g, x) -> g.dying().multiply(x.sign())));
    }

    /// `y = 1/x`: the reciprocal, ±∞ at ±0; gradient `−g·y²`.
    ///
    /// @return a new tensor of this shape
    public Tensor reciprocal() {
        return unary(
                self(),
                "reciprocal",
                UnaryKernel.RECIPROCAL,
                readsOutput((g, y) -> g.multiply(y.multiply(y).negative())));
    }

    /// `y = √x`: the square root, NaN below 0; gradient `g / 2y`.
    ///
    /// @return a new tensor of this shape
    public Tensor sqrt() {
        return unary(self(), "sqrt", UnaryKernel.SQRT, readsOutput((g, y) -> g.divide(y.multiply(2))));
    }

    /// `y = max(x, 0)`: the rectifier; NaN stays NaN; gradient g where `x > 0`, so 0 at 0.
    ///
    /// @return a new tensor of this shape
    public Tensor relu() {
        return unary(self(), "relu", UnaryKernel.RELU, Activation.RELU.rule);
    }

    // Element by element, two operands that broadcast.

    /// `y = this + b`: the sum; gradient `g` to both.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor add(Tensor b) {
        return binary(self(), b, "add", BinaryKernel.ADD, readsNothing(g -> g), readsNothing(g -> g));
    }

    /// [#add(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    public Tensor add(double b) {
        return add(constant("add", b));
    }

    /// `y = this − b`: the difference; gradient `g` to this, `−g` to b.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor subtract(Tensor b) {
        return binary(
                self(), b, "subtract", BinaryKernel.SUBTRACT, readsNothing(g -> g), readsNothing(g -> g.negative()));
    }

    /// [#subtract(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    public Tensor subtract(double b) {
        return subtract(constant("subtract", b));
    }

    /// `y = this · b`: the product; gradient `g·b` to this, `g·this` to b.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor multiply(Tensor b) {
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
    public Tensor multiply(double b) {
        return multiply(constant("multiply", b));
    }

    /// `y = this / b`: the quotient; division by 0 follows IEEE 754; gradient `g / b` to this, `−g·this / b²`
    /// to b.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor divide(Tensor b) {
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
    public Tensor divide(double b) {
        return divide(constant("divide", b));
    }

    /// `y = thisᵇ`: the power, as C's `pow`; gradient `g·b·thisᵇ⁻¹` to this, 0 where b is 0; `g·y·ln this` to
    /// b, 0 where this is 0 and b is not negative.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor power(Tensor b) {
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
    public Tensor power(double b) {
        return power(constant("power", b));
    }

    /// `y = max(this, b)`: the larger one, NaN if either is; gradient `g` to the larger one, half of it to
    /// each where both are equal.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor maximum(Tensor b) {
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
    public Tensor maximum(double b) {
        return maximum(constant("maximum", b));
    }

    /// `y = min(this, b)`: the smaller one, NaN if either is; gradient `g` to the smaller one, half of it to
    /// each where both are equal.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor minimum(Tensor b) {
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
    public Tensor minimum(double b) {
        return minimum(constant("minimum", b));
    }

    /// The elements of a where the condition is true, those of b elsewhere; gradient `g` to the one that was taken,
    /// 0 to the other, whatever stands there.
    ///
    /// @param condition BOOL, broadcasts with a and b
    /// @param a what to take where it is true, of any dtype
    /// @param b what to take elsewhere, of the same dtype
    /// @return a new tensor of the broadcast shape
    /// @throws IllegalArgumentException if the condition is not BOOL, the dtypes of a and b differ or the shapes do
    ///     not broadcast
    public static Tensor where(Tensor condition, Tensor a, Tensor b) {
        return Selection.where(condition, a, b);
    }

    // Masks.

    /// `this > b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor greater(Tensor b) {
        return Comparisons.compare("greater", BinaryKernel.GREATER, self(), b);
    }

    /// [#greater(Tensor)] with a number, exact also where this dtype does not have it: a FLOAT32 0.1 is more than 0.1.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    public Tensor greater(double b) {
        return Comparisons.compare("greater", BinaryKernel.GREATER, self(), b);
    }

    /// `this ≥ b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor greaterOrEqual(Tensor b) {
        return Comparisons.compare("greaterOrEqual", BinaryKernel.GREATER_OR_EQUAL, self(), b);
    }

    /// [#greaterOrEqual(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    public Tensor greaterOrEqual(double b) {
        return Comparisons.compare("greaterOrEqual", BinaryKernel.GREATER_OR_EQUAL, self(), b);
    }

    /// `this < b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor less(Tensor b) {
        return Comparisons.compare("less", BinaryKernel.LESS, self(), b);
    }

    /// [#less(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    public Tensor less(double b) {
        return Comparisons.compare("less", BinaryKernel.LESS, self(), b);
    }

    /// `this ≤ b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor lessOrEqual(Tensor b) {
        return Comparisons.compare("lessOrEqual", BinaryKernel.LESS_OR_EQUAL, self(), b);
    }

    /// [#lessOrEqual(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    public Tensor lessOrEqual(double b) {
        return Comparisons.compare("lessOrEqual", BinaryKernel.LESS_OR_EQUAL, self(), b);
    }

    /// `this = b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor equalTo(Tensor b) {
        return Comparisons.compare("equalTo", BinaryKernel.EQUAL_TO, self(), b);
    }

    /// [#equalTo(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    public Tensor equalTo(double b) {
        return Comparisons.compare("equalTo", BinaryKernel.EQUAL_TO, self(), b);
    }

    // What rules need beyond the public ops. Each is an op with rules of its own, so gradients can be
    // differentiated.

    /// relu's gradient: this where relu's output `y` is not 0, else 0.
    Tensor reluGradient(Tensor y) {
        return binary(
                self(),
                y,
                "reluGradient",
                BinaryKernel.RELU_GRADIENT,
                readsOther((g, other) -> g.reluGradient(other)),
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// tanh's gradient `this·(1 − y²)` from its output `y`.
    Tensor tanhGradient(Tensor y) {
        return binary(
                self(),
                y,
                "tanhGradient",
                BinaryKernel.TANH_GRADIENT,
                readsOther((g, other) -> g.tanhGradient(other)),
                readsInputs((g, own, other) -> g.multiply(other).multiply(own).multiply(-2)));
    }

    /// The logistic function's gradient `this·y·(1 − y)` from its output `y`.
    Tensor sigmoidGradient(Tensor y) {
        return binary(
                self(),
                y,
                "sigmoidGradient",
                BinaryKernel.SIGMOID_GRADIENT,
                readsOther((g, other) -> g.sigmoidGradient(other)),
                readsInputs((g, own, other) ->
                        g.multiply(other).multiply(own.multiply(-2).add(1))));
    }

    /// The part of maximum's gradient that belongs to this: 1 where it is larger than b, ½ where equal, else 0.
    Tensor maximumShare(Tensor b) {
        return binary(
                self(),
                b,
                "maximumShare",
                BinaryKernel.MAXIMUM_SHARE,
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)),
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// `this·share` for a share of a gradient that has none of its own; 0 where that is 0, whatever stands here: an
    /// infinite gradient goes to the operand that was taken and leaves no NaN at the other.
    Tensor shared(Tensor share) {
        return binary(
                self(),
                share,
                "shared",
                BinaryKernel.SHARED,
                readsOther((g, other) -> g.shared(other)),
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// This with 0 in place of what a mask marks, whatever stood there.
    Tensor zeroWhere(Tensor mask) {
        return Families.broadcasting(
                self(),
                mask,
                "zeroWhere",
                self().isWide() ? DoubleMask::zeroWhere : FloatMask::zeroWhere,
                readsOther((g, other) -> g.zeroWhere(other)),
                null);
    }

    /// This with 1 in place of what a mask marks: a divisor or a base that makes no infinity there. No gradient goes
    /// to what is replaced.
    Tensor oneWhere(Tensor mask) {
        return Selection.where(mask, Tensor.full(self().dtype, 1), self());
    }

    /// `this·factor`, without a tensor for the factor; for contiguous tensors that are small.
    Tensor scaled(double factor) {
        boolean recorded = Tensor.recorded(self());
        Tensor y = Tensor.make("scaled", self().dtype, self().shape, recorded);
        Launch.scale(self(), factor, y);
        return recorded ? y.record("scaled", null, readsNothing(g -> g.scaled(factor)), self()) : y;
    }

    /// A scalar of this dtype for the other side of a binary op.
    private Tensor constant(String op, double value) {
        self().requireFloating(op);
        return Tensor.full(self().dtype, value);
    }

    /// 0 of this dtype.
    Tensor zero() {
        return Tensor.full(self().dtype, 0);
    }
}
