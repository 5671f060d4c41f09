package org.toydiff.internal.arithmetic;

/// A two's-complement integer of an expression, as wide as its real numbers: an `int` beside `float`, a `long`
/// beside `double`. Arithmetic wraps around.
public final class Bits extends Expression {
    Bits(Precision precision, Operation operation, long number) {
        super(precision, operation, number, null);
    }

    Bits(Operation operation, Expression... operands) {
        this(operation, 0, operands);
    }

    /// `distance` is 0 for all operations but shifts.
    Bits(Operation operation, long distance, Expression... operands) {
        super(operands[0].precision, operation, distance, null, operands);
    }

    private Bits(Operation operation, Bits x, int distance) {
        this(operation, (long) distance, x);
        if (distance < 0 || distance >= x.precision.size) {
            throw new IllegalArgumentException(operation + " by " + distance + " of " + x.precision.size + " bits");
        }
    }

    public Bits add(Bits b) {
        return new Bits(Operation.ADD, this, b);
    }

    public Bits subtract(Bits b) {
        return new Bits(Operation.SUBTRACT, this, b);
    }

    public Bits multiply(Bits b) {
        return new Bits(Operation.MULTIPLY, this, b);
    }

    /// {@return the quotient, rounded towards −∞, as [Math#floorDiv(int, int)]} No processor divides vectors of
    /// integers, so an expression with this operation has a scalar loop only.
    ///
    /// @throws ArithmeticException in the loop, if b is 0
    public Bits floorDivide(Bits b) {
        return new Bits(Operation.FLOOR_DIVIDE, this, b);
    }

    /// {@return the remainder of [#floorDivide], which has the sign of b} Of scalar loops only, likewise.
    ///
    /// @throws ArithmeticException in the loop, if b is 0
    public Bits floorRemainder(Bits b) {
        return new Bits(Operation.FLOOR_REMAINDER, this, b);
    }

    public Bits negative() {
        return precision.bits(0).subtract(this);
    }

    /// {@return the absolute value; the least integer stays as it is}
    public Bits abs() {
        return less(precision.bits(0)).select(negative(), this);
    }

    public Bits min(Bits b) {
        return less(b).select(this, b);
    }

    public Bits max(Bits b) {
        return less(b).select(b, this);
    }

    public Bits and(Bits b) {
        return new Bits(Operation.AND, this, b);
    }

    public Bits or(Bits b) {
        return new Bits(Operation.OR, this, b);
    }

    public Bits xor(Bits b) {
        return new Bits(Operation.XOR, this, b);
    }

    public Bits not() {
        return new Bits(Operation.NOT, this);
    }

    public Bits shiftLeft(int distance) {
        return new Bits(Operation.SHIFT_LEFT, this, distance);
    }

    /// {@return this shifted right, with sign extension}
    public Bits shiftRight(int distance) {
        return new Bits(Operation.SHIFT_RIGHT, this, distance);
    }

    /// {@return this shifted right, with zero extension}
    public Bits shiftRightUnsigned(int distance) {
        return new Bits(Operation.SHIFT_RIGHT_UNSIGNED, this, distance);
    }

    public Condition less(Bits b) {
        return new Condition(Operation.LESS, this, b);
    }

    public Condition lessOrEqual(Bits b) {
        return new Condition(Operation.LESS_OR_EQUAL, this, b);
    }

    public Condition greater(Bits b) {
        return b.less(this);
    }

    public Condition greaterOrEqual(Bits b) {
        return b.lessOrEqual(this);
    }

    public Condition equalTo(Bits b) {
        return new Condition(Operation.EQUAL, this, b);
    }

    public Condition notEqualTo(Bits b) {
        return new Condition(Operation.NOT_EQUAL, this, b);
    }

    /// {@return the real number that has these bits}
    public Real real() {
        return new Real(Operation.REINTERPRET, this);
    }

    /// {@return the real number nearest to this integer} For FLOAT64 only AVX-512 has a vector instruction.
    public Real toReal() {
        return new Real(Operation.CONVERT, this);
    }
}
