package org.toydiff.internal.arithmetic;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import org.toydiff.internal.arithmetic.Graph.Node;

/// Writes a graph as code over vectors of the Vector API: `FloatVector` and `IntVector`, or `DoubleVector` and
/// `LongVector`; a condition is a `VectorMask` of its operands' element type.
///
/// Names the API's classes but does not load them.
public final class VectorEmitter extends Emitter {
    private static final ClassDesc VECTOR = api("Vector");
    private static final ClassDesc MASK = api("VectorMask");
    private static final ClassDesc SPECIES = api("VectorSpecies");
    private static final ClassDesc OPERATORS = api("VectorOperators");
    private static final ClassDesc COMPARISON = api("VectorOperators$Comparison");
    private static final ClassDesc CONVERSION = api("VectorOperators$Conversion");
    private static final ClassDesc BINARY = api("VectorOperators$Binary");

    /// The source of the loop's species: writes code that pushes one.
    public interface SpeciesSource {
        /// Pushes the species of the reals, or of the integers beside them.
        void species(boolean integers);
    }

    private final ClassDesc real = api(wide ? "DoubleVector" : "FloatVector");
    private final ClassDesc integer = api(wide ? "LongVector" : "IntVector");
    private final SpeciesSource species;

    /// Writes to `code`, reading the graph's leaves from `leaves`.
    public VectorEmitter(CodeBuilder code, Graph graph, Leaves leaves, SpeciesSource species) {
        super(code, graph, leaves);
        this.species = species;
    }

    private static ClassDesc api(String name) {
        return ClassDesc.of("jdk.incubator.vector", name);
    }

    /// {@return whether some elements have to be computed one by one: then call [#branchIfRare] first}
    public static boolean hasRareElements(Graph graph) {
        return graph.nodes().stream().anyMatch(node -> node.operation() == Operation.RARELY);
    }

    /// Branches to `rare` if the vector has an element for which a condition of [Real#rarely] holds; the scalar form
    /// must compute that vector. Where the branch is not taken, the code that this emitter writes next is correct.
    public void branchIfRare(Label rare) {
        for (Node node : graph.nodes()) {
            if (node.operation() == Operation.RARELY) {
                push(node.operand(0));
                code.invokevirtual(MASK, "anyTrue", MethodTypeDesc.of(CD_boolean))
                        .ifne(rare);
            }
        }
    }

    @Override
    boolean isCheap(Node node) {
        return false;
    }

    @Override
    TypeKind kind(Node node) {
        return TypeKind.REFERENCE;
    }

    @Override
    void constant(Node node) {
        boolean integers = node.expression instanceof Bits;
        long bits = node.expression.number;
        species.species(integers);
        if (integers) {
            if (wide) {
                code.loadConstant(bits);
            } else {
                code.loadConstant((int) bits);
            }
        } else if (wide) {
            code.loadConstant(Double.longBitsToDouble(bits));
        } else {
            code.loadConstant(Float.intBitsToFloat((int) bits));
        }
        broadcast(integers);
    }

    /// Replaces a species and a number by the vector with that number in all lanes.
    private void broadcast(boolean integers) {
        ClassDesc element = integers ? wide ? CD_long : CD_int : wide ? CD_double : CD_float;
        code.invokestatic(type(integers), "broadcast", MethodTypeDesc.of(type(integers), SPECIES, element));
    }

    private ClassDesc type(boolean integers) {
        return integers ? integer : real;
    }

    @Override
    void operation(Node node) {
        switch (node.operation()) {
            case SELECT -> select(node);
            case RARELY -> push(node.operand(1));
            default -> {
                pushOperands(node);
                if (node.expression instanceof Real) {
                    real(node);
                } else if (node.expression instanceof Bits) {
                    bits(node);
                } else {
                    condition(node);
                }
            }
        }
    }

    private void real(Node node) {
        switch (node.operation()) {
            case ADD -> call("add", VECTOR);
            case SUBTRACT -> call("sub", VECTOR);
            case MULTIPLY -> call("mul", VECTOR);
            case DIVIDE -> call("div", VECTOR);
            case NEGATIVE -> call("neg");
            case ABS -> call("abs");
            case SQRT -> call("sqrt");
            case MIN -> call("min", VECTOR);
            case MAX -> call("max", VECTOR);
            case FMA -> call("fma", VECTOR, VECTOR);
            case REINTERPRET ->
                code.invokevirtual(
                        integer, wide ? "reinterpretAsDoubles" : "reinterpretAsFloats", MethodTypeDesc.of(real));
            case CONVERT -> convert(wide ? "L2D" : "I2F", integer, real);
            default -> throw new AssertionError(node.operation());
        }
    }

