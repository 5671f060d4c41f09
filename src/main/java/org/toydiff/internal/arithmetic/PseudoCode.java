package org.toydiff.internal.arithmetic;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Formats an expression as readable pseudo-code.
final class PseudoCode {
    private final Map<Expression, Integer> uses = new IdentityHashMap<>();
    private final Map<Expression, String> names = new IdentityHashMap<>();
    private final StringBuilder lines = new StringBuilder();

    private PseudoCode() {}

    static String of(Expression expression) {
        var code = new PseudoCode();
        code.count(expression);
        String result = code.text(expression);
        return code.lines.append(result).toString();
    }

    private void count(Expression node) {
        if (uses.merge(node, 1, Integer::sum) == 1) {
            node.operands.forEach(this::count);
        }
    }

    /// {@return the node's name if it is shared, after writing the line that defines it, else its formula}
    private String text(Expression node) {
        String name = names.get(node);
        if (name != null) {
            return name;
        }
        List<String> operands = node.operands.stream().map(this::text).toList();
        String formula = formula(node, operands);
        if (node.operands.isEmpty() || uses.get(node) == 1) {
            return formula;
        }
        name = "t" + (names.size() + 1);
        names.put(node, name);
        lines.append(name).append(" = ").append(formula).append('\n');
        return name;
    }

    private static String formula(Expression node, List<String> operands) {
        return switch (node.operation) {
            case INPUT -> "input" + node.number;
            case PARAMETER -> "parameter" + node.number;
            case CONSTANT -> constant(node);
            case ADD -> infix(" + ", operands);
            case SUBTRACT -> infix(" - ", operands);
            case MULTIPLY -> infix(" * ", operands);
            case DIVIDE -> infix(" / ", operands);
            case FLOOR_DIVIDE -> call("floorDivide", operands);
            case FLOOR_REMAINDER -> call("floorRemainder", operands);
            case LESS -> infix(" < ", operands);
            case LESS_OR_EQUAL -> infix(" <= ", operands);
            case EQUAL -> infix(" == ", operands);
            case NOT_EQUAL -> infix(" != ", operands);
            case AND -> infix(" & ", operands);
            case OR -> infix(" | ", operands);
            case XOR -> infix(" ^ ", operands);
            case SHIFT_LEFT -> "(" + operands.getFirst() + " << " + node.number + ")";
            case SHIFT_RIGHT -> "(" + operands.getFirst() + " >> " + node.number + ")";
            case SHIFT_RIGHT_UNSIGNED -> "(" + operands.getFirst() + " >>> " + node.number + ")";
            case SELECT -> "(" + operands.get(0) + " ? " + operands.get(1) + " : " + operands.get(2) + ")";
            case REINTERPRET -> call(node instanceof Real ? "real" : "bits", operands);
            case CONVERT -> call(node instanceof Real ? "toReal" : "toInteger", operands);
            case RARELY ->
                "(" + operands.get(0) + " ? " + call(node.function.name(), operands.subList(2, operands.size())) + " : "
                        + operands.get(1) + ")";
            case NEGATIVE, ABS, SQRT, FMA, MIN, MAX, NOT ->
                call(node.operation.name().toLowerCase(Locale.ROOT), operands);
        };
    }

    private static String constant(Expression node) {
        if (node instanceof Bits) {
            long bits = node.precision == Precision.FLOAT32 ? node.number & 0xFFFFFFFFL : node.number;
            return "0x" + Long.toHexString(bits);
        }
        return node.precision == Precision.FLOAT32
                ? Float.toString(Float.intBitsToFloat((int) node.number))
                : Double.toString(Double.longBitsToDouble(node.number));
    }

    private static String infix(String operator, List<String> operands) {
        return "(" + String.join(operator, operands) + ")";
    }

    private static String call(String name, List<String> operands) {
        return name + "(" + String.join(", ", operands) + ")";
    }
}
