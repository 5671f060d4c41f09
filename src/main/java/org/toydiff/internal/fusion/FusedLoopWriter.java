package org.toydiff.internal.fusion;

import static java.lang.constant.ConstantDescs.CD_Float;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.LoopCode;

/// Writes the class of a fused loop, scalar or over vectors. The classes are hidden, and of the package of the kernels.
abstract class FusedLoopWriter {
    static final ClassDesc SEGMENTS = LoopCode.SEGMENT.arrayType();
    static final ClassDesc LONGS = CD_long.arrayType();

    final LoopProgram program;
    final Graph graph;
    final int operands;
    final int inputs;
    final boolean wide;
    final ClassDesc self;

    FusedLoopWriter(LoopProgram program, String name) {
        this.program = program;
        graph = program.graph();
        operands = program.operandCount();
        inputs = program.inputs().size();
        wide = program.precision() == Precision.FLOAT64;
        self = LoopCode.named(name);
    }

    final boolean isByte(int operand) {
        return program.element(operand) == Element.BOOL;
    }

    /// {@return whether an operand's elements are half as wide as the numbers}
    final boolean isNarrow(int operand) {
        return LaunchGroup.isNarrow(program.element(operand), program.precision());
    }

    /// {@return the type of an operand for the loop, to which an integer is a number of the same width}
    final Element element(int operand) {
        return isByte(operand) || isNarrow(operand) ? program.element(operand) : Element.real(wide);
    }

    /// Replaces an operand's element by 0 or 1 if it is a truth value, of which any but 0 is true; and a narrow
    /// number by a double or, if it is a BFLOAT16, by the float whose lower half it is.
    final void asValue(CodeBuilder code, int operand) {
        if (isByte(operand)) {
            code.ifThenElse(CodeBuilder::iconst_1, CodeBuilder::iconst_0);
        } else if (isNarrow(operand) && wide) {
            code.f2d();
        } else if (isNarrow(operand)) {
            code.invokestatic(CD_Float, "intBitsToFloat", MethodTypeDesc.of(CD_float, CD_int));
        }
    }

    /// Replaces a value by an operand's element.
    final void asElement(CodeBuilder code, int operand) {
        if (isNarrow(operand) && wide) {
            code.d2f();
        } else if (isNarrow(operand)) {
            code.invokestatic(CD_Float, "floatToRawIntBits", MethodTypeDesc.of(CD_int, CD_float))
                    .i2s();
        }
    }
}
