package org.toydiff.internal.arithmetic;

import java.util.List;

/// Describes the computation of a kernel for one element: a node of an immutable graph whose leaves are inputs,
/// parameters and constants. A node with two uses is computed once.
///
/// The description is exact: the loops made from it perform these operations, in an order that respects the graph,
/// and no others. Nothing is contracted, reassociated or replaced, so that the scalar and the vector form, on every
/// machine, give the same bits. (Only the sign and payload of a NaN result are the processor's own.)
public abstract sealed class Expression permits Real, Bits, Condition {
    final Precision precision;
    final Operation operation;

    /// A constant's bits, the index of an input or parameter, or the distance of a shift; else 0.
    final long number;

    /// The function of [Operation#RARELY], else null.
    final ScalarFunction function;

    final List<Expression> operands;

    Expression(Precision precision, Operation operation, long number, ScalarFunction function, Expression... operands) {
        for (Expression operand : operands) {
            if (operand.precision != precision) {
                throw new IllegalArgumentException(operation + " of " + precision + " and " + operand.precision
                        + ": operands must be of one precision");
            }
        }
        this.precision = precision;
        this.operation = operation;
        this.number = number;
        this.function = function;
        this.operands = List.of(operands);
    }

    /// {@return the precision of all numbers in this expression}
    public final Precision precision() {
        return precision;
    }

    /// {@return this expression with operand i replaced by `operands.get(i)`} The operands are of one precision, which
    /// becomes that of the result: it may differ from this one's where this expression has truth values only.
    /// Arithmetic on constants is done here; its result has the bits that a loop would compute.
    ///
    /// @throws IllegalArgumentException if a number replaces a truth value, or the reverse
    public final Expression substitute(List<? extends Expression> operands) {
        return new Substitution(operands).of(this);
    }

    /// {@return whether this is a number, the same for all elements: a constant, or the bits of one}
    public final boolean isConstant() {
        return operation == Operation.CONSTANT
                || operation == Operation.REINTERPRET && operands.getFirst().isConstant();
    }

    /// {@return readable pseudo-code: one line for each node that is used more than once, then the result}
    @Override
    public final String toString() {
        return PseudoCode.of(this);
    }
}
