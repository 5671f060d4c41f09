package org.toydiff.internal.arithmetic;

/// A truth value of an expression: a `boolean`, or a lane of a mask.
public final class Condition extends Expression {
    Condition(Precision precision, int input) {
        super(precision, Operation.INPUT, input, null);
    }

    Condition(Operation operation, Expression... operands) {
        super(operands[0].precision, operation, 0, null, operands);
    }

    public Condition and(Condition b) {
        return new Condition(Operation.AND, this, b);
    }

    public Condition or(Condition b) {
        return new Condition(Operation.OR, this, b);
    }

    public Condition xor(Condition b) {
        return or(b).and(and(b).not());
    }

    public Condition not() {
        return new Condition(Operation.NOT, this);
    }

    /// {@return a where this holds, else b} Both are computed.
    public Real select(Real a, Real b) {
        return new Real(Operation.SELECT, this, a, b);
    }

    /// {@return a where this holds, else b} Both are computed.
    public Bits select(Bits a, Bits b) {
        return new Bits(Operation.SELECT, this, a, b);
    }
}
