package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes passes over elements, one by one: garbage-free from the first call on. A fold has one variable for each
/// lane of the virtual vector.
final class ScalarPass extends PassWriter {
    private ScalarPass(PassDescription pass) {
        super(pass.name(), pass);
    }

    static Kernel.Pass of(PassDescription pass) {
        return new ScalarPass(pass).define(null);
    }

    @Override
    int step() {
        return pass.fold() == null ? Staging.SHORTEST : pass.virtualLanes();
    }

    /// Passes the elements through a [Staging], block by block; the lanes of a fold stay in its array meanwhile.
    @Override
    void part(CodeBuilder code) {
        callBounds(code);
        returnIfEmpty(code);
        var staging = new StagingCode(code);
        Map<Integer, StagingCode.Staged> operands = new LinkedHashMap<>();
        for (int operand : pass.operands()) {
            operands.put(operand, staging.stage(operand, Element.real(wideStorage), segment(operand), start(operand)));
        }
        int lanes = staging.array(Staging.LANES, Element.real(wide));
        if (pass.fold() != null) {
            setLanes(code, lanes);
        }
        staging.forBlocks(() -> code.lload(FROM), TO, (index, count) -> {
            for (int input : graph.inputs()) {
                staging.load(operands.get(input), index, count);
            }
            operands.values().forEach(operand -> code.aload(operand.array()));
            code.aload(lanes).iload(count);
            code.aload(PARAMETER_ARRAY).invokestatic(self, "block", blockType());
            pass.outputs().forEach(output -> staging.store(operands.get(output.operand()), index, count));
        });
        // Before another thread may take the staging, and with it the lanes.
        int[] values = loadLanes(code, lanes);
        staging.giveBack();
        if (pass.fold() == null) {
            code.return_();
        } else {
            returnTotal(code, values);
        }
    }

    private void setLanes(CodeBuilder code, int lanes) {
        for (int k = 0; k < pass.virtualLanes(); k++) {
            code.aload(lanes).loadConstant(k);
            pushIdentity(code);
            code.arrayStore(kind);
        }
    }

    /// Folds the lanes by halves.
    private void returnTotal(CodeBuilder code, int[] values) {
        for (int half = values.length / 2; half > 0; half /= 2) {
            for (int k = 0; k < half; k++) {
                code.loadLocal(kind, values[k]).loadLocal(kind, values[k + half]);
                fold(code);
                code.storeLocal(kind, values[k]);
            }
        }
        code.loadLocal(kind, values[0]).return_(kind);
    }

    private int[] loadLanes(CodeBuilder code, int lanes) {
        int[] values = new int[pass.fold() == null ? 0 : pass.virtualLanes()];
        for (int k = 0; k < values.length; k++) {
            values[k] = code.allocateLocal(kind);
            code.aload(lanes).loadConstant(k).arrayLoad(kind).storeLocal(kind, values[k]);
        }
        return values;
    }

    /// {@return the type of `block`: the operands' arrays, the lanes, the number of elements, the parameters}
    private MethodTypeDesc blockType() {
        List<ClassDesc> types = new ArrayList<>();
        for (int k = 0; k < pass.operands().length; k++) {
            types.add(Element.real(wideStorage).type().arrayType());
        }
        types.addAll(List.of(element.arrayType(), CD_int, PARAMETERS));
        return MethodTypeDesc.of(CD_void, types);
    }

    @Override
    void members(ClassBuilder type) {
        method(type, "block", blockType(), this::block);
    }

    /// Computes the first elements of arrays. A fold has one variable for each lane of the virtual vector.
    private void block(CodeBuilder code) {
        int[] operands = pass.operands();
        int lanes = operands.length;
        Map<Integer, Integer> parameters = storeParameters(code, lanes + 2);
        int[] values = loadLanes(code, lanes);
        int each = Math.max(1, values.length);
        StagingCode.forElements(code, lanes + 1, each, i -> {
            for (int k = 0; k < each; k++) {
                element(code, parameters, inArrays(code, operands, i, k));
                if (values.length > 0) {
                    code.loadLocal(kind, values[k]);
                    fold(code);
                    code.storeLocal(kind, values[k]);
                }
            }
        });
        for (int k = 0; k < values.length; k++) {
            code.aload(lanes).loadConstant(k).loadLocal(kind, values[k]).arrayStore(kind);
        }
        code.return_();
    }

    /// {@return access to element `i + offset` of the operands' arrays}
    private Elements inArrays(CodeBuilder code, int[] operands, int i, int offset) {
        return new Elements() {
            @Override
            public void locate(int operand) {
                code.aload(Arrays.binarySearch(operands, operand)).iload(i);
                if (offset > 0) {
                    code.loadConstant(offset).iadd();
                }
            }

            @Override
            public void get() {
                code.arrayLoad(storedKind());
            }

            @Override
            public void set() {
                code.arrayStore(storedKind());
            }
        };
    }

    @Override
    void quarters(CodeBuilder code) {
        callPart(code, 0);
        callPart(code, 1);
        fold(code);
        callPart(code, 2);
        callPart(code, 3);
        fold(code);
        fold(code);
        code.return_(kind);
    }
}
