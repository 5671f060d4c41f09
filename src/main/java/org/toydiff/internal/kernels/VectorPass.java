package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_int;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.VectorEmitter;

/// Writes passes over vectors of elements, each a [PassLoop.Vectors] with the arithmetic. A fold has as many vectors
/// as make up the virtual vector.
final class VectorPass extends PassWriter {
    private static final ClassDesc VECTOR = LoopCode.VECTOR;
    private static final ClassDesc SPECIES = LoopCode.SPECIES;
    private static final ClassDesc SHUFFLE = ClassDesc.of("jdk.incubator.vector.VectorShuffle");

    // Class data: the species of reals, integers and stored elements, then shuffles by 1, 2, 4 … lanes.
    private static final int REALS = 0;
    private static final int INTEGERS = 1;
    private static final int STORED = 2;
    private static final int SHUFFLES = 3;

    private static final MethodType CONSTRUCTOR =
            MethodType.methodType(void.class, PassDescription.class, int.class, PassLoop.class);

    private final int lanes;
    private final ClassDesc vector;
    private final ClassDesc storedVector;

    private VectorPass(PassDescription pass, VectorShape shape) {
        super(pass.name() + "Vectors", pass);
        lanes = shape.vectorBitSize() / pass.precision().size;
        vector = VectorEmitter.vectorOf(pass.precision());
        storedVector = VectorEmitter.vectorOf(pass.storage());
    }

    /// {@return the pass with vectors of `shape`} `scalar` computes the remaining elements.
    static PassLoop of(PassDescription pass, VectorShape shape, PassLoop scalar) {
        var writer = new VectorPass(pass, shape);
        List<Object> data = new ArrayList<>();
        VectorSpecies<?> reals = shape.withLanes(type(pass.precision()));
        data.add(reals);
        Class<?> integer = pass.precision() == Precision.FLOAT64 ? long.class : int.class;
        data.add(shape.withLanes(integer));
        data.add(VectorShape.forBitSize(writer.lanes * pass.storage().size).withLanes(type(pass.storage())));
        for (int distance = 1; distance < writer.lanes; distance *= 2) {
            data.add(VectorShuffle.iota(reals, distance, 1, true));
        }
        return (PassLoop) writer.define(PassLoop.Vectors.class, data, CONSTRUCTOR, pass, writer.step(), scalar);
    }

    private static Class<?> type(Precision precision) {
        return precision == Precision.FLOAT64 ? double.class : float.class;
    }

    /// {@return the number of elements of an iteration}
    private int step() {
        return pass.fold() == null ? lanes : pass.virtualLanes();
    }

    @Override
    void members(ClassBuilder type) {
        method(type, "part", PART, code -> loop(code, 1));
        method(type, "quarters", PART, pass.inQuarters() ? code -> loop(code, 4) : this::noQuarters);
    }

    private void noQuarters(CodeBuilder code) {
        code.dconst_0().dreturn();
    }

    /// Iterates over elements `FROM` to `TO` and, in step with them, over as many for each of the other streams. The
    /// loop tests at its end: see [VectorLoop].
    private void loop(CodeBuilder code, int streams) {
        int each = step() / lanes;
        for (int operand : pass.operands()) {
            LoopCode.callBounds(code, segment(operand), start(operand));
        }
        returnIfEmpty(code);
        Map<Integer, Integer> parameters = broadcastParameters(code);
        int[][][] accumulators = accumulators(code, streams, each);
        int i = code.allocateLocal(TypeKind.LONG);
        Label top = code.newLabel();
        code.lload(FROM).lstore(i);
        code.labelBinding(top);
        for (int stream = 0; stream < streams; stream++) {
            for (int k = 0; k < each; k++) {
                step(code, parameters, i, stream, k * lanes, accumulators[stream][k]);
            }
        }
        code.lload(i).loadConstant((long) step()).ladd().lstore(i);
        code.lload(i).lload(TO).lcmp().iflt(top);
        if (pass.fold() == null) {
            code.dconst_0().dreturn();
        } else {
            storeFurtherTotals(code, accumulators[0]);
            pushTotal(code, accumulators);
            returnTotal(code);
        }
        LoopCode.keepFromInlining(code);
    }

    /// Returns if there are no elements.
    private void returnIfEmpty(CodeBuilder code) {
        Label work = code.newLabel();
        code.lload(FROM).lload(TO).lcmp().iflt(work);
        code.loadConstant(pass.fold() == null ? 0.0 : pass.fold().identity).dreturn();
        code.labelBinding(work);
    }

    /// Pushes the total of the first folded value, of one stream or of four.
    private void pushTotal(CodeBuilder code, int[][][] accumulators) {
        pushTotal(code, accumulators[0], 0);
        if (accumulators.length == 4) {
            pushTotal(code, accumulators[1], 0);
            fold(code);
            pushTotal(code, accumulators[2], 0);
            pushTotal(code, accumulators[3], 0);
            fold(code);
            fold(code);
        }
    }

    private void storeFurtherTotals(CodeBuilder code, int[][] accumulators) {
        for (int value = 1; value < pass.folded().size(); value++) {
            code.aload(TOTALS).loadConstant(value);
            pushTotal(code, accumulators, value);
            code.conversion(kind, TypeKind.DOUBLE).dastore();
        }
    }

