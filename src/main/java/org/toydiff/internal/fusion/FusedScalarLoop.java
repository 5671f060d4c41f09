package org.toydiff.internal.fusion;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.function.IntConsumer;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.ScalarEmitter;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.LoopCode;
import org.toydiff.internal.kernels.LoopWriter;

/// Writes the arithmetic of fused loops over elements, one by one, a [FusedRows.Body]: garbage-free from the first call
/// on.
final class FusedScalarLoop extends FusedLoopWriter {
    private static final ClassDesc BODY =
            FusedRows.Body.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc ROW = MethodTypeDesc.of(CD_void, SEGMENTS, LONGS, LONGS, CD_long);
    private static final MethodTypeDesc BLOCK = MethodTypeDesc.of(CD_void, CD_Object.arrayType(), CD_int);

    // Slots of a row's parameters.
    private static final int ROW_OPERANDS = 1;
    private static final int ROW_PLACES = 2;
    private static final int ROW_STEPS = 3;
    private static final int ROW_COUNT = 4;

    // Slots of a block's parameters.
    private static final int BLOCK_ARRAYS = 1;
    private static final int BLOCK_COUNT = 2;

    FusedScalarLoop(LoopProgram program) {
        super(program, program.name());
    }

    /// {@return the loop of a program for operands whose columns are so laid out}
    static Kernel.Fused of(LoopProgram program, Columns[] columns) {
        byte[] bytes = new FusedScalarLoop(program).write();
        Object body = LoopCode.instance(bytes, null, MethodType.methodType(void.class));
        return new FusedRows(program, columns, (FusedRows.Body) body);
    }

    /// {@return the class file}
    byte[] write() {
        return ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC).withInterfaceSymbols(BODY);
            LoopCode.constructor(type);
            type.withMethodBody("row", ROW, ClassFile.ACC_PUBLIC, this::row);
            type.withMethodBody("block", BLOCK, ClassFile.ACC_PUBLIC, this::block);
        });
    }

    /// Computes a row whose operands have any steps.
    private void row(CodeBuilder code) {
        int[] segments = new int[operands];
        int[] places = new int[operands];
        int[] steps = new int[operands];
        for (int k = 0; k < operands; k++) {
            segments[k] = code.allocateLocal(TypeKind.REFERENCE);
            places[k] = code.allocateLocal(TypeKind.LONG);
            steps[k] = code.allocateLocal(TypeKind.LONG);
            code.aload(ROW_OPERANDS).loadConstant(k).aaload().astore(segments[k]);
            code.aload(ROW_PLACES).loadConstant(k).laload().lstore(places[k]);
            code.aload(ROW_STEPS).loadConstant(k).laload().lstore(steps[k]);
        }
        LoopWriter.loop(code, ROW_COUNT, j -> {
            IntConsumer place = k -> {
                code.aload(segments[k]);
                element(k).pushLayout(code);
                LoopWriter.pushPlace(code, places[k], j, steps[k]);
            };
            int[] results = results(code, operand -> {
                place.accept(operand);
                element(operand).get(code);
            });
            for (int k = inputs; k < operands; k++) {
                place.accept(k);
                code.loadLocal(resultKind(k), results[k - inputs]);
                asElement(code, k);
                element(k).set(code);
            }
        });
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Computes the first elements of arrays.
    private void block(CodeBuilder code) {
        int[] arrays = new int[operands];
        for (int k = 0; k < operands; k++) {
            arrays[k] = code.allocateLocal(TypeKind.REFERENCE);
            code.aload(BLOCK_ARRAYS).loadConstant(k).aaload();
            code.checkcast(element(k).type().arrayType()).astore(arrays[k]);
        }
        LoopCode.forElements(code, BLOCK_COUNT, 1, j -> {
            int[] results = results(code, operand -> {
                code.aload(arrays[operand]).iload(j);
                code.arrayLoad(element(operand).kind);
            });
            for (int k = inputs; k < operands; k++) {
                code.aload(arrays[k]).iload(j).loadLocal(resultKind(k), results[k - inputs]);
                asElement(code, k);
                code.arrayStore(element(k).kind);
            }
        });
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    private TypeKind resultKind(int operand) {
        return isByte(operand) ? TypeKind.INT : Element.real(wide).kind;
    }

    /// Computes the results of an element and returns their slots; `input` pushes an operand's element. All are
    /// computed before the first is stored, because it may overwrite an operand.
    private int[] results(CodeBuilder code, IntConsumer input) {
        IntConsumer converted = operand -> {
            input.accept(operand);
            asValue(code, operand);
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
