package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.VectorEmitter;

/// Writes loops over vectors of elements. The remaining elements of a row, and rows that are not contiguous, go
/// through the scalar loop, which computes the same bits.
///
/// A row of an operand is read from memory or is one repeated element; there is a loop for each combination.
final class VectorLoop extends LoopWriter {
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    private static final ClassDesc SPECIES = LoopCode.SPECIES;

    /// Marks a loop whose inputs are all read from memory.
    static final int NONE = -1;

    private final int lanes;
    private final int repeatedInput;
    private final ClassDesc vector;
    private final ClassDesc kernel;

    /// Slots of one operand in the kernel's method.
    private record Operand(int segment, int start, int rowStep, int step) {}

    private VectorLoop(String name, Expression result, int inputs, VectorShape shape, int repeatedInput) {
        super(name, result, inputs);
        lanes = shape.vectorBitSize() / graph.precision().size;
        this.repeatedInput = repeatedInput;
        vector = VectorEmitter.vectorOf(graph.precision());
        kernel = kernelType().describeConstable().orElseThrow();
    }

    private Class<?> kernelType() {
        return inputs == 1 ? Kernel.Unary.class : Kernel.Binary.class;
    }

    /// {@return the kernel that computes `result` with vectors of `shape`, and the rest with `scalar`} The columns
    /// of its operands must be adjacent.
    static Kernel.Unary unary(String name, Expression result, VectorShape shape, Kernel.Unary scalar) {
        return (Kernel.Unary) new VectorLoop(name, result, 1, shape, NONE).instance(shape, scalar);
    }

    /// {@return the kernel that computes `result` with vectors of `shape`, and the rest with `scalar`} The columns
    /// of its operands must be adjacent, except for input `repeated` (0, 1 or [#NONE]), whose rows are one element
    /// each.
    static Kernel.Binary binary(String name, Expression result, VectorShape shape, int repeated, Kernel.Binary scalar) {
        return (Kernel.Binary) new VectorLoop(name, result, 2, shape, repeated).instance(shape, scalar);
    }

    private Object instance(VectorShape shape, Object scalar) {
        Class<?> real = wide ? double.class : float.class;
        Class<?> integer = wide ? long.class : int.class;
        var species = List.of(shape.withLanes(real), shape.withLanes(integer));
        return LoopCode.instance(write(), species, MethodType.methodType(void.class, kernelType()), scalar);
    }

