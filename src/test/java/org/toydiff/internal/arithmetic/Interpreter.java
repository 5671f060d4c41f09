package org.toydiff.internal.arithmetic;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Evaluates an expression for one element, node by node, with Java's own operators: the oracle for the loops
/// generated from it.
public final class Interpreter {
    private final Map<Expression, Object> values = new IdentityHashMap<>();
    private final Object[] inputs;
    private final Number[] parameters;

    private Interpreter(Object[] inputs, Number[] parameters) {
        this.inputs = inputs;
        this.parameters = parameters;
    }

    public static float evaluate(Real expression, float... inputs) {
        Number[] boxed = new Number[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            boxed[i] = inputs[i];
        }
        return (float) evaluate(expression, boxed, new Number[0]);
    }

    public static double evaluate(Real expression, double... inputs) {
        Number[] boxed = new Number[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            boxed[i] = inputs[i];
        }
        return (double) evaluate(expression, boxed, new Number[0]);
    }

    /// {@return a Float, Double, Integer, Long or Boolean, according to the expression's type and precision}
    public static Object evaluate(Expression expression, Object[] inputs, Number[] parameters) {
        return new Interpreter(inputs, parameters).value(expression);
    }

    private Object value(Expression node) {
        Object value = values.get(node);
        if (value == null) {
            List<Object> operands = node.operands.stream().map(this::value).toList();
            value = switch (node.operation) {
                case INPUT -> inputs[(int) node.number];
                case PARAMETER -> parameters[(int) node.number];
                case SELECT -> (boolean) operands.get(0) ? operands.get(1) : operands.get(2);
                case RARELY -> (boolean) operands.get(0) ? function(node, operands) : operands.get(1);
                default -> operands.isEmpty() ? constant(node) : compute(node, operands);
            };
            values.put(node, value);
        }
        return value;
    }

    private static Object function(Expression node, List<Object> operands) {
        List<Object> arguments = operands.subList(2, operands.size());
        try {
            return node.function.of(node.precision, arguments.size()).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static Object constant(Expression node) {
        boolean wide = node.precision == Precision.FLOAT64;
        if (node instanceof Bits) {
            return wide ? (Object) node.number : (Object) (int) node.number;
        }
        return wide ? (Object) Double.longBitsToDouble(node.number) : (Object) Float.intBitsToFloat((int) node.number);
    }

    private static Object compute(Expression node, List<Object> operands) {
        Object a = operands.get(0);
        Object b = operands.size() > 1 ? operands.get(1) : null;
        Object c = operands.size() > 2 ? operands.get(2) : null;
        return switch (a) {
            case Float x -> real(node.operation, x, (Float) b, (Float) c);
            case Double x -> real(node.operation, x, (Double) b, (Double) c);
            case Integer x -> bits(node.operation, x, (Integer) b, (int) node.number);
            case Long x -> bits(node.operation, x, (Long) b, (int) node.number);
            case Boolean x -> condition(node.operation, x, (Boolean) b);
            default -> throw new AssertionError(a);
        };
    }

    private static Object real(Operation operation, float a, Float b, Float c) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case NEGATIVE -> -a;
            case ABS -> Math.abs(a);
            case SQRT -> (float) Math.sqrt(a);
            case FMA -> Math.fma(a, b, c);
            case MIN -> Math.min(a, b);
            case MAX -> Math.max(a, b);
            case LESS -> a < b;
            case LESS_OR_EQUAL -> a <= b;
            case EQUAL -> a == b;
            case NOT_EQUAL -> a != b;
            case REINTERPRET -> Float.floatToRawIntBits(a);
            case CONVERT -> (int) a;
            default -> throw new AssertionError(operation);
        };
    }

    private static Object real(Operation operation, double a, Double b, Double c) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case NEGATIVE -> -a;
            case ABS -> Math.abs(a);
            case SQRT -> Math.sqrt(a);
            case FMA -> Math.fma(a, b, c);
            case MIN -> Math.min(a, b);
            case MAX -> Math.max(a, b);
            case LESS -> a < b;
            case LESS_OR_EQUAL -> a <= b;
            case EQUAL -> a == b;
            case NOT_EQUAL -> a != b;
            case REINTERPRET -> Double.doubleToRawLongBits(a);
            case CONVERT -> (long) a;
            default -> throw new AssertionError(operation);
        };
    }

    private static Object bits(Operation operation, int a, Integer b, int distance) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case FLOOR_DIVIDE -> Math.floorDiv(a, b);
            case FLOOR_REMAINDER -> Math.floorMod(a, b);
            case AND -> a & b;
            case OR -> a | b;
            case XOR -> a ^ b;
            case NOT -> ~a;
            case SHIFT_LEFT -> a << distance;
            case SHIFT_RIGHT -> a >> distance;
            case SHIFT_RIGHT_UNSIGNED -> a >>> distance;
            case LESS -> a < b;
            case LESS_OR_EQUAL -> a <= b;
            case EQUAL -> a == (int) b;
            case NOT_EQUAL -> a != (int) b;
            case REINTERPRET -> Float.intBitsToFloat(a);
            case CONVERT -> (float) a;
            default -> throw new AssertionError(operation);
        };
    }

    private static Object bits(Operation operation, long a, Long b, int distance) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case FLOOR_DIVIDE -> Math.floorDiv(a, b);
            case FLOOR_REMAINDER -> Math.floorMod(a, b);
            case AND -> a & b;
            case OR -> a | b;
            case XOR -> a ^ b;
            case NOT -> ~a;
            case SHIFT_LEFT -> a << distance;
            case SHIFT_RIGHT -> a >> distance;
            case SHIFT_RIGHT_UNSIGNED -> a >>> distance;
            case LESS -> a < b;
            case LESS_OR_EQUAL -> a <= b;
            case EQUAL -> a == (long) b;
            case NOT_EQUAL -> a != (long) b;
            case REINTERPRET -> Double.longBitsToDouble(a);
            case CONVERT -> (double) a;
            default -> throw new AssertionError(operation);
        };
    }

    private static Object condition(Operation operation, boolean a, Boolean b) {
        return switch (operation) {
            case AND -> a & b;
            case OR -> a | b;
            case NOT -> !a;
            default -> throw new AssertionError(operation);
        };
    }
}
