package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;

/// Writes the class of a loop: a [Kernel.Unary] or [Kernel.Binary] that computes an expression for every element of
/// a grid.
///
/// Each loop is a hidden class whose body contains the expression's operations, so that the compiler sees one loop
/// without a call. A loop that takes its operation as a parameter is compiled once for all operations, and makes an
/// indirect call for every element: 20 times slower once five operations have used it.
public abstract class LoopWriter {
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    static final ClassDesc KERNEL_UNARY = Kernel.Unary.class.describeConstable().orElseThrow();
    static final ClassDesc KERNEL_BINARY =
            Kernel.Binary.class.describeConstable().orElseThrow();

    final Graph graph;
    final int inputs;
    final boolean wide;
    final ClassDesc self;
    final ClassDesc kernel;

    /// Slots of one operand in a method that takes all of them as parameters.
    record Operand(int segment, int start, int rowStep, int step) {}

    LoopWriter(String name, Expression result, int inputs) {
        graph = Graph.of(List.of(result));
        this.inputs = inputs;
        wide = graph.precision() == Precision.FLOAT64;
        self = ClassDesc.of(LoopWriter.class.getPackageName(), name);
        kernel = inputs == 1 ? KERNEL_UNARY : KERNEL_BINARY;
    }

    /// {@return the class file}
    final byte[] write() {
        return ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC).withInterfaceSymbols(kernel);
            type.withMethodBody(
                    "run",
                    runType(),
                    ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL,
                    code -> run(code, gridOperands(code)));
            members(type);
        });
    }

    /// Writes the body of the kernel's method.
    abstract void run(CodeBuilder code, List<Operand> operands);

    /// Writes all members but the kernel's method.
    abstract void members(ClassBuilder type);

    /// {@return the type of a kernel's method: each operand, y last, with its start and two steps, then the sizes}
    final MethodTypeDesc runType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            parameters.addAll(List.of(SEGMENT, CD_long, CD_long, CD_long));
        }
        parameters.addAll(List.of(CD_long, CD_long));
        return MethodTypeDesc.of(CD_void, parameters);
    }

    private List<Operand> gridOperands(CodeBuilder code) {
        List<Operand> operands = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            operands.add(new Operand(
                    code.parameterSlot(4 * i),
                    code.parameterSlot(4 * i + 1),
                    code.parameterSlot(4 * i + 2),
                    code.parameterSlot(4 * i + 3)));
        }
        return operands;
    }

    final int rowCount(CodeBuilder code) {
        return code.parameterSlot(4 * (inputs + 1));
    }

    final int columnCount(CodeBuilder code) {
        return code.parameterSlot(4 * (inputs + 1) + 1);
    }

    /// Writes `for (long i = 0; i < limit; i++) body(i)`, in terms of slots.
    public static void loop(CodeBuilder code, int limit, Consumer<Integer> body) {
        int i = code.allocateLocal(TypeKind.LONG);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.lconst_0().lstore(i);
        code.labelBinding(top);
        code.lload(i).lload(limit).lcmp().ifge(end);
        body.accept(i);
        code.lload(i).lconst_1().ladd().lstore(i).goto_(top);
        code.labelBinding(end);
    }

    /// Pushes `start + i·step`, in terms of slots.
    public static void pushPlace(CodeBuilder code, int start, int i, int step) {
        code.lload(start).lload(i).lload(step).lmul().ladd();
    }

    final boolean isByte(int operand) {
        return operand == inputs ? graph.isCondition(0) : graph.isMask(operand);
    }

    final Element element(int operand) {
        return isByte(operand) ? Element.BOOL : Element.real(wide);
    }

    /// Replaces a segment, a layout and an index by the element at that index; a truth value becomes 0 or 1.
    final void get(CodeBuilder code, int operand) {
        element(operand).get(code);
        asTruth(code, operand);
    }

    /// Replaces an operand's element by 0 or 1 if it is a truth value, of which any but 0 is true.
    final void asTruth(CodeBuilder code, int operand) {
        if (isByte(operand)) {
            code.ifThenElse(CodeBuilder::iconst_1, CodeBuilder::iconst_0);
        }
    }
}
