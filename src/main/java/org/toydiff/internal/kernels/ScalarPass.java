package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.ScalarEmitter;

/// Writes passes over elements, one by one: garbage-free from the first call on. Each is a [PassLoop.Staged] with the
/// arithmetic, in which a fold has one variable for each lane of the virtual vector and each folded value.
final class ScalarPass extends PassWriter {
    private static final MethodType CONSTRUCTOR = MethodType.methodType(void.class, PassDescription.class, int.class);

    private static final MethodTypeDesc REST = PART.insertParameterTypes(PART.parameterCount(), CD_double);
    private static final MethodTypeDesc BLOCK = MethodTypeDesc.of(CD_void, Collections.nCopies(OPERANDS + 1, CD_Object))
            .insertParameterTypes(OPERANDS + 1, CD_int, DOUBLES);
    private static final MethodTypeDesc TOTAL = MethodTypeDesc.of(CD_double, CD_Object, DOUBLES);

    // Slots of parameters that follow those of the operands.
    private static final int TOTAL_OF_REST = TOTALS + 1;
    private static final int LANES_OF_BLOCK = 1 + OPERANDS;
    private static final int COUNT_OF_BLOCK = LANES_OF_BLOCK + 1;
    private static final int PARAMETERS_OF_BLOCK = COUNT_OF_BLOCK + 1;

    private ScalarPass(PassDescription pass) {
        super(pass.name(), pass);
    }

    static PassLoop of(PassDescription pass) {
        int step = pass.fold() == null ? Staging.SHORTEST : pass.virtualLanes();
        return (PassLoop) new ScalarPass(pass).define(PassLoop.Staged.class, null, CONSTRUCTOR, pass, step);
    }

    @Override
    void members(ClassBuilder type) {
        method(type, "rest", REST, this::rest);
        method(type, "block", BLOCK, this::block);
        method(type, "total", TOTAL, this::total);
    }

    private void rest(CodeBuilder code) {
        Map<Integer, Integer> parameters = storeParameters(code, PARAMETER_ARRAY);
        int[] totals = totals(code);
        int i = code.allocateLocal(TypeKind.LONG);
        code.lload(FROM).lstore(i);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.labelBinding(top);
        code.lload(i).lload(TO).lcmp().ifge(end);
        element(code, parameters, inMemory(code, i));
        foldInto(code, totals);
        code.lload(i).lconst_1().ladd().lstore(i);
        LoopCode.jumpBack(code, i, top);
        code.labelBinding(end);
        for (int value = 1; value < totals.length; value++) {
            code.aload(TOTALS).loadConstant(value).loadLocal(kind, totals[value]);
            code.conversion(kind, TypeKind.DOUBLE).dastore();
        }
        code.loadLocal(kind, totals[0]);
        returnTotal(code);
    }

    /// Reads the totals so far into variables; a pass that folds nothing has one, which is 0.
    private int[] totals(CodeBuilder code) {
        int[] totals = new int[Math.max(1, pass.folded().size())];
        for (int value = 0; value < totals.length; value++) {
            totals[value] = code.allocateLocal(kind);
            if (value == 0) {
                code.dload(TOTAL_OF_REST);
            } else {
                code.aload(TOTALS).loadConstant(value).daload();
            }
            code.conversion(TypeKind.DOUBLE, kind).storeLocal(kind, totals[value]);
        }
        return totals;
    }

