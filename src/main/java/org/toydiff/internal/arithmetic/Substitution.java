package org.toydiff.internal.arithmetic;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Replaces the operands of an expression by other expressions.
final class Substitution {
    private final List<? extends Expression> operands;
    private final Map<Expression, Expression> replaced = new IdentityHashMap<>();

    Substitution(List<? extends Expression> operands) {
        this.operands = operands;
    }

    Expression of(Expression node) {
        Expression known = replaced.get(node);
        if (known == null) {
            known = node.operation == Operation.INPUT ? operand(node) : node.operands.isEmpty() ? node : rebuilt(node);
            replaced.put(node, known);
        }
        return known;
    }

    private Expression operand(Expression input) {
        Expression operand = operands.get((int) input.number);
        if (operand.getClass() != input.getClass()) {
            throw new IllegalArgumentException("operand " + input.number + " is of another type: " + operand);
        }
        return operand;
    }

    private Expression rebuilt(Expression node) {
        Expression[] operands = node.operands.stream().map(this::of).toArray(Expression[]::new);
        if (node.operation == Operation.REINTERPRET && operands[0].operation == Operation.REINTERPRET) {
            return operands[0].operands.getFirst();
        }
        return switch (node) {
            case Real real -> ConstantFolding.of(new Real(node.operation, node.function, operands));
            case Bits bits -> new Bits(node.operation, node.number, operands);
            case Condition condition -> new Condition(node.operation, operands);
        };
    }
}
