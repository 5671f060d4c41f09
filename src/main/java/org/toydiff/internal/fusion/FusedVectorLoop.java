package org.toydiff.internal.fusion;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.VectorEmitter;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.LoopCode;
import org.toydiff.internal.kernels.LoopWriter;

/// Writes fused loops over vectors of elements. The remaining elements of a row go through the scalar loop, which
/// computes the same bits. No operand may be strided.
final class FusedVectorLoop extends FusedLoopWriter {
    private static final ClassDesc SPECIES = LoopCode.SPECIES;
    private static final ClassDesc KERNEL =
            Kernel.Fused.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc RUN =
            MethodTypeDesc.of(CD_void, SEGMENTS, LONGS, LONGS, LONGS, CD_long, CD_long, CD_long, CD_long);

    // The class data: the species of real numbers, of integers, and of numbers half as wide.
    private static final int REALS = 0;
    private static final int INTEGERS = 1;
    private static final int NARROW = 2;

    // Slots of the kernel's parameters.
    private static final int OPERANDS = 1;
    private static final int STARTS = 2;
    private static final int ROW_STEPS = 3;
    private static final int STEPS = 4;
    private static final int I0 = 5;
    private static final int J0 = 7;
    private static final int N1 = 9;
    private static final int N2 = 11;

    private final Columns[] columns;
    private final int lanes;
    private final ClassDesc vector;

    FusedVectorLoop(LoopProgram program, Columns[] columns, VectorShape shape) {
        super(program, program.name() + "Vectors");
        this.columns = columns;
        lanes = shape.vectorBitSize() / program.precision().size;
        vector = VectorEmitter.vectorOf(program.precision());
    }

    /// {@return the loop of a program with vectors of `shape`, for operands whose columns are so laid out; `scalar`
    /// computes the rest}
    static Kernel.Fused of(LoopProgram program, Columns[] columns, VectorShape shape, Kernel.Fused scalar) {
        var writer = new FusedVectorLoop(program, columns, shape);
        Class<?> real = writer.wide ? double.class : float.class;
        Class<?> integer = writer.wide ? long.class : int.class;
        VectorShape half = VectorShape.forBitSize(shape.vectorBitSize() / 2);
        Class<?> narrow = writer.wide ? float.class : short.class;
        var species = List.of(shape.withLanes(real), shape.withLanes(integer), half.withLanes(narrow));
        MethodType constructor = MethodType.methodType(void.class, Kernel.Fused.class);
        return (Kernel.Fused) LoopCode.instance(writer.write(), species, constructor, scalar);
    }