    private void call(String name, ClassDesc... parameters) {
        code.invokevirtual(real, name, MethodTypeDesc.of(real, parameters));
    }

    private void convert(String conversion, ClassDesc from, ClassDesc to) {
        code.getstatic(OPERATORS, conversion, CONVERSION)
                .iconst_0()
                .invokevirtual(from, "convert", MethodTypeDesc.of(VECTOR, CONVERSION, CD_int))
                .checkcast(to);
    }

    private void bits(Node node) {
        switch (node.operation()) {
            case ADD -> code.invokevirtual(integer, "add", MethodTypeDesc.of(integer, VECTOR));
            case SUBTRACT -> code.invokevirtual(integer, "sub", MethodTypeDesc.of(integer, VECTOR));
            case MULTIPLY -> code.invokevirtual(integer, "mul", MethodTypeDesc.of(integer, VECTOR));
            case AND -> code.invokevirtual(integer, "and", MethodTypeDesc.of(integer, VECTOR));
            case OR -> code.invokevirtual(integer, "or", MethodTypeDesc.of(integer, VECTOR));
            case XOR -> {
                code.getstatic(OPERATORS, "XOR", api("VectorOperators$Associative"))
                        .swap()
                        .invokevirtual(integer, "lanewise", MethodTypeDesc.of(integer, BINARY, VECTOR));
            }
            case NOT -> code.invokevirtual(integer, "not", MethodTypeDesc.of(integer));
            case SHIFT_LEFT -> shift("LSHL", node);
            case SHIFT_RIGHT -> shift("ASHR", node);
            case SHIFT_RIGHT_UNSIGNED -> shift("LSHR", node);
            case REINTERPRET ->
                code.invokevirtual(real, wide ? "reinterpretAsLongs" : "reinterpretAsInts", MethodTypeDesc.of(integer));
            case CONVERT -> convert(wide ? "D2L" : "F2I", real, integer);
            default -> throw new AssertionError(node.operation());
        }
    }

    private void shift(String operator, Node node) {
        code.getstatic(OPERATORS, operator, BINARY);
        int distance = (int) node.expression.number;
        if (wide) {
            code.loadConstant((long) distance);
        } else {
            code.loadConstant(distance);
        }
        code.invokevirtual(integer, "lanewise", MethodTypeDesc.of(integer, BINARY, wide ? CD_long : CD_int));
    }

    private void condition(Node node) {
        switch (node.operation()) {
            case LESS -> compare(node, "LT");
            case LESS_OR_EQUAL -> compare(node, "LE");
            case EQUAL -> compare(node, "EQ");
            case NOT_EQUAL -> compare(node, "NE");
            case AND -> logic(node, "and");
            case OR -> logic(node, "or");
            case NOT -> code.invokevirtual(MASK, "not", MethodTypeDesc.of(MASK));
            default -> throw new AssertionError(node.operation());
        }
    }

    private void compare(Node node, String operator) {
        ClassDesc type = type(ofIntegers(node));
        code.getstatic(OPERATORS, operator, COMPARISON)
                .swap()
                .invokevirtual(type, "compare", MethodTypeDesc.of(MASK, COMPARISON, VECTOR));
    }

    private void logic(Node node, String name) {
        cast(ofIntegers(node.operand(1)), ofIntegers(node.operand(0)));
        code.invokevirtual(MASK, name, MethodTypeDesc.of(MASK, MASK));
    }

    /// {@return whether a condition's mask is one of integers}
    private static boolean ofIntegers(Node condition) {
        Node node = condition;
        while (node.expression instanceof Condition && !node.operands.isEmpty()) {
            node = node.operand(0);
        }
        return node.expression instanceof Bits;
    }

    private void cast(boolean from, boolean to) {
        if (from != to) {
            species.species(to);
            code.invokevirtual(MASK, "cast", MethodTypeDesc.of(MASK, SPECIES));
        }
    }

    private void select(Node node) {
        boolean integers = node.expression instanceof Bits;
        push(node.operand(2));
        push(node.operand(1));
        push(node.operand(0));
        cast(ofIntegers(node.operand(0)), integers);
        code.invokevirtual(type(integers), "blend", MethodTypeDesc.of(type(integers), VECTOR, MASK));
    }

    /// Replaces a mask by a long of its bits.
    public static void maskToBits(CodeBuilder code) {
        code.invokevirtual(MASK, "toLong", MethodTypeDesc.of(CD_long));
    }

    /// {@return the class of the vectors of reals}
    public static ClassDesc vectorOf(Precision precision) {
        return api(precision == Precision.FLOAT64 ? "DoubleVector" : "FloatVector");
    }
}
