package org.toydiff.internal.kernels;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
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
    final Graph graph;
    final int inputs;
    final boolean wide;
    final ClassDesc self;

    LoopWriter(String name, Expression result, int inputs) {
        graph = Graph.of(List.of(result));
        this.inputs = inputs;
        wide = graph.precision() == Precision.FLOAT64;
        self = ClassDesc.of(LoopWriter.class.getPackageName(), name);
    }

    /// {@return the class file}
    final byte[] write() {
        return ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC);
            members(type);
        });
    }

    /// Writes all members.
    abstract void members(ClassBuilder type);

    /// Writes `for (long i = 0; i < limit; i++) body(i)`, in terms of slots.
    public static void loop(CodeBuilder code, int limit, Consumer<Integer> body) {
        int i = code.allocateLocal(TypeKind.LONG);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.lconst_0().lstore(i);
        code.labelBinding(top);
        code.lload(i).lload(limit).lcmp().ifge(end);
        body.accept(i);
        code.lload(i).lconst_1().ladd().lstore(i);
        LoopCode.jumpBack(code, i, top);
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
