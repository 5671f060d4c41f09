package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.ScalarEmitter;

/// Writes loops over elements, one by one: for any strides, and garbage-free from the first call on.
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
        return LoopCode.instance(write(), null, MethodType.methodType(void.class));
    }

    private MethodTypeDesc rowType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            parameters.addAll(List.of(LoopCode.SEGMENT, CD_long, CD_long));
        }
        parameters.add(CD_long);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    @Override
    void members(ClassBuilder type) {
        type.withMethodBody(ConstantDescs.INIT_NAME, ConstantDescs.MTD_void, 0, code -> {
            LoopCode.callObjectConstructor(code);
            code.return_();
        });
        type.withMethodBody("row", rowType(), ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC, this::row);
    }

    @Override
    void run(CodeBuilder code, List<Operand> operands) {
        loop(code, rowCount(code), i -> {
            for (Operand operand : operands) {
                code.aload(operand.segment());
                pushPlace(code, operand.start(), i, operand.rowStep());
                code.lload(operand.step());
            }
            code.lload(columnCount(code)).invokestatic(self, "row", rowType());
        });
        code.return_();
    }

    private void row(CodeBuilder code) {
        loop(code, code.parameterSlot(3 * (inputs + 1)), j -> {
            var emitter = new ScalarEmitter(code, graph, new Emitter.Leaves() {
                @Override
                public void input(int index) {
                    pushElementPlace(code, index, j);
                    get(code, index);
                }

                @Override
                public void mask(int index) {
                    input(index);
                }

                @Override
                public void parameter(int index) {
                    throw new IllegalArgumentException("an elementwise kernel has no parameters");
                }
            });
            pushElementPlace(code, inputs, j);
            emitter.result(0);
            set(code);
        });
        code.return_();
    }

    /// Pushes the segment, the layout and the index of an operand's element j.
    private void pushElementPlace(CodeBuilder code, int operand, int j) {
        code.aload(code.parameterSlot(3 * operand));
        pushLayout(code, operand);
        pushPlace(code, code.parameterSlot(3 * operand + 1), j, code.parameterSlot(3 * operand + 2));
    }
}
