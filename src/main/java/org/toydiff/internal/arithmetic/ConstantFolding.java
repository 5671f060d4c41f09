package org.toydiff.internal.arithmetic;

import java.util.List;

/// Does arithmetic on constants, once instead of for each element.
final class ConstantFolding {
    private ConstantFolding() {}

    /// {@return the constant that a number is if its operands are constants, else the number itself} A NaN is left to
    /// the loop, as its sign and payload are the processor's.
    static Real of(Real node) {
        if (node.operands.isEmpty() || !node.operands.stream().allMatch(ConstantFolding::isNumber)) {
            return node;
        }
        double value = value(node.operation, node.operands);
        return Double.isNaN(value) ? node : node.precision.constant(value);
    }

    private static boolean isNumber(Expression operand) {
        return operand instanceof Real && operand.operation == Operation.CONSTANT;
    }

    /// {@return the result of an operation, or NaN if it is not among those that are computed here}
    ///
    /// One operation on floats is the same operation on doubles, rounded to float (S. Figueroa, "When is double
    /// rounding innocuous?", 1995).
    private static double value(Operation operation, List<Expression> operands) {
        double a = value(operands.getFirst());
        double b = value(operands.getLast());
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case NEGATIVE -> -a;
            case ABS -> Math.abs(a);
            case SQRT -> Math.sqrt(a);
            default -> Double.NaN;
        };
    }

    private static double value(Expression constant) {
        return constant.precision == Precision.FLOAT32
                ? Float.intBitsToFloat((int) constant.number)
                : Double.longBitsToDouble(constant.number);
    }
}