    private void pushIdentity(CodeBuilder code) {
        if (wide) {
            code.loadConstant(pass.fold().identity);
        } else {
            code.loadConstant((float) pass.fold().identity);
        }
    }

    /// {@return the slots of accumulators, by stream, vector and folded value}
    private int[][][] accumulators(CodeBuilder code, int streams, int each) {
        int[][][] slots = new int[streams][each][pass.folded().size()];
        for (int[][] stream : slots) {
            for (int[] vector : stream) {
                Arrays.setAll(vector, value -> accumulator(code));
            }
        }
        return slots;
    }

    private int accumulator(CodeBuilder code) {
        LoopCode.classData(code, REALS, SPECIES);
        pushIdentity(code);
        broadcast(code);
        int slot = code.allocateLocal(TypeKind.REFERENCE);
        code.astore(slot);
        return slot;
    }

    private Map<Integer, Integer> broadcastParameters(CodeBuilder code) {
        Map<Integer, Integer> slots = new HashMap<>();
        for (int index : graph.parameters()) {
            LoopCode.classData(code, REALS, SPECIES);
            pushParameter(code, PARAMETER_ARRAY, index);
            broadcast(code);
            int slot = code.allocateLocal(TypeKind.REFERENCE);
            code.astore(slot);
            slots.put(index, slot);
        }
        return slots;
    }

    private void broadcast(CodeBuilder code) {
        LoopCode.broadcast(code, vector, wide);
    }

    /// Computes a vector from element `i + offset` of a stream, folds its values into the accumulators, and writes the
    /// outputs.
    private void step(
            CodeBuilder code, Map<Integer, Integer> parameters, int i, int stream, int offset, int[] accumulators) {
        var emitter = new VectorEmitter(
                code,
                graph,
                new Emitter.Leaves() {
                    @Override
                    public void input(int index) {
                        load(code, index, i, stream, offset);
                    }

                    @Override
                    public void mask(int index) {
                        throw new IllegalArgumentException("a pass has no masks");
                    }

                    @Override
                    public void parameter(int index) {
                        code.aload(parameters.get(index));
                    }
                },
                integers -> LoopCode.classData(code, integers ? INTEGERS : REALS, SPECIES));
        List<PassDescription.Output> outputs = pass.outputs();
        int[] values = new int[outputs.size()];
        for (int k = 0; k < values.length; k++) {
            emitter.result(k);
            values[k] = code.allocateLocal(TypeKind.REFERENCE);
            code.astore(values[k]);
        }
        for (int value = 0; value < accumulators.length; value++) {
            // Calls the new vector's method with the accumulator as its argument: the compiler knows the new vector's
            // class even without a profile, hence also that of the result, and then that of the accumulator.
            emitter.result(values.length + value);
            code.aload(accumulators[value]);
            foldVectors(code);
            code.astore(accumulators[value]);
        }
        for (int k = 0; k < values.length; k++) {
            code.aload(values[k]);
            if (wide != wideStorage) {
                LoopCode.convert(code, "D2F", vector, STORED, storedVector);
            }
            code.aload(segment(outputs.get(k).operand()));
            pushIndex(code, outputs.get(k).operand(), i, stream, offset);
            LoopCode.store(code, storedVector, wideStorage);
        }
    }

    private void load(CodeBuilder code, int operand, int i, int stream, int offset) {
        LoopCode.classData(code, STORED, SPECIES);
        code.aload(segment(operand));
        pushIndex(code, operand, i, stream, offset);
        LoopCode.load(code, storedVector, wideStorage);
        if (wide != wideStorage) {
            LoopCode.convert(code, "F2D", storedVector, REALS, vector);
        }
    }

    /// Pushes the index of element `i + stream·TO + offset`.
    private void pushIndex(CodeBuilder code, int operand, int i, int stream, int offset) {
        code.lload(start(operand)).lload(i).ladd();
        for (int k = 0; k < stream; k++) {
            code.lload(TO).ladd();
        }
        if (offset > 0) {
            code.loadConstant((long) offset).ladd();
        }
    }

    private void foldVectors(CodeBuilder code) {
        code.invokevirtual(vector, pass.fold().method, MethodTypeDesc.of(vector, VECTOR));
    }

    /// Folds the vectors of a value that make up a virtual vector, then their lanes, by halves.
    private void pushTotal(CodeBuilder code, int[][] accumulators, int value) {
        for (int half = accumulators.length / 2; half > 0; half /= 2) {
            for (int k = 0; k < half; k++) {
                code.aload(accumulators[k][value]).aload(accumulators[k + half][value]);
                foldVectors(code);
                code.astore(accumulators[k][value]);
            }
        }
        code.aload(accumulators[0][value]);
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            code.dup();
            LoopCode.classData(code, SHUFFLES + Integer.numberOfTrailingZeros(distance), SHUFFLE);
            code.invokevirtual(vector, "rearrange", MethodTypeDesc.of(vector, SHUFFLE));
            foldVectors(code);
        }
        code.iconst_0().invokevirtual(vector, "lane", MethodTypeDesc.of(element, CD_int));
    }
}
