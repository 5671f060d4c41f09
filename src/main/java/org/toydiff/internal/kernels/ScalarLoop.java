package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Opcode;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
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

    private MethodTypeDesc blockType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            parameters.add(element(i).type().arrayType());
        }
        parameters.add(CD_int);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    @Override
    void members(ClassBuilder type) {
        LoopCode.constructor(type);
        int flags = ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC;
        type.withMethodBody("row", rowType(), flags, this::row);
        type.withMethodBody("stagedRow", rowType(), flags, this::stagedRow);
        type.withMethodBody("block", blockType(), flags, this::block);
    }

    @Override
    void run(CodeBuilder code, List<Operand> operands) {
        int first = operands.getFirst().step();
        int second = operands.get(inputs - 1).step();
        StagingCode.pushFits(code, columnCount(code), operands.getLast().step(), first, second);
        code.ifThenElse(fits -> rows(fits, operands, "stagedRow"), other -> rows(other, operands, "row"));
        code.return_();
    }

    private void rows(CodeBuilder code, List<Operand> operands, String method) {
        int n2 = columnCount(code);
        loop(code, rowCount(code), i -> {
            for (Operand operand : operands) {
                code.aload(operand.segment());
                pushPlace(code, operand.start(), i, operand.rowStep());
                code.lload(operand.step());
            }
            code.lload(n2).invokestatic(self, method, rowType());
        });
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
    }

    /// Pushes the segment, the layout and the index of an operand's element j.
    private void pushElementPlace(CodeBuilder code, int operand, int j) {
        code.aload(segment(code, operand));
        element(operand).pushLayout(code);
        pushPlace(code, start(code, operand), j, step(code, operand));
    }

    private static int segment(CodeBuilder code, int operand) {
        return code.parameterSlot(3 * operand);
    }

    private static int start(CodeBuilder code, int operand) {
        return code.parameterSlot(3 * operand + 1);
    }

    private static int step(CodeBuilder code, int operand) {
        return code.parameterSlot(3 * operand + 2);
    }

    /// Computes a row of contiguous operands or repeated elements, block by block, through a [Staging].
    private void stagedRow(CodeBuilder code) {
        var staging = new StagingCode(code);
        List<StagingCode.Staged> operands = new ArrayList<>();
        for (int k = 0; k <= inputs; k++) {
            operands.add(staging.stage(k, element(k), segment(code, k), start(code, k)));
        }
        for (int k : graph.inputs()) {
            var operand = operands.get(k);
            code.lload(step(code, k)).lconst_0().lcmp();
            code.ifThen(Opcode.IFEQ, once -> staging.repeat(operand));
        }
        staging.forBlocks(code::lconst_0, code.parameterSlot(3 * (inputs + 1)), (index, count) -> {
            for (int k : graph.inputs()) {
                var operand = operands.get(k);
                code.lload(step(code, k)).lconst_0().lcmp();
                code.ifThen(Opcode.IFNE, each -> staging.load(operand, index, count));
            }
            operands.forEach(operand -> code.aload(operand.array()));
            code.iload(count).invokestatic(self, "block", blockType());
            staging.store(operands.getLast(), index, count);
        });
        staging.giveBack();
        code.return_();
    }

    /// Computes the first elements of arrays.
    private void block(CodeBuilder code) {
        StagingCode.forElements(code, code.parameterSlot(inputs + 1), 1, j -> {
            code.aload(code.parameterSlot(inputs)).iload(j);
            result(code, operand -> {
                code.aload(code.parameterSlot(operand)).iload(j);
                code.arrayLoad(element(operand).kind);
                asTruth(code, operand);
            });
            code.arrayStore(element(inputs).kind);
        });
        code.return_();
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

            @Override
            public void parameter(int index) {
                throw new IllegalArgumentException("an elementwise kernel has no parameters");
            }
        });
        emitter.result(0);
    }
}
