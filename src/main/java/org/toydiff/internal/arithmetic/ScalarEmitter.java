package org.toydiff.internal.arithmetic;

import static java.lang.constant.ConstantDescs.CD_Double;
import static java.lang.constant.ConstantDescs.CD_Float;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Collections;
import java.util.List;
import org.toydiff.internal.arithmetic.Graph.Node;

/// Writes a graph as code over one element: `float` and `int`, or `double` and `long`; a condition is an int, 0 or
/// 1.
public final class ScalarEmitter extends Emitter {
    private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");

    private final ClassDesc real = wide ? CD_double : CD_float;
    private final ClassDesc integer = wide ? CD_long : CD_int;
    private final TypeKind realKind = TypeKind.from(real);
    private final TypeKind integerKind = TypeKind.from(integer);

    /// Writes to `code`, reading the graph's leaves from `leaves`.
    public ScalarEmitter(CodeBuilder code, Graph graph, Leaves leaves) {
        super(code, graph, leaves);
    }

    @Override
    boolean isCheap(Node node) {
        return node.operation() == Operation.CONSTANT;
    }

    @Override
    TypeKind kind(Node node) {
        if (node.expression instanceof Condition) {
            return TypeKind.INT;
        }
        return node.expression instanceof Bits ? integerKind : realKind;
    }

    @Override
    void constant(Node node) {
        long bits = node.expression.number;
        if (node.expression instanceof Bits) {
            integer(bits);
        } else if (wide) {
            code.loadConstant(Double.longBitsToDouble(bits));
        } else {
            code.loadConstant(Float.intBitsToFloat((int) bits));
        }
    }

    private void integer(long value) {
        if (wide) {
            code.loadConstant(value);
        } else {
            code.loadConstant((int) value);
        }
    }

    @Override
    void operation(Node node) {
        switch (node.operation()) {
            case SELECT -> select(node);
            case RARELY -> rarely(node);
            case LESS, LESS_OR_EQUAL, EQUAL, NOT_EQUAL -> truth(node);
            default -> {
                pushOperands(node);
                if (node.expression instanceof Real) {
                    real(node);
                } else if (node.expression instanceof Bits) {
                    bits(node);
                } else {
                    logic(node);
                }
            }
        }
    }

    private void real(Node node) {
        switch (node.operation()) {
            case ADD -> choose(CodeBuilder::fadd, CodeBuilder::dadd);
            case SUBTRACT -> choose(CodeBuilder::fsub, CodeBuilder::dsub);
            case MULTIPLY -> choose(CodeBuilder::fmul, CodeBuilder::dmul);
            case DIVIDE -> choose(CodeBuilder::fdiv, CodeBuilder::ddiv);
            case NEGATIVE -> choose(CodeBuilder::fneg, CodeBuilder::dneg);
            case ABS -> math("abs", 1);
            case MIN -> math("min", 2);
            case MAX -> math("max", 2);
            case FMA -> math("fma", 3);
            case SQRT -> squareRoot();
            case REINTERPRET ->
                code.invokestatic(
                        wide ? CD_Double : CD_Float,
                        wide ? "longBitsToDouble" : "intBitsToFloat",
                        MethodTypeDesc.of(real, integer));
            case CONVERT -> code.conversion(integerKind, realKind);
            default -> throw new AssertionError(node.operation());
        }
    }

    private void math(String name, int operands) {
        code.invokestatic(MATH, name, MethodTypeDesc.of(real, Collections.nCopies(operands, real)));
    }

    private void integerMath(String name) {
        code.invokestatic(MATH, name, MethodTypeDesc.of(integer, integer, integer));
    }

    /// Goes through double: rounding the root of a float twice does not change it.
    private void squareRoot() {
        code.conversion(realKind, TypeKind.DOUBLE)
                .invokestatic(MATH, "sqrt", MethodTypeDesc.of(CD_double, CD_double))
                .conversion(TypeKind.DOUBLE, realKind);
    }

