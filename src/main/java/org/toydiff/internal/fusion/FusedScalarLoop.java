package org.toydiff.internal.fusion;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.ScalarEmitter;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.LoopCode;
import org.toydiff.internal.kernels.LoopWriter;
import org.toydiff.internal.kernels.Staging;
import org.toydiff.internal.kernels.StagingCode;

/// Writes fused loops over elements, one by one: garbage-free from the first call on. Operands of rows that are not
/// short pass through a [Staging] if they are contiguous or repeated elements.
final class FusedScalarLoop extends FusedLoopWriter {
    private final Columns[] columns;

    private FusedScalarLoop(LoopProgram program, Columns[] columns) {
        super(program, program.name());
        this.columns = columns;
    }

    /// {@return the loop of a program for operands whose columns are so laid out}
    static Kernel.Fused of(LoopProgram program, Columns[] columns) {
        byte[] bytes = new FusedScalarLoop(program, columns).write();
        return (Kernel.Fused) LoopCode.instance(bytes, null, MethodType.methodType(void.class));
    }

    private MethodTypeDesc rowType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int k = 0; k < operands; k++) {
            parameters.addAll(List.of(LoopCode.SEGMENT, CD_long, CD_long));
        }
        parameters.add(CD_long);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    // Slots of a row's parameters.
    private static int segment(int operand) {
        return 5 * operand;
    }

    private static int start(int operand) {
        return 5 * operand + 1;
    }

    private static int step(int operand) {
        return 5 * operand + 3;
    }

    private int count() {
        return 5 * operands;
    }

    private MethodTypeDesc blockType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int k = 0; k < operands; k++) {
            parameters.add(element(k).type().arrayType());
        }
        parameters.add(CD_int);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    @Override
    void members(ClassBuilder type) {
        LoopCode.constructor(type);
        int flags = ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC;
        type.withMethodBody("row", rowType(), flags, this::row);
        if (Columns.adjacent(columns)) {
            type.withMethodBody("stagedRow", rowType(), flags, this::stagedRow);
            type.withMethodBody("block", blockType(), flags, this::block);
        }
    }

    @Override
    void run(CodeBuilder code, List<Operand> operands) {
        if (Columns.adjacent(columns)) {
            code.lload(N2).loadConstant((long) Staging.SHORTEST).lcmp();
            code.ifThenElse(
                    Opcode.IFGE,
                    longRows -> rows(longRows, operands, "stagedRow"),
                    shortRows -> rows(shortRows, operands, "row"));
        } else {
            rows(code, operands, "row");
        }
        code.return_();
    }

    private void rows(CodeBuilder code, List<Operand> operands, String method) {
        LoopWriter.loop(code, N1, i -> {
            for (Operand operand : operands) {
                code.aload(operand.segment());
                LoopWriter.pushPlace(code, operand.start(), i, operand.rowStep());
                code.lload(operand.step());
            }
            code.lload(N2).invokestatic(self, method, rowType());
        });
    }

    /// Computes a row whose operands have any steps.
    private void row(CodeBuilder code) {
        LoopWriter.loop(code, count(), j -> {
            int[] results = results(code, operand -> {
                pushElementPlace(code, operand, j);
                element(operand).get(code);
            });
            for (int k = inputs; k < operands; k++) {
                pushElementPlace(code, k, j);
                code.loadLocal(resultKind(k), results[k - inputs]);
                element(k).set(code);
            }
        });
        code.return_();
    }

    /// Pushes the segment, the layout and the index of an operand's element j.
    private void pushElementPlace(CodeBuilder code, int operand, int j) {
        code.aload(segment(operand));
        element(operand).pushLayout(code);
        LoopWriter.pushPlace(code, start(operand), j, step(operand));
    }

    private void stagedRow(CodeBuilder code) {
        var staging = new StagingCode(code);
        List<StagingCode.Staged> staged = new ArrayList<>();
        for (int k = 0; k < operands; k++) {
            staged.add(staging.stage(k, element(k), segment(k), start(k)));
        }
        for (int k : graph.inputs()) {
            if (columns[k] == Columns.REPEATED) {
                staging.repeat(staged.get(k));
            }
        }
        staging.forBlocks(code::lconst_0, count(), (index, count) -> {
            for (int k : graph.inputs()) {
                if (columns[k] == Columns.CONTIGUOUS) {
                    staging.load(staged.get(k), index, count);
                }
            }
            staged.forEach(operand -> code.aload(operand.array()));
            code.iload(count).invokestatic(self, "block", blockType());
            for (int k = inputs; k < operands; k++) {
                staging.store(staged.get(k), index, count);
            }
        });
        staging.giveBack();
        code.return_();
    }

    /// Computes the first elements of arrays.
    private void block(CodeBuilder code) {
        StagingCode.forElements(code, operands, 1, j -> {
            int[] results = results(code, operand -> {
                code.aload(operand).iload(j);
                code.arrayLoad(element(operand).kind);
            });
            for (int k = inputs; k < operands; k++) {
                code.aload(k).iload(j).loadLocal(resultKind(k), results[k - inputs]);
                code.arrayStore(element(k).kind);
            }
        });
        code.return_();
    }

    private TypeKind resultKind(int operand) {
        return isByte(operand) ? TypeKind.INT : element(operand).kind;
    }

    /// Computes the results of an element and returns their slots; `input` pushes an operand's element. All are
    /// computed before the first is stored, because it may overwrite an operand.
    private int[] results(CodeBuilder code, IntConsumer input) {
        IntConsumer converted = operand -> {
            input.accept(operand);
            asTruth(code, operand);
        };
        var emitter = new ScalarEmitter(code, graph, new Emitter.Leaves() {
            @Override
            public void input(int index) {
                converted.accept(index);
            }

            @Override
            public void mask(int index) {
                converted.accept(index);
            }

            @Override
            public void parameter(int index) {
                throw new IllegalArgumentException("an elementwise kernel has no parameters");
            }
        });
        int[] slots = new int[operands - inputs];
        for (int k = 0; k < slots.length; k++) {
            emitter.result(k);
            slots[k] = code.allocateLocal(resultKind(inputs + k));
            code.storeLocal(resultKind(inputs + k), slots[k]);
        }
        return slots;
    }
}
