package org.toydiff.internal.kernels;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
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
        return pass.fold() == null ? 1 : pass.virtualLanes();
    }

    @Override
    void part(CodeBuilder code) {
        callBounds(code);
        Map<Integer, Integer> parameters = storeParameters(code);
        int[] lanes = new int[pass.fold() == null ? 0 : step()];
        for (int k = 0; k < lanes.length; k++) {
            lanes[k] = code.allocateLocal(kind);
            pushIdentity(code);
            code.storeLocal(kind, lanes[k]);
        }
        int i = code.allocateLocal(TypeKind.LONG);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.lload(FROM).lstore(i);
        code.labelBinding(top);
        code.lload(i).lload(TO).lcmp().ifge(end);
        for (int k = 0; k < step(); k++) {
            element(code, parameters, i, k);
            if (lanes.length > 0) {
                code.loadLocal(kind, lanes[k]);
                fold(code);
                code.storeLocal(kind, lanes[k]);
            }
        }
        code.lload(i).loadConstant((long) step()).ladd().lstore(i).goto_(top);
        code.labelBinding(end);
        if (lanes.length == 0) {
            code.return_();
            return;
        }
        for (int half = lanes.length / 2; half > 0; half /= 2) {
            for (int k = 0; k < half; k++) {
                code.loadLocal(kind, lanes[k]).loadLocal(kind, lanes[k + half]);
                fold(code);
                code.storeLocal(kind, lanes[k]);
            }
        }
        code.loadLocal(kind, lanes[0]).return_(kind);
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
