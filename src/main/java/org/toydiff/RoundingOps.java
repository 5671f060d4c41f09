package org.toydiff;

import static org.toydiff.Families.unary;
import static org.toydiff.Rule.readsInput;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// The ops of a [Tensor] that round, and tests for NaN and infinities, element by element. All are exact.
public sealed interface RoundingOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    // Rounding: numbers that become 0 keep their sign, infinities, NaN and integers stay. The gradient is 0 everywhere.

    /// `y = ⌊x⌋`: the largest integer that is not above x; gradient 0.
    ///
    /// @return a new tensor of this shape and dtype
    default Tensor floor() {
        return rounded("floor", UnaryKernel.FLOOR);
    }

    /// `y = ⌈x⌉`: the smallest integer that is not below x; gradient 0.
    ///
    /// @return a new tensor of this shape and dtype
    default Tensor ceil() {
        return rounded("ceil", UnaryKernel.CEIL);
    }

    /// The nearest integer, the even one from halfway between two: 0.5 becomes 0, and 1.5 becomes 2; gradient 0.
    ///
    /// @return a new tensor of this shape and dtype
    default Tensor round() {
        return rounded("round", UnaryKernel.ROUND);
    }

    /// The integer part: x without its fraction, that is, rounded towards 0; gradient 0.
    ///
    /// @return a new tensor of this shape and dtype
    default Tensor trunc() {
        return rounded("trunc", UnaryKernel.TRUNC);
    }

    private Tensor rounded(String op, UnaryKernel kernel) {
        return self().dtype.isInteger() ? copied(op) : unary(self(), op, kernel, Tensor.ZERO);
    }

    /// A copy of elements that are no floats, which an op leaves as they are.
    private Tensor copied(String op) {
        Tensor x = self();
        x.requireReadable(op);
        Tensor y = Tensor.make(op, x.dtype, x.shape, false);
        Launch.unary(Families.copy(x.dtype), x, y);
        return y;
    }

    // NaN and infinities. Tests are not differentiable.

    /// {@return a new BOOL tensor of this shape, true where an element is NaN} Integers never are.
    default Tensor isNan() {
        return test("isNan", UnaryKernel.IS_NAN, false);
    }

    /// {@return a new BOOL tensor of this shape, true where an element is neither infinite nor NaN} Integers
    /// always are.
    default Tensor isFinite() {
        return test("isFinite", UnaryKernel.IS_FINITE, true);
    }

    /// {@return a new BOOL tensor of this shape, true where an element is ∞ or −∞} Integers never are.
    default Tensor isInf() {
        return test("isInf", UnaryKernel.IS_INF, false);
    }

    private Tensor test(String op, UnaryKernel kernel, boolean ofIntegers) {
        Tensor x = self();
        x.requireReadable(op);
        Tensor y = Tensor.make(op, DType.BOOL, x.shape, false);
        if (!x.dtype.isFloating()) {
            return y.fill(ofIntegers ? 1 : 0);
        }
        Launch.unary(x.dtype.kind.of(kernel), x, y);
        return y;
    }

    /// [#nanToNum(double, double, double)] with 0 for NaN and with this dtype's largest and lowest numbers for the
    /// infinities, as NumPy's. Integers and BOOL, which have neither, stay.
    ///
    /// @return a new tensor of this shape
    default Tensor nanToNum() {
        if (!self().dtype.isFloating()) {
            return copied("nanToNum");
        }
        double largest = self().dtype.largest();
        return nanToNum(0, largest, -largest);
    }

    /// `y = x`, with other numbers in place of NaN and the infinities; gradient `g` where x is finite, else 0.
    ///
    /// **Memory** while it runs a BOOL tensor of this shape too.
    ///
    /// @param nan in place of NaN; this and the next two may be any number, infinities and NaN included
    /// @param posinf in place of ∞
    /// @param neginf in place of −∞
    /// @return a new tensor of this shape
    default Tensor nanToNum(double nan, double posinf, double neginf) {
        Tensor x = self();
        if (!x.dtype.isFloating()) {
            return copied("nanToNum");
        }
        x.requireReadable("nanToNum");
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("nanToNum", x.dtype, x.shape, recorded);
        Launch.unary(Families.copy(x.dtype), x, y);
        Tensor mask = Tensor.make("nanToNum", DType.BOOL, x.shape, true);
        Launch.unary(x.dtype.kind.of(UnaryKernel.IS_NAN), x, mask);
        put(y, mask, nan);
        replace(x, Double.POSITIVE_INFINITY, mask, y, posinf);
        replace(x, Double.NEGATIVE_INFINITY, mask, y, neginf);
        mask.freeCopyOf(x, "nanToNum");
        Rule rule = readsInput((g, in) -> Tensor.where(in.isFinite(), g, g.zero()));
        return recorded ? y.record("nanToNum", null, rule, x) : y;
    }

    /// `y = value` where x is `number`, which overwrites the mask.
    private static void replace(Tensor x, double number, Tensor mask, Tensor y, double value) {
        Launch.binary(x.dtype.kind.of(BinaryKernel.EQUAL_TO), x, Tensor.constant(x.dtype, number), mask);
        put(y, mask, value);
    }

    private static void put(Tensor y, Tensor mask, double value) {
        Launch.binary(Families.put(y.dtype), Tensor.constant(y.dtype, value), mask, y);
    }
}
