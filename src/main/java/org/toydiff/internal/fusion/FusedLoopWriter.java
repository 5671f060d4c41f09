package org.toydiff.internal.fusion;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.LoopCode;

/// Writes the class of a fused loop, a [Kernel.Fused]: its method takes the operands out of their arrays, and calls a
/// static method for each row. The classes are hidden, and of the package of the kernels.
abstract class FusedLoopWriter {
    static final ClassDesc KERNEL = Kernel.Fused.class.describeConstable().orElseThrow();
    static final ClassDesc SEGMENTS = LoopCode.SEGMENT.arrayType();
    static final ClassDesc LONGS = CD_long.arrayType();
    static final MethodTypeDesc RUN =
            MethodTypeDesc.of(CD_void, SEGMENTS, LONGS, LONGS, LONGS, CD_long, CD_long, CD_long, CD_long);

    // Slots of the kernel's parameters.
    static final int OPERANDS = 1;
    static final int STARTS = 2;
    static final int ROW_STEPS = 3;
    static final int STEPS = 4;
    static final int I0 = 5;
    static final int J0 = 7;
    static final int N1 = 9;
    static final int N2 = 11;

    final LoopProgram program;
    final Graph graph;
    final int operands;
    final int inputs;
    final boolean wide;
    final ClassDesc self;

    /// Slots of an operand: its segment, the place of its first element, and its steps.
    record Operand(int segment, int start, int rowStep, int step) {}

    FusedLoopWriter(LoopProgram program, String name) {
        this.program = program;
        graph = program.graph();
        operands = program.operandCount();
        inputs = program.inputs().size();
        wide = program.precision() == Precision.FLOAT64;
        self = LoopCode.named(name);
    }

    /// {@return the class file}
    final byte[] write() {
        return ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC).withInterfaceSymbols(KERNEL);
            type.withMethodBody(
                    "run", RUN, ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, code -> run(code, unpack(code)));
            members(type);
        });
    }

    /// Writes the body of the kernel's method.
    abstract void run(CodeBuilder code, List<Operand> operands);

    /// Writes all members but the kernel's method.
    abstract void members(ClassBuilder type);

    /// Stores the operands in variables.
    private List<Operand> unpack(CodeBuilder code) {
        List<Operand> unpacked = new ArrayList<>();
        for (int k = 0; k < operands; k++) {
            var operand = new Operand(
                    code.allocateLocal(TypeKind.REFERENCE),
                    code.allocateLocal(TypeKind.LONG),
                    code.allocateLocal(TypeKind.LONG),
                    code.allocateLocal(TypeKind.LONG));
            code.aload(OPERANDS).loadConstant(k).aaload().astore(operand.segment());
            code.aload(ROW_STEPS).loadConstant(k).laload().lstore(operand.rowStep());
            code.aload(STEPS).loadConstant(k).laload().lstore(operand.step());
            code.aload(STARTS).loadConstant(k).laload();
            code.lload(I0).lload(operand.rowStep()).lmul().ladd();
            code.lload(J0).lload(operand.step()).lmul().ladd().lstore(operand.start());
            unpacked.add(operand);
        }
        return unpacked;
    }

    final boolean isByte(int operand) {
        return program.element(operand) == Element.BOOL;
    }

    /// {@return the type of an operand for the loop, to which an integer is a number of the same width}
    final Element element(int operand) {
        return isByte(operand) ? Element.BOOL : Element.real(wide);
    }

    /// Replaces an operand's element by 0 or 1 if it is a truth value, of which any but 0 is true.
    final void asTruth(CodeBuilder code, int operand) {
        if (isByte(operand)) {
            code.ifThenElse(CodeBuilder::iconst_1, CodeBuilder::iconst_0);
        }
    }
}
