package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Families.comparison;
import static org.toydiff.Families.reduction;
import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsAll;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputAndOutput;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;
import static org.toydiff.Rule.readsOutput;
import static org.toydiff.Rule.readsShape;

import java.util.Arrays;
import org.toydiff.internal.kernels.AnyKernels;
import org.toydiff.internal.kernels.DoubleKernels;
import org.toydiff.internal.kernels.FloatKernels;

/// The ops of [Tensor], one row each: name, kernels, and a gradient rule for each input. Families own
/// everything else.
abstract sealed class TensorOps extends TensorCreation permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    // Element by element, one operand.

    /// `y = ln x`: the natural logarithm; gradient `g / x`.
    ///
    /// @return a new tensor of this shape
    public Tensor log() {
        return unary(self(), "log", FloatKernels::log, DoubleKernels::log, readsInput((g, x) -> g.divide(x)));
    }

    /// `y = −x`: the negative; gradient `−g`.
    ///
    /// @return a new tensor of this shape
    public Tensor negative() {
        return unary(
                self(), "negative", FloatKernels::negative, DoubleKernels::negative, readsNothing(g -> g.negative()));
    }

    /// `y = 1 / (1 + e⁻ˣ)`: the logistic function; gradient `g·y·(1 − y)`.
    ///
    /// @return a new tensor of this shape
    public Tensor sigmoid() {
        return unary(
                self(),
                "sigmoid",
                FloatKernels::sigmoid,
                DoubleKernels::sigmoid,
                readsOutput((g, y) -> g.multiply(y.subtract(y.multiply(y)))));
    }

    /// `y = sin x`: the sine; gradient `g·cos x`.
    ///
    /// @return a new tensor of this shape
    public Tensor sin() {
        return unary(self(), "sin", FloatKernels::sin, DoubleKernels::sin, readsInput((g, x) -> g.multiply(x.cos())));
    }

    /// `y = cos x`: the cosine; gradient `−g·sin x`.
    ///
    /// @return a new tensor of this shape
    public Tensor cos() {
        return unary(self(), "cos", FloatKernels::cos, DoubleKernels::cos, readsInput((g, x) -> g.multiply(x.sin())
                .negative()));
    }

    /// `y = tan x`: the tangent; gradient `g·(1 + y²)`.
    ///
    /// @return a new tensor of this shape
    public Tensor tan() {
        return unary(
                self(),
                "tan",
                FloatKernels::tan,
                DoubleKernels::tan,
                readsOutput((g, y) -> g.multiply(y.multiply(y).add(1))));
    }

    /// `y = sinh x`: the hyperbolic sine; gradient `g·cosh x`.
    ///
    /// @return a new tensor of this shape
    public Tensor sinh() {
        return unary(
                self(), "sinh", FloatKernels::sinh, DoubleKernels::sinh, readsInput((g, x) -> g.multiply(x.cosh())));
    }

    /// `y = cosh x`: the hyperbolic cosine; gradient `g·sinh x`.
    ///
    /// @return a new tensor of this shape
    public Tensor cosh() {
        return unary(
                self(), "cosh", FloatKernels::cosh, DoubleKernels::cosh, readsInput((g, x) -> g.multiply(x.sinh())));
    }

    /// `y = tanh x`: the hyperbolic tangent; gradient `g·(1 − y²)`.
    ///
    /// @return a new tensor of this shape
    public Tensor tanh() {
        return unary(
                self(),
                "tanh",
                FloatKernels::tanh,
                DoubleKernels::tanh,
                readsOutput((g, y) -> g.subtract(g.multiply(y).multiply(y))));
    }

    /// `y = eˣ`: the exponential; gradient `g·y`.
    ///
    /// @return a new tensor of this shape
    public Tensor exp() {
        return unary(self(), "exp", FloatKernels::exp, DoubleKernels::exp, readsOutput((g, y) -> g.dying()
                .multiply(y)));
    }

    /// `y = −1, 0 or 1`: the sign, 0 for ±0 and NaN; gradient 0.
    ///
    /// @return a new tensor of this shape
    public Tensor sign() {
        return unary(
                self(),
                "sign",
                FloatKernels::sign,
                DoubleKernels::sign,
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// `y = |x|`: the absolute value; gradient `g·sign x`, so 0 at 0.
    ///
    /// @return a new tensor of this shape
    public Tensor abs() {
        return unary(self(), "abs", FloatKernels::abs, DoubleKernels::abs, readsInput((g, x) -> g.dying()
                .multiply(x.sign())));
    }

    /// `y = √x`: the square root, NaN below 0; gradient `g / 2y`.
    ///
    /// @return a new tensor of this shape
    public Tensor sqrt() {
        return unary(
                self(),
                "sqrt",
                FloatKernels::sqrt,
                DoubleKernels::sqrt,
                readsOutput((g, y) -> g.divide(y.multiply(2))));
    }

    /// `y = max(x, 0)`: the rectifier; NaN stays NaN; gradient g where `x > 0`, so 0 at 0.
    ///
    /// @return a new tensor of this shape
    public Tensor relu() {
        return unary(self(), "relu", FloatKernels::relu, DoubleKernels::relu, readsOutput((g, y) -> g.dying()
                .reluGradient(y)));
    }

    // Element by element, two operands that broadcast.

    /// `y = this + b`: the sum; gradient `g` to both.
    ///
    /// @param b an operand of the same dtype that broadcasts with this
    /// @return a new tensor of the broadcast shape
    public Tensor add(Tensor b) {
        return binary(
                self(), b, "add", FloatKernels::add, DoubleKernels::add, readsNothing(g -> g), readsNothing(g -> g));
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
                self(),
                b,
                "subtract",
                FloatKernels::subtract,
                DoubleKernels::subtract,
                readsNothing(g -> g),
                readsNothing(g -> g.negative()));
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
                FloatKernels::multiply,
                DoubleKernels::multiply,
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
                FloatKernels::divide,
                DoubleKernels::divide,
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
                FloatKernels::power,
                DoubleKernels::power,
                readsInputs((g, a, e) ->
                        g.multiply(e.multiply(a.power(e.subtract(1))).zeroWhere(e.equalTo(e.zero())))),
                readsAll((g, e, a, y) -> g.multiply(y.multiply(a.log())
                        .zeroWhere(a.abs().maximum(e.negative()).lessOrEqual(a.zero())))));
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
                FloatKernels::maximum,
                DoubleKernels::maximum,
                readsInputs((g, own, other) -> g.multiply(own.maximumShare(other))),
                readsInputs((g, own, other) -> g.multiply(own.maximumShare(other))));
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
                FloatKernels::minimum,
                DoubleKernels::minimum,
                readsInputs((g, own, other) -> g.multiply(other.maximumShare(own))),
                readsInputs((g, own, other) -> g.multiply(other.maximumShare(own))));
    }

    /// [#minimum(Tensor)] with a constant of this dtype.
    ///
    /// @param b the constant
    /// @return a new tensor of this shape
    public Tensor minimum(double b) {
        return minimum(constant("minimum", b));
    }

    /// `y = this·b + c`, one pass of BLAS that accumulates onto c; gradients as [#matmul(Tensor)], and `g` to
    /// c.
    ///
    /// @param b a matrix, or a batch of them
    /// @param c a tensor that broadcasts to the product's shape
    /// @return a new tensor
    /// @throws IllegalArgumentException if the inner sizes differ, or c does not broadcast to the product
    public Tensor fma(Tensor b, Tensor c) {
        return Products.fma(self(), b, c);
    }

    /// Matrix product `y = this·b`.
    ///
    /// **Shapes** `[…,m,k] · […,k,n] → […,m,n]`; leading axes broadcast. A 1-D operand is a row before and a
    /// column after, and
    /// its axis is dropped, as in NumPy: `[k] · [k] → []`.
    /// **Gradient** `g·bᵀ` to this, `thisᵀ·g` to b.
    /// **Memory** a new tensor in the innermost arena; an operand whose rows and columns are both spaced is
    /// copied for the call.
    ///
    /// @param b the right operand, of the same dtype
    /// @return a new tensor
    /// @throws IllegalArgumentException if the inner sizes differ, or the leading axes do not broadcast
    public Tensor matmul(Tensor b) {
        return Products.matmul(self(), b);
    }

    // Reductions: over all axes, over one, over one that stays with size 1.

    /// The sum, accumulated in double, over all axes; gradient `g` to every element.
    ///
    /// @return a new scalar
    public Tensor sum() {
        return sum(Families.all(self()), false);
    }

    /// The sum, accumulated in double, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor sum(int axis) {
        return sum(axis, false);
    }

    /// The sum, accumulated in double, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor sum(int axis, boolean keepDims) {
        return sum(Families.one(self(), "sum", axis), keepDims);
    }

    Tensor sum(boolean[] reduced, boolean keepDims) {
        return reduction(
                self(),
                "sum",
                reduced,
                keepDims,
                FloatKernels::sum,
                DoubleKernels::sum,
                self().dtype,
                readsShape((g, shape) -> g.broadcastTo(shape)));
    }

    /// The mean, NaN of nothing, over all axes; gradient `g / n` to every element.
    ///
    /// @return a new scalar
    public Tensor mean() {
        return mean(Families.all(self()), false);
    }

    /// The mean, NaN of nothing, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor mean(int axis) {
        return mean(axis, false);
    }

    /// The mean, NaN of nothing, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor mean(int axis, boolean keepDims) {
        return mean(Families.one(self(), "mean", axis), keepDims);
    }

    private Tensor mean(boolean[] reduced, boolean keepDims) {
        return reduction(
                self(),
                "mean",
                reduced,
                keepDims,
                FloatKernels::mean,
                DoubleKernels::mean,
                self().dtype,
                readsShape((g, shape) ->
                        g.divide((double) Shape.size(shape) / g.size()).broadcastTo(shape)));
    }

    /// The largest element, NaN if any is, over all axes; gradient `g` shared evenly among equal ones, as
    /// PyTorch's `amax`.
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there is nothing to reduce
    public Tensor max() {
        return max(Families.all(self()), false);
    }

    /// The largest element, NaN if any is, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor max(int axis) {
        return max(axis, false);
    }

    /// The largest element, NaN if any is, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor max(int axis, boolean keepDims) {
        return max(Families.one(self(), "max", axis), keepDims);
    }

    private Tensor max(boolean[] reduced, boolean keepDims) {
        requireElements("max", reduced);
        return reduction(
                self(),
                "max",
                reduced,
                keepDims,
                FloatKernels::max,
                DoubleKernels::max,
                self().dtype,
                readsInputAndOutput(TensorOps::shareAmongEqual));
    }

    /// The smallest element, NaN if any is, over all axes; gradient `g` shared evenly among equal ones, as
    /// PyTorch's `amin`.
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there is nothing to reduce
    public Tensor min() {
        return min(Families.all(self()), false);
    }

    /// The smallest element, NaN if any is, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor min(int axis) {
        return min(axis, false);
    }

    /// The smallest element, NaN if any is, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor min(int axis, boolean keepDims) {
        return min(Families.one(self(), "min", axis), keepDims);
    }

    private Tensor min(boolean[] reduced, boolean keepDims) {
        requireElements("min", reduced);
        return reduction(
                self(),
                "min",
                reduced,
                keepDims,
                FloatKernels::min,
                DoubleKernels::min,
                self().dtype,
                readsInputAndOutput(TensorOps::shareAmongEqual));
    }

    private static Tensor shareAmongEqual(Tensor g, Tensor x, Tensor y) {
        Tensor equal = x.equalTo(y).cast(g.dtype);
        return g.divide(equal.sumTo(y.shape)).multiply(equal);
    }

    /// The standard deviation, divided by n as in NumPy, over all axes; gradient `g·(x − mean) / (n·y)`, 0
    /// where y is 0.
    ///
    /// @return a new scalar
    public Tensor std() {
        return std(Families.all(self()), false);
    }

    /// The standard deviation, divided by n as in NumPy, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor std(int axis) {
        return std(axis, false);
    }

    /// The standard deviation, divided by n as in NumPy, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor std(int axis, boolean keepDims) {
        return std(Families.one(self(), "std", axis), keepDims);
    }

    /// The standard deviation along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @param ddof what the count n is reduced by before dividing: 0 as in NumPy, 1 for PyTorch's unbiased
    ///     estimate
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or ddof is negative
    public Tensor std(int axis, boolean keepDims, int ddof) {
        return std(Families.one(self(), "std", axis), keepDims, ddof);
    }

    private Tensor std(boolean[] reduced, boolean keepDims) {
        return std(reduced, keepDims, 0);
    }

    private Tensor std(boolean[] reduced, boolean keepDims, int ddof) {
        if (ddof < 0) {
            throw new IllegalArgumentException("std: ddof " + ddof + " is negative; use 0 or 1");
        }
        return reduction(
                self(),
                "std",
                reduced,
                keepDims,
                (x, x0, n1, s1, n2, s2, y, y0) -> FloatKernels.std(x, x0, n1, s1, n2, s2, y, y0, ddof),
                (x, x0, n1, s1, n2, s2, y, y0) -> DoubleKernels.std(x, x0, n1, s1, n2, s2, y, y0, ddof),
                self().dtype,
                readsInputAndOutput((g, x, y) -> {
                    double n = (double) x.size() / y.size();
                    Tensor scale = g.divide(y.multiply(n - ddof)).zeroWhere(y.equalTo(y.zero()));
                    return x.subtract(x.sumTo(y.shape).divide(n)).multiply(scale);
                }));
    }

    private void requireElements(String op, boolean[] reduced) {
        for (int i = 0; i < reduced.length; i++) {
            if (reduced[i] && self().shape[i] == 0) {
                throw new IllegalArgumentException(op + ": axis " + i + " of " + Shape.text(self().shape)
                        + " has size 0, and nothing has no " + op);
            }
        }
    }

    /// The position of the largest element along an axis, the first of equal ones; the first NaN counts as
    /// largest. Not
    /// differentiable.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    public Tensor argmax(int axis) {
        boolean[] reduced = Families.one(self(), "argmax", axis);
        requireElements("argmax", reduced);
        return reduction(
                self(), "argmax", reduced, false, FloatKernels::argmax, DoubleKernels::argmax, DType.INT64, null);
    }

    // Masks.

    /// `this > b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor greater(Tensor b) {
        return comparison(
                self(),
                b,
                "greater",
                FloatKernels::greater,
                DoubleKernels::greater,
                self().dtype == DType.INT64
                        ? AnyKernels::greater8
                        : self().dtype == DType.INT32 ? AnyKernels::greater4 : AnyKernels::greater1);
    }

    /// `this ≥ b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor greaterOrEqual(Tensor b) {
        return comparison(
                self(),
                b,
                "greaterOrEqual",
                FloatKernels::greaterOrEqual,
                DoubleKernels::greaterOrEqual,
                self().dtype == DType.INT64
                        ? AnyKernels::greaterOrEqual8
                        : self().dtype == DType.INT32 ? AnyKernels::greaterOrEqual4 : AnyKernels::greaterOrEqual1);
    }

    /// `this < b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor less(Tensor b) {
        return comparison(
                self(),
                b,
                "less",
                FloatKernels::less,
                DoubleKernels::less,
                self().dtype == DType.INT64
                        ? AnyKernels::less8
                        : self().dtype == DType.INT32 ? AnyKernels::less4 : AnyKernels::less1);
    }

    /// `this ≤ b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor lessOrEqual(Tensor b) {
        return comparison(
                self(),
                b,
                "lessOrEqual",
                FloatKernels::lessOrEqual,
                DoubleKernels::lessOrEqual,
                self().dtype == DType.INT64
                        ? AnyKernels::lessOrEqual8
                        : self().dtype == DType.INT32 ? AnyKernels::lessOrEqual4 : AnyKernels::lessOrEqual1);
    }

    /// `this = b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    public Tensor equalTo(Tensor b) {
        return comparison(
                self(),
                b,
                "equalTo",
                FloatKernels::equalTo,
                DoubleKernels::equalTo,
                self().dtype == DType.INT64
                        ? AnyKernels::equalTo8
                        : self().dtype == DType.INT32 ? AnyKernels::equalTo4 : AnyKernels::equalTo1);
    }

    /// The elements as another dtype; gradient `g` cast back, between floating dtypes.
    ///
    /// Rounds to the nearest float; cuts towards zero for whole numbers; BOOL is "not 0". NaN and what is out
    /// of range have no
    /// whole number.
    ///
    /// @param dtype the dtype of the result
    /// @return a new tensor, or this when it has the dtype already
    /// @throws IllegalArgumentException if an element has no value of a whole-number dtype
    public Tensor cast(DType dtype) {
        return Conversions.cast(self(), dtype);
    }

    // Views: another sight of the same block.

    /// The same elements in another shape: a view where strides allow it, else a copy; gradient `g` in this
    /// shape.
    ///
    /// @param shape the sizes; one of them may be -1, to be worked out
    /// @return a view or a new tensor
    /// @throws IllegalArgumentException if the sizes do not multiply to this size
    public Tensor reshape(long... shape) {
        return Views.reshape(self(), shape);
    }

    /// The axes in reverse order: a view.
    ///
    /// @return a view of the same block
    public Tensor transpose() {
        int[] axes = new int[self().rank()];
        Arrays.setAll(axes, i -> axes.length - 1 - i);
        return transpose(axes);
    }

    /// The axes in another order: a view; gradient `g` with the axes put back.
    ///
    /// @param axes every axis once, negative ones counted from the back
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axes are not a permutation
    public Tensor transpose(int... axes) {
        return Views.transpose(self(), axes);
    }

    /// Positions `from` to `to − 1` along an axis: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param from the first position, negative ones counted from the end
    /// @param to one past the last position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis or a position is out of range
    public Tensor slice(int axis, long from, long to) {
        return Views.slice(self(), axis, from, to);
    }

    /// Entry `index` along the first axis, which is dropped: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param index the position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if this is a scalar or the position is out of range
    public Tensor get(long index) {
        return Views.get(self(), index);
    }

    /// This tensor stretched to a larger shape by NumPy's rule: a view with stride 0; gradient `g` summed over
    /// what was stretched.
    ///
    /// @param shape the shape to stretch to
    /// @return a view of the same block
    /// @throws IllegalArgumentException if this shape does not stretch to it
    public Tensor broadcastTo(long... shape) {
        return Views.broadcastTo(self(), shape);
    }

    /// The elements at given positions along an axis: `y[i][j] = this[i][index[i][j]]` for axis 1; gradient
    /// `g` added at those
    /// positions.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param index INT32 or INT64 positions, of this rank, no longer than this along the other axes
    /// @return a new tensor of the index's shape
    /// @throws IllegalArgumentException if the axis or a position is out of range, or the shapes do not fit
    public Tensor gather(int axis, Tensor index) {
        return Indexing.gather(self(), axis, index);
    }

    // What rules need beyond the public ops. Each is an op with rules of its own, so gradients can be
    // differentiated.

    /// relu's gradient: this where relu's output `y` is not 0, else 0.
    Tensor reluGradient(Tensor y) {
        return binary(
                self(),
                y,
                "reluGradient",
                FloatKernels::reluGradient,
                DoubleKernels::reluGradient,
                readsOther((g, other) -> g.reluGradient(other)),
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// The part of maximum's gradient that belongs to this: 1 where it is larger than b, ½ where equal, else 0.
    Tensor maximumShare(Tensor b) {
        return binary(
                self(),
                b,
                "maximumShare",
                FloatKernels::maximumShare,
                DoubleKernels::maximumShare,
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)),
                readsShape((g, shape) -> Tensor.zeros(g.dtype, shape)));
    }

    /// This with 0 in place of what a mask marks, whatever stood there.
    Tensor zeroWhere(Tensor mask) {
        return Families.broadcasting(
                self(),
                mask,
                "zeroWhere",
                self().dtype == DType.FLOAT32 ? FloatKernels::zeroWhere : DoubleKernels::zeroWhere,
                readsOther((g, other) -> g.zeroWhere(other)),
                null);
    }

    /// The sum over whatever axes broadcasting from `shape` to this shape stretched; this itself when none.
    Tensor sumTo(long[] shape) {
        if (Arrays.equals(self().shape, shape)) {
            return self();
        }
        int extra = self().rank() - shape.length;
        boolean[] reduced = new boolean[self().rank()];
        for (int i = 0; i < reduced.length; i++) {
            reduced[i] = i < extra || (shape[i - extra] == 1 && self().shape[i] != 1);
        }
        Tensor sum = sum(reduced, true);
        return extra == 0 ? sum : sum.reshape(shape);
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