    private void bits(Node node) {
        int distance = (int) node.expression.number;
        switch (node.operation()) {
            case ADD -> choose(CodeBuilder::iadd, CodeBuilder::ladd);
            case SUBTRACT -> choose(CodeBuilder::isub, CodeBuilder::lsub);
            case MULTIPLY -> choose(CodeBuilder::imul, CodeBuilder::lmul);
            case FLOOR_DIVIDE -> integerMath("floorDiv");
            case FLOOR_REMAINDER -> integerMath("floorMod");
            case AND -> choose(CodeBuilder::iand, CodeBuilder::land);
            case OR -> choose(CodeBuilder::ior, CodeBuilder::lor);
            case XOR -> choose(CodeBuilder::ixor, CodeBuilder::lxor);
            case NOT -> {
                integer(-1);
                choose(CodeBuilder::ixor, CodeBuilder::lxor);
            }
            case SHIFT_LEFT -> {
                code.loadConstant(distance);
                choose(CodeBuilder::ishl, CodeBuilder::lshl);
            }
            case SHIFT_RIGHT -> {
                code.loadConstant(distance);
                choose(CodeBuilder::ishr, CodeBuilder::lshr);
            }
            case SHIFT_RIGHT_UNSIGNED -> {
                code.loadConstant(distance);
                choose(CodeBuilder::iushr, CodeBuilder::lushr);
            }
            case REINTERPRET ->
                code.invokestatic(
                        wide ? CD_Double : CD_Float,
                        wide ? "doubleToRawLongBits" : "floatToRawIntBits",
                        MethodTypeDesc.of(integer, real));
            case CONVERT -> code.conversion(realKind, integerKind);
            default -> throw new AssertionError(node.operation());
        }
    }

    private void logic(Node node) {
        switch (node.operation()) {
            case AND -> code.iand();
            case OR -> code.ior();
            case NOT -> code.iconst_1().ixor();
            default -> throw new AssertionError(node.operation());
        }
    }

    private interface Instruction {
        CodeBuilder write(CodeBuilder code);
    }

    private void choose(Instruction narrow, Instruction broad) {
        (wide ? broad : narrow).write(code);
    }

    private void truth(Node comparison) {
        Label otherwise = code.newLabel();
        Label end = code.newLabel();
        compareAndBranchUnless(comparison, otherwise);
        code.iconst_1().goto_(end);
        code.labelBinding(otherwise).iconst_0();
        code.labelBinding(end);
    }

    /// Pushes operand 1 where operand 0 holds, else operand 2.
    private void select(Node node) {
        branch(node, () -> push(node.operand(1)), () -> push(node.operand(2)));
    }

    /// Pushes the function of the operands from 2 on where operand 0 holds, else operand 1.
    private void rarely(Node node) {
        List<Node> arguments = node.operands.subList(2, node.operands.size());
        branch(node, () -> call(node.expression.function, arguments), () -> push(node.operand(1)));
    }

    /// Branches by operand 0. Computes the others before: their values may be read where the branch was not taken.
    private void branch(Node node, Runnable then, Runnable otherwise) {
        node.operands.stream().skip(1).forEach(this::settle);
        Label otherwiseLabel = code.newLabel();
        Label end = code.newLabel();
        branchUnless(node.operand(0), otherwiseLabel);
        then.run();
        code.goto_(end);
        code.labelBinding(otherwiseLabel);
        otherwise.run();
        code.labelBinding(end);
    }

    private void call(ScalarFunction function, List<Node> arguments) {
        arguments.forEach(this::push);
        ClassDesc owner = function.owner().describeConstable().orElseThrow();
        List<ClassDesc> parameters = Collections.nCopies(arguments.size(), real);
        code.invokestatic(owner, function.name(), MethodTypeDesc.of(real, parameters));
    }

    private void branchUnless(Node condition, Label otherwise) {
        if (condition.uses == 1 && isComparison(condition)) {
            compareAndBranchUnless(condition, otherwise);
        } else {
            push(condition);
            code.ifeq(otherwise);
        }
    }

    private static boolean isComparison(Node condition) {
        return switch (condition.operation()) {
            case LESS, LESS_OR_EQUAL, EQUAL, NOT_EQUAL -> true;
            default -> false;
        };
    }

    private void compareAndBranchUnless(Node comparison, Label otherwise) {
        pushOperands(comparison);
        if (comparison.operand(0).expression instanceof Bits) {
            if (wide) {
                code.lcmp();
                code.branch(unless(comparison.operation()), otherwise);
            } else {
                code.branch(unlessIntegers(comparison.operation()), otherwise);
            }
        } else {
            // "g" turns NaN into 1, so that less and lessOrEqual fail; equal and notEqual test for 0.
            choose(CodeBuilder::fcmpg, CodeBuilder::dcmpg);
            code.branch(unless(comparison.operation()), otherwise);
        }
    }

    private static Opcode unless(Operation comparison) {
        return switch (comparison) {
            case LESS -> Opcode.IFGE;
            case LESS_OR_EQUAL -> Opcode.IFGT;
            case EQUAL -> Opcode.IFNE;
            case NOT_EQUAL -> Opcode.IFEQ;
            default -> throw new AssertionError(comparison);
        };
    }

    private static Opcode unlessIntegers(Operation comparison) {
        return switch (comparison) {
            case LESS -> Opcode.IF_ICMPGE;
            case LESS_OR_EQUAL -> Opcode.IF_ICMPGT;
            case EQUAL -> Opcode.IF_ICMPNE;
            case NOT_EQUAL -> Opcode.IF_ICMPEQ;
            default -> throw new AssertionError(comparison);
        };
    }
}
