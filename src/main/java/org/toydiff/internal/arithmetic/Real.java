package org.toydiff.internal.arithmetic;

/// A real number of an expression: a `float` or a `double`. Every method creates one operation, rounded as specified
/// by IEEE 754 and the Java language.
public final class Real extends Expression {
    Real(Precision precision, Operation operation, long number) {
        super(precision, operation, number, null);
    }

    Real(Operation operation, Expression... operands) {
        this(operation, null, operands);
    }

    Real(Operation operation, ScalarFunction function, Expression... operands) {
        super(operands[0].precision, operation, 0, function, operands);
    }

    public Real add(Real b) {
        return new Real(Operation.ADD, this, b);
    }

    public Real subtract(Real b) {
        return new Real(Operation.SUBTRACT, this, b);
    }

    public Real multiply(Real b) {
        return new Real(Operation.MULTIPLY, this, b);
    }

    public Real divide(Real b) {
        return new Real(Operation.DIVIDE, this, b);
    }

    public Real negative() {
        return new Real(Operation.NEGATIVE, this);
    }

    public Real abs() {
        return new Real(Operation.ABS, this);
    }

    public Real sqrt() {
        return new Real(Operation.SQRT, this);
    }

    /// {@return `this·b + c`, rounded once} One instruction if the processor has it; otherwise equally exact,
    /// through [java.math.BigDecimal], and hundreds of times slower.
    public Real fma(Real b, Real c) {
        return new Real(Operation.FMA, this, b, c);
    }

    /// {@return [Math#min(double, double)]: NaN if either is, −0 before +0}
    public Real min(Real b) {
        return new Real(Operation.MIN, this, b);
    }

    /// {@return [Math#max(double, double)]: NaN if either is, +0 before −0}
    public Real max(Real b) {
        return new Real(Operation.MAX, this, b);
    }

    /// {@return this magnitude with the sign of `sign`} Applies to NaN too: bits are moved.
    public Real copySign(Real sign) {
        Bits mask = precision.bits(1L << precision.size - 1);
        return bits().and(mask.not()).or(sign.bits().and(mask)).real();
    }

    public Condition less(Real b) {
        return new Condition(Operation.LESS, this, b);
    }

    public Condition lessOrEqual(Real b) {
        return new Condition(Operation.LESS_OR_EQUAL, this, b);
    }

    public Condition greater(Real b) {
        return b.less(this);
    }

    public Condition greaterOrEqual(Real b) {
        return b.lessOrEqual(this);
    }

    public Condition equalTo(Real b) {
        return new Condition(Operation.EQUAL, this, b);
    }

    /// {@return the negation of [#equalTo]: true for NaN and anything}
    public Condition notEqualTo(Real b) {
        return new Condition(Operation.NOT_EQUAL, this, b);
    }

    public Condition isNaN() {
        return notEqualTo(this);
    }

    /// {@return the bits of this number, as [Float#floatToRawIntBits] and [Double#doubleToRawLongBits]}
    public Bits bits() {
        return new Bits(Operation.REINTERPRET, this);
    }

    /// {@return the integer of this number, truncated as by Java's cast} For FLOAT64 only AVX-512 has a vector
    /// instruction: for numbers below 2⁵¹, prefer adding 1.5·2⁵² and reading [#bits].
    public Bits toInteger() {
        return new Bits(Operation.CONVERT, this);
    }

    /// {@return `function` of this number for elements for which `when` holds, else `usual`}
    ///
    /// For a computation that few elements need and no straight-line code can do, such as reducing a huge angle. The
    /// vector form computes a vector with such an element one element at a time.
    public Real rarely(Condition when, ScalarFunction function, Real usual) {
        function.of(usual.precision, 1);
        return new Real(Operation.RARELY, function, when, usual, this);
    }

    /// {@return `function` of this number and b for elements for which `when` holds, else `usual`} As
    /// [#rarely(Condition, ScalarFunction, Real)].
    public Real rarely(Condition when, ScalarFunction function, Real b, Real usual) {
        function.of(usual.precision, 2);
        return new Real(Operation.RARELY, function, when, usual, this, b);
    }
}