    /// {@return the type of the kernel's method: each operand, y last, with its start and two steps, then the sizes}
    private MethodTypeDesc runType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            parameters.addAll(List.of(SEGMENT, CD_long, CD_long, CD_long));
        }
        parameters.addAll(List.of(CD_long, CD_long));
        return MethodTypeDesc.of(CD_void, parameters);
    }

    private List<Operand> operands(CodeBuilder code) {
        List<Operand> operands = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            operands.add(new Operand(
                    code.parameterSlot(4 * i),
                    code.parameterSlot(4 * i + 1),
                    code.parameterSlot(4 * i + 2),
                    code.parameterSlot(4 * i + 3)));
        }
        return operands;
    }

    private int rowCount(CodeBuilder code) {
        return code.parameterSlot(4 * (inputs + 1));
    }

    private int columnCount(CodeBuilder code) {
        return code.parameterSlot(4 * (inputs + 1) + 1);
    }

    private MethodTypeDesc rowType() {
        List<ClassDesc> parameters = new ArrayList<>();
        for (int i = 0; i <= inputs; i++) {
            parameters.addAll(List.of(SEGMENT, CD_long));
        }
        parameters.add(CD_long);
        parameters.add(kernel);
        return MethodTypeDesc.of(CD_void, parameters);
    }

    @Override
    void members(ClassBuilder type) {
        type.withInterfaceSymbols(kernel);
        LoopCode.scalarField(type, self, kernel);
        type.withMethodBody("run", runType(), ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, this::run);
        type.withMethodBody("row", rowType(), ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC, this::row);
    }

    private void run(CodeBuilder code) {
        List<Operand> operands = operands(code);
        int whole = code.allocateLocal(TypeKind.LONG);
        code.lload(columnCount(code)).loadConstant((long) -lanes).land().lstore(whole);
        loop(code, rowCount(code), i -> {
            for (Operand operand : operands) {
                code.aload(operand.segment());
                pushPlace(code, operand.start(), i, operand.rowStep());
            }
            code.lload(whole).aload(0).getfield(self, "scalar", kernel);
            code.invokestatic(self, "row", rowType());
        });
        rest(code, operands, whole);
        code.return_();
    }

    /// Computes the columns from `whole` on with the scalar loop.
    private void rest(CodeBuilder code, List<Operand> operands, int whole) {
        Label end = code.newLabel();
        code.lload(whole).lload(columnCount(code)).lcmp().ifge(end);
        code.aload(0).getfield(self, "scalar", kernel);
        for (Operand operand : operands) {
            code.aload(operand.segment());
            pushPlace(code, operand.start(), whole, operand.step());
            code.lload(operand.rowStep()).lload(operand.step());
        }
        code.lload(rowCount(code)).lload(columnCount(code)).lload(whole).lsub();
        code.invokeinterface(kernel, "run", runType());
        code.labelBinding(end);
    }

    /// Computes a row whose length is a multiple of a vector's. The loop tests at its end, so that the compiler
    /// expects many iterations, however few rows it has seen.
    private void row(CodeBuilder code) {
        int n = code.parameterSlot(2 * (inputs + 1));
        for (int i = 0; i <= inputs; i++) {
            LoopCode.callBounds(code, code.parameterSlot(2 * i), code.parameterSlot(2 * i + 1));
        }
        Label end = code.newLabel();
        Label top = code.newLabel();
        Label next = code.newLabel();
        code.lload(n).lconst_0().lcmp().ifle(end);
        int repeated = repeatedInput == NONE ? NONE : storeRepeated(code, repeatedInput);
        int j = code.allocateLocal(TypeKind.LONG);
        code.lconst_0().lstore(j);
        code.labelBinding(top);
        var emitter = new VectorEmitter(code, graph, leaves(code, repeated, j), integers -> species(code, integers));
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
        emitter.result(0);
        store(code, j);
        code.labelBinding(next);
        code.lload(j).loadConstant((long) lanes).ladd().lstore(j);
        code.lload(j).lload(n).lcmp().iflt(top);
        code.labelBinding(end);
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Reads the repeated element into a vector or mask.
    private int storeRepeated(CodeBuilder code, int input) {
        species(code, false);
        code.aload(code.parameterSlot(2 * input));
        element(input).pushLayout(code);
        code.lload(code.parameterSlot(2 * input + 1));
        get(code, input);
        if (isByte(input)) {
            LoopCode.broadcastMask(code);
        } else {
            LoopCode.broadcast(code, vector, wide);
        }
        int local = code.allocateLocal(TypeKind.REFERENCE);
        code.astore(local);
        return local;
    }

    private Emitter.Leaves leaves(CodeBuilder code, int repeated, int j) {
        return new Emitter.Leaves() {
            @Override
            public void input(int index) {
                if (index == repeatedInput) {
                    code.aload(repeated);
                    return;
                }
                species(code, false);
                code.aload(code.parameterSlot(2 * index));
                pushIndex(code, index, j);
                LoopCode.load(code, vector, wide);
            }

            @Override
            public void mask(int index) {
                if (index == repeatedInput) {
                    code.aload(repeated);
                    return;
                }
                species(code, false);
                code.aload(code.parameterSlot(2 * index));
                pushIndex(code, index, j);
                LoopCode.loadMask(code, lanes);
            }
        };
    }

    /// Pushes the index of an operand's element j.
    private static void pushIndex(CodeBuilder code, int operand, int j) {
        code.lload(code.parameterSlot(2 * operand + 1)).lload(j).ladd();
    }

    private static void species(CodeBuilder code, boolean integers) {
        LoopCode.classData(code, integers ? 1 : 0, SPECIES);
    }

    /// Pops the result and stores it from element j on.
    private void store(CodeBuilder code, int j) {
        if (isByte(inputs)) {
            VectorEmitter.maskToBits(code);
            code.aload(code.parameterSlot(2 * inputs));
            pushIndex(code, inputs, j);
            LoopCode.storeMask(code, lanes);
            return;
        }
        code.aload(code.parameterSlot(2 * inputs));
        pushIndex(code, inputs, j);
        LoopCode.store(code, vector, wide);
    }

    /// Computes the vector from element j on with the scalar loop.
    private void oneByOne(CodeBuilder code, int j) {
        code.aload(code.parameterSlot(2 * (inputs + 1) + 1));
        for (int i = 0; i <= inputs; i++) {
            boolean repeated = i == repeatedInput;
            code.aload(code.parameterSlot(2 * i)).lload(code.parameterSlot(2 * i + 1));
            if (!repeated) {
                code.lload(j).ladd();
            }
            code.lconst_0().loadConstant(repeated ? 0L : 1L);
        }
        code.lconst_1().loadConstant((long) lanes).invokeinterface(kernel, "run", runType());
    }
}
