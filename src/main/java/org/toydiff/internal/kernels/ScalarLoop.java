package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.IntConsumer;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.ScalarEmitter;

/// Writes loops over elements, one by one: for any strides, and garbage-free from the first call on. Each is a
/// [StagedLoop] with the arithmetic.
final class ScalarLoop extends LoopWriter {
    private ScalarLoop(String name, Expression result, int inputs) {
        super(name, result, inputs);
    }

    /// {@return the kernel of one operand that computes `result`; `name` is for profilers}
    static Kernel.Unary unary(String name, Expression result) {
        return (Kernel.Unary) new ScalarLoop(name, result, 1).instance();
    }

    /// {@return the kernel of two operands that computes `result`}
    static Kernel.Binary binary(String name, Expression result) {
        return (Kernel.Binary) new ScalarLoop(name, result, 2).instance();
    }

    private Object instance() {
        Object[] arguments = new Object[inputs + 2];
        for (int k = 0; k <= inputs; k++) {
            arguments[k] = layout(k);
        }
        arguments[inputs + 1] = Arrays.stream(graph.inputs()).anyMatch(k -> k == inputs);
        return LoopCode.instance(write(), null, constructor(), arguments);
    }

    private ValueLayout layout(int operand) {
        return isByte(operand) ? ValueLayout.JAVA_BYTE : Staging.layout(wide);
    }

    private MethodType constructor() {
        return MethodType.methodType(void.class, Collections.nCopies(inputs + 1, ValueLayout.class))
                .appendParameterTypes(boolean.class);
    }

    private MethodTypeDesc rowType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int k = 0; k <= inputs; k++) {
            parameters.addAll(List.of(LoopCode.SEGMENT, CD_long, CD_long));
        }
        parameters.add(CD_long);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    private MethodTypeDesc blockType() {
        List<ClassDesc> parameters = new ArrayList<>(Collections.nCopies(inputs + 1, CD_Object));
        parameters.add(CD_int);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    @Override
    void members(ClassBuilder type) {
        LoopCode.constructor(type, inputs == 1 ? StagedLoop.Unary.class : StagedLoop.Binary.class, constructor());
        type.withMethodBody("row", rowType(), ClassFile.ACC_FINAL, this::row);
        type.withMethodBody("block", blockType(), ClassFile.ACC_FINAL, this::block);
    }

    /// Computes a row whose operands have any steps.
    private void row(CodeBuilder code) {
        loop(code, code.parameterSlot(3 * (inputs + 1)), j -> {
            pushElementPlace(code, inputs, j);
            result(code, operand -> {
                pushElementPlace(code, operand, j);
                get(code, operand);
            });
            element(inputs).set(code);
        });
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Pushes the segment, the layout and the index of an operand's element j.
    private void pushElementPlace(CodeBuilder code, int operand, int j) {
        code.aload(code.parameterSlot(3 * operand));
        element(operand).pushLayout(code);
        pushPlace(code, code.parameterSlot(3 * operand + 1), j, code.parameterSlot(3 * operand + 2));
    }

    /// Computes the first elements of arrays.
    private void block(CodeBuilder code) {
        int[] arrays = new int[inputs + 1];
        for (int k = 0; k <= inputs; k++) {
            arrays[k] = code.allocateLocal(TypeKind.REFERENCE);
            code.aload(code.parameterSlot(k));
            code.checkcast(element(k).type().arrayType()).astore(arrays[k]);
        }
        LoopCode.forElements(code, code.parameterSlot(inputs + 1), 1, j -> {
            code.aload(arrays[inputs]).iload(j);
            result(code, operand -> {
                code.aload(arrays[operand]).iload(j);
                code.arrayLoad(element(operand).kind);
                asTruth(code, operand);
            });
            code.arrayStore(element(inputs).kind);
        });
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Pushes the expression's value; `input` pushes an operand's element.
    private void result(CodeBuilder code, IntConsumer input) {
        var emitter = new ScalarEmitter(code, graph, new Emitter.Leaves() {
            @Override
            public void input(int index) {
                input.accept(index);
            }

            @Override
            public void mask(int index) {
                input.accept(index);
            }
        });
        emitter.result(0);
    }
}