    private void block(CodeBuilder code) {
        Map<Integer, Integer> parameters = storeParameters(code, PARAMETERS_OF_BLOCK);
        Map<Integer, Integer> arrays = new HashMap<>();
        for (int operand : pass.operands()) {
            arrays.put(
                    operand, cast(code, 1 + operand, Element.real(wideStorage).type()));
        }
        int[][] lanes = pass.fold() == null ? new int[1][0] : loadLanes(code, LANES_OF_BLOCK);
        LoopCode.forElements(code, COUNT_OF_BLOCK, lanes.length, i -> {
            for (int k = 0; k < lanes.length; k++) {
                element(code, parameters, inArrays(code, arrays, i, k));
                foldInto(code, lanes[k]);
            }
        });
        storeLanes(code, lanes);
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Folds the lanes by halves.
    private void total(CodeBuilder code) {
        if (pass.fold() == null) {
            code.dconst_0().dreturn();
            return;
        }
        int[][] lanes = loadLanes(code, 1);
        for (int value = 1; value < lanes[0].length; value++) {
            code.aload(2).loadConstant(value);
            pushTotal(code, lanes, value);
            code.conversion(kind, TypeKind.DOUBLE).dastore();
        }
        pushTotal(code, lanes, 0);
        returnTotal(code);
    }

    private void pushTotal(CodeBuilder code, int[][] lanes, int value) {
        for (int half = lanes.length / 2; half > 0; half /= 2) {
            for (int k = 0; k < half; k++) {
                code.loadLocal(kind, lanes[k][value]).loadLocal(kind, lanes[k + half][value]);
                fold(code);
                code.storeLocal(kind, lanes[k][value]);
            }
        }
        code.loadLocal(kind, lanes[0][value]);
    }

    /// {@return the slots of lanes, by lane and folded value}
    private int[][] loadLanes(CodeBuilder code, int parameter) {
        int array = cast(code, parameter, element);
        int[][] lanes = new int[pass.virtualLanes()][pass.folded().size()];
        for (int k = 0; k < lanes.length; k++) {
            for (int value = 0; value < lanes[k].length; value++) {
                lanes[k][value] = code.allocateLocal(kind);
                code.aload(array).loadConstant(value * lanes.length + k).arrayLoad(kind);
                code.storeLocal(kind, lanes[k][value]);
            }
        }
        return lanes;
    }

    private void storeLanes(CodeBuilder code, int[][] lanes) {
        for (int k = 0; k < lanes.length; k++) {
            for (int value = 0; value < lanes[k].length; value++) {
                code.aload(LANES_OF_BLOCK).checkcast(element.arrayType());
                code.loadConstant(value * lanes.length + k);
                code.loadLocal(kind, lanes[k][value]).arrayStore(kind);
            }
        }
    }

    /// Stores a parameter, an array of elements of a type, and returns its slot.
    private static int cast(CodeBuilder code, int parameter, ClassDesc type) {
        int array = code.allocateLocal(TypeKind.REFERENCE);
        code.aload(parameter).checkcast(type.arrayType()).astore(array);
        return array;
    }

    /// Reads the parameters from an array into variables: from index to slot.
    private Map<Integer, Integer> storeParameters(CodeBuilder code, int array) {
        Map<Integer, Integer> slots = new HashMap<>();
        for (int index : graph.parameters()) {
            int slot = code.allocateLocal(kind);
            pushParameter(code, array, index);
            code.storeLocal(kind, slot);
            slots.put(index, slot);
        }
        return slots;
    }

    /// Folds the values on the stack, the last one on top, into variables.
    private void foldInto(CodeBuilder code, int[] variables) {
        for (int value = pass.folded().size() - 1; value >= 0; value--) {
            code.loadLocal(kind, variables[value]);
            fold(code);
            code.storeLocal(kind, variables[value]);
        }
    }

    /// How a loop gets at the elements of operands.
    private interface Elements {
        /// Pushes whatever locates an operand's current element.
        void locate(int operand);

        /// Replaces a location by the element there.
        void get();

        /// Pops a location and an element, and stores it there.
        void set();
    }

    /// {@return access to element i in memory}
    private Elements inMemory(CodeBuilder code, int i) {
        Element stored = Element.real(wideStorage);
        return new Elements() {
            @Override
            public void locate(int operand) {
                code.aload(segment(operand));
                stored.pushLayout(code);
                code.lload(start(operand)).lload(i).ladd();
            }

            @Override
            public void get() {
                stored.get(code);
            }

            @Override
            public void set() {
                stored.set(code);
            }
        };
    }

    /// {@return access to element `i + offset` of the operands' arrays}
    private Elements inArrays(CodeBuilder code, Map<Integer, Integer> arrays, int i, int offset) {
        return new Elements() {
            @Override
            public void locate(int operand) {
                code.aload(arrays.get(operand)).iload(i);
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

    private TypeKind storedKind() {
        return Element.real(wideStorage).kind;
    }

    /// Computes an element, writes the outputs, and pushes the folded values.
    private void element(CodeBuilder code, Map<Integer, Integer> parameters, Elements elements) {
        var emitter = new ScalarEmitter(code, graph, new Emitter.Leaves() {
            @Override
            public void input(int index) {
                elements.locate(index);
                elements.get();
                code.conversion(storedKind(), kind);
            }

            @Override
            public void mask(int index) {
                throw new IllegalArgumentException("a pass has no masks");
            }

            @Override
            public void parameter(int index) {
                code.loadLocal(kind, parameters.get(index));
            }
        });
        List<PassDescription.Output> outputs = pass.outputs();
        int[] values = new int[outputs.size()];
        for (int k = 0; k < values.length; k++) {
            emitter.result(k);
            values[k] = code.allocateLocal(kind);
            code.storeLocal(kind, values[k]);
        }
        for (int value = 0; value < pass.folded().size(); value++) {
            emitter.result(values.length + value);
        }
        for (int k = 0; k < values.length; k++) {
            elements.locate(outputs.get(k).operand());
            code.loadLocal(kind, values[k]).conversion(kind, storedKind());
            elements.set();
        }
    }
}