    /// {@return the type of `row`: the segment and the start of each operand, the number of elements, and the
    /// arguments of the scalar loop}
    private MethodTypeDesc rowType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int k = 0; k < operands; k++) {
            parameters.addAll(List.of(LoopCode.SEGMENT, CD_long));
        }
        parameters.addAll(List.of(CD_long, KERNEL, SEGMENTS, LONGS, LONGS, LONGS, CD_long, CD_long));
        return MethodTypeDesc.of(CD_void, parameters);
    }

    // Slots of the parameters of `row`.
    private static int segment(int operand) {
        return 3 * operand;
    }

    private static int start(int operand) {
        return 3 * operand + 1;
    }

    private int count() {
        return 3 * operands;
    }

    /// The slot of the scalar loop; its arguments follow.
    private int scalar() {
        return count() + 2;
    }

    /// {@return the class file}
    byte[] write() {
        return ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC).withInterfaceSymbols(KERNEL);
            LoopCode.scalarField(type, self, KERNEL);
            type.withMethodBody("run", RUN, ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, this::run);
            type.withMethodBody("row", rowType(), ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC, this::row);
        });
    }

    private void run(CodeBuilder code) {
        int whole = code.allocateLocal(TypeKind.LONG);
        code.lload(N2).loadConstant((long) -lanes).land().lstore(whole);
        int row = code.allocateLocal(TypeKind.LONG);
        LoopWriter.loop(code, N1, i -> {
            code.lload(I0).lload(i).ladd().lstore(row);
            for (int k = 0; k < operands; k++) {
                code.aload(OPERANDS).loadConstant(k).aaload();
                code.aload(STARTS).loadConstant(k).laload();
                code.lload(row).aload(ROW_STEPS).loadConstant(k).laload().lmul().ladd();
                code.lload(J0).aload(STEPS).loadConstant(k).laload().lmul().ladd();
            }
            code.lload(whole).aload(0).getfield(self, "scalar", KERNEL);
            pushArrays(code, OPERANDS);
            code.lload(row).lload(J0).invokestatic(self, "row", rowType());
        });
        Label end = code.newLabel();
        code.lload(whole).lload(N2).lcmp().ifge(end);
        code.aload(0).getfield(self, "scalar", KERNEL);
        pushArrays(code, OPERANDS);
        code.lload(I0)
                .lload(J0)
                .lload(whole)
                .ladd()
                .lload(N1)
                .lload(N2)
                .lload(whole)
                .lsub();
        code.invokeinterface(KERNEL, "run", RUN);
        code.labelBinding(end);
        code.return_();
    }

    /// Pushes the arrays that describe the operands, which are in adjacent slots.
    private static void pushArrays(CodeBuilder code, int first) {
        for (int slot = first; slot < first + 4; slot++) {
            code.aload(slot);
        }
    }

    /// Computes a row whose length is a multiple of a vector's. The loop tests at its end, so that the compiler
    /// expects many iterations, however few rows it has seen.
    private void row(CodeBuilder code) {
        for (int k = 0; k < operands; k++) {
            LoopCode.callBounds(code, segment(k), start(k));
        }
        Label end = code.newLabel();
        Label top = code.newLabel();
        Label next = code.newLabel();
        code.lload(count()).lconst_0().lcmp().ifle(end);
        Map<Integer, Integer> repeated = new HashMap<>();
        for (int k : graph.inputs()) {
            if (columns[k] == Columns.REPEATED) {
                repeated.put(k, storeRepeated(code, k));
            }
        }
        int j = code.allocateLocal(TypeKind.LONG);
        code.lconst_0().lstore(j);
        code.labelBinding(top);
        var emitter = new VectorEmitter(
                code, graph, leaves(code, repeated, j), integers -> species(code, integers ? INTEGERS : REALS));
        if (VectorEmitter.hasRareElements(graph)) {
            Label rare = code.newLabel();
            Label usual = code.newLabel();
            emitter.branchIfRare(rare);
            code.goto_(usual);
            code.labelBinding(rare);
            oneByOne(code, j);
            code.goto_(next);
            code.labelBinding(usual);
        }
        store(code, emitter, j);
        code.labelBinding(next);
        code.lload(j).loadConstant((long) lanes).ladd().lstore(j);
        code.lload(j).lload(count()).lcmp().iflt(top);
        code.labelBinding(end);
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Reads a repeated element into a vector or mask.
    private int storeRepeated(CodeBuilder code, int input) {
        species(code, REALS);
        code.aload(segment(input));
        element(input).pushLayout(code);
        code.lload(start(input));
        element(input).get(code);
        asValue(code, input);
        if (isByte(input)) {
            LoopCode.broadcastMask(code);
        } else {
            LoopCode.broadcast(code, vector, wide);
        }
        int local = code.allocateLocal(TypeKind.REFERENCE);
        code.astore(local);
        return local;
    }

    private Emitter.Leaves leaves(CodeBuilder code, Map<Integer, Integer> repeated, int j) {
        return new Emitter.Leaves() {
            @Override
            public void input(int index) {
                if (repeated.containsKey(index)) {
                    code.aload(repeated.get(index));
                } else {
                    load(code, index, j);
                }
            }

            @Override
            public void mask(int index) {
                if (repeated.containsKey(index)) {
                    code.aload(repeated.get(index));
                } else {
                    species(code, REALS);
                    pushPlace(code, index, j);
                    LoopCode.loadMask(code, lanes);
                }
            }
        };
    }

    /// Pushes the vector of an operand's elements from element j on.
    private void load(CodeBuilder code, int operand, int j) {
        boolean narrow = isNarrow(operand);
        species(code, narrow ? NARROW : REALS);
        pushPlace(code, operand, j);
        if (narrow) {
            LoopCode.load(code, LoopCode.narrowVector(wide), element(operand).bytes);
            LoopCode.widen(code, wide, wide ? REALS : INTEGERS);
        } else {
            LoopCode.load(code, vector, wide);
        }
    }

    /// Pushes the segment and the index of an operand's element j.
    private static void pushPlace(CodeBuilder code, int operand, int j) {
        code.aload(segment(operand)).lload(start(operand)).lload(j).ladd();
    }

    private static void species(CodeBuilder code, int index) {
        LoopCode.classData(code, index, SPECIES);
    }

    /// Computes the results and stores them from element j on: all are computed before the first is stored, because
    /// it may overwrite an operand.
    private void store(CodeBuilder code, VectorEmitter emitter, int j) {
        int[] results = new int[operands - inputs];
        for (int k = 0; k < results.length; k++) {
            emitter.result(k);
            results[k] = code.allocateLocal(TypeKind.REFERENCE);
            code.astore(results[k]);
        }
        for (int k = 0; k < results.length; k++) {
            int operand = inputs + k;
            code.aload(results[k]);
            if (isByte(operand)) {
                VectorEmitter.maskToBits(code);
                pushPlace(code, operand, j);
                LoopCode.storeMask(code, lanes);
            } else if (isNarrow(operand)) {
                LoopCode.narrow(code, wide, NARROW);
                pushPlace(code, operand, j);
                LoopCode.store(code, LoopCode.narrowVector(wide), element(operand).bytes);
            } else {
                pushPlace(code, operand, j);
                LoopCode.store(code, vector, wide);
            }
        }
    }

    /// Computes the vector from element j on with the scalar loop.
    private void oneByOne(CodeBuilder code, int j) {
        int firstArray = scalar() + 1;
        int row = firstArray + 4;
        int firstColumn = row + 2;
        code.aload(scalar());
        pushArrays(code, firstArray);
        code.lload(row).lload(firstColumn).lload(j).ladd();
        code.lconst_1().loadConstant((long) lanes).invokeinterface(KERNEL, "run", RUN);
    }
}
