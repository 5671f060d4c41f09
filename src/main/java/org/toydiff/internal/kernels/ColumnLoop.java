package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodType;
import java.util.List;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.VectorEmitter;

/// Writes the class of a [Kernel.Columns]. Each column has a separate sum, in double. The vector form processes
/// four vectors of columns at a time, then one, so that each row contributes a cache line or more; the scalar form,
/// a [StagedLoop.Columns], some hundred, or eight and then one if there are few.
final class ColumnLoop {
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    private static final ClassDesc COLUMNS =
            Kernel.Columns.class.describeConstable().orElseThrow();
    private static final ClassDesc DOUBLES = VectorEmitter.vectorOf(Precision.FLOAT64);

    private static final MethodTypeDesc RUN =
            MethodTypeDesc.of(CD_void, SEGMENT, CD_long, CD_long, CD_long, SEGMENT, CD_long, CD_long, CD_double);
    private static final MethodTypeDesc BLOCK = RUN.insertParameterTypes(7, CD_long);

    // Of the methods and the constructor of a StagedLoop.Columns.
    private static final MethodTypeDesc ADD = MethodTypeDesc.of(CD_void, CD_double.arrayType(), CD_Object, CD_int);
    private static final MethodTypeDesc DIVIDE = ADD.insertParameterTypes(3, CD_double);
    private static final MethodType SCALAR = MethodType.methodType(void.class, ValueLayout.class);

    // Slots of a block's parameters.
    private static final int X = 0;
    private static final int X0 = 1;
    private static final int XI = 3;
    private static final int ROWS = 5;
    private static final int Y = 7;
    private static final int Y0 = 8;
    private static final int FROM = 10;
    private static final int TO = 12;
    private static final int DIVISOR = 14;

    private final boolean wide;
    private final boolean vectors;
    private final int lanes;
    private final ClassDesc self;
    private final TypeKind storedKind;
    private final ClassDesc storedVector;

    private ColumnLoop(Precision storage, int lanes) {
        wide = storage == Precision.FLOAT64;
        this.lanes = lanes;
        vectors = lanes > 1;
        String name = "columns" + (wide ? "Float64" : "Float32") + (vectors ? "Vectors" : "");
        self = ClassDesc.of(ColumnLoop.class.getPackageName(), name);
        storedKind = Element.real(wide).kind;
        storedVector = VectorEmitter.vectorOf(storage);
    }

    static Kernel.Columns scalar(Precision storage) {
        var writer = new ColumnLoop(storage, 1);
        return writer.define(null, SCALAR, Staging.layout(writer.wide));
    }

    /// {@return the vector form} `species` are those of doubles and of as many stored elements; `scalar` computes
    /// the remaining columns.
    static Kernel.Columns vectors(Precision storage, int lanes, List<?> species, Kernel.Columns scalar) {
        MethodType constructor = MethodType.methodType(void.class, Kernel.Columns.class);
        return new ColumnLoop(storage, lanes).define(species, constructor, scalar);
    }

    private Kernel.Columns define(List<?> species, MethodType constructor, Object argument) {
        byte[] bytes = ClassFile.of().build(self, this::write);
        return (Kernel.Columns) LoopCode.instance(bytes, species, constructor, argument);
    }

    private void write(ClassBuilder type) {
        type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC);
        if (vectors) {
            type.withInterfaceSymbols(COLUMNS);
            LoopCode.scalarField(type, self, COLUMNS);
            type.withMethodBody("run", RUN, ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, this::run);
        } else {
            LoopCode.constructor(type, StagedLoop.Columns.class, SCALAR);
            type.withMethodBody("sumInMemory", RUN, ClassFile.ACC_FINAL, this::run);
            type.withMethodBody("add", ADD, ClassFile.ACC_FINAL, this::add);
            type.withMethodBody("divide", DIVIDE, ClassFile.ACC_FINAL, this::divide);
        }
        int flags = ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC;
        type.withMethodBody("blocks", BLOCK, flags, code -> block(code, vectors ? 4 : 8));
        type.withMethodBody("singles", BLOCK, flags, code -> block(code, 1));
    }

    /// Sums the columns in blocks, then those that remain, and the last ones with the scalar form.
    private void run(CodeBuilder code) {
        int n = 1 + FROM;
        int divisor = n + 2;
        int blocks = code.allocateLocal(TypeKind.LONG);
        int singles = code.allocateLocal(TypeKind.LONG);
        code.lload(n).loadConstant(vectors ? -4L * lanes : -8L).land().lstore(blocks);
        code.lload(n).loadConstant((long) -lanes).land().lstore(singles);
        pushOperands(code);
        code.lconst_0().lload(blocks).dload(divisor).invokestatic(self, "blocks", BLOCK);
        pushOperands(code);
        code.lload(blocks).lload(singles).dload(divisor).invokestatic(self, "singles", BLOCK);
        if (vectors) {
            rest(code, n, singles, divisor);
        }
        code.return_();
    }

    private void rest(CodeBuilder code, int n, int from, int divisor) {
        Label end = code.newLabel();
        code.lload(from).lload(n).lcmp().ifge(end);
        code.aload(0).getfield(self, "scalar", COLUMNS);
        code.aload(1 + X).lload(1 + X0).lload(from).ladd().lload(1 + XI).lload(1 + ROWS);
        code.aload(1 + Y).lload(1 + Y0).lload(from).ladd();
        code.lload(n).lload(from).lsub().dload(divisor).invokeinterface(COLUMNS, "run", RUN);
        code.labelBinding(end);
    }

    private static void pushOperands(CodeBuilder code) {
        code.aload(1 + X)
                .lload(1 + X0)
                .lload(1 + XI)
                .lload(1 + ROWS)
                .aload(1 + Y)
                .lload(1 + Y0);
    }

    /// Sums columns `FROM` to `TO`, `count` at a time.
    private void block(CodeBuilder code, int count) {
        LoopCode.callBounds(code, X, X0);
        LoopCode.callBounds(code, Y, Y0);
        Label work = code.newLabel();
        code.lload(FROM).lload(TO).lcmp().iflt(work);
        code.return_();
        code.labelBinding(work);
        TypeKind kind = vectors ? TypeKind.REFERENCE : TypeKind.DOUBLE;
        int[] sums = new int[count];
        int j = code.allocateLocal(TypeKind.LONG);
        int i = code.allocateLocal(TypeKind.LONG);
        Label columns = code.newLabel();
        code.lload(FROM).lstore(j);
        code.labelBinding(columns);
        for (int k = 0; k < count; k++) {
            sums[k] = code.allocateLocal(kind);
            if (vectors) {
                species(code, 0);
                code.dconst_0();
                broadcast(code);
            } else {
                code.dconst_0();
            }
            code.storeLocal(kind, sums[k]);
        }
        Label rows = code.newLabel();
        code.lconst_0().lstore(i);
        code.labelBinding(rows);
        for (int k = 0; k < count; k++) {
            load(code, i, j, k * lanes);
            // The sum is passed as the argument: see VectorPass.
            code.loadLocal(kind, sums[k]);
            if (vectors) {
                code.invokevirtual(DOUBLES, "add", MethodTypeDesc.of(DOUBLES, LoopCode.VECTOR));
            } else {
                code.dadd();
            }
            code.storeLocal(kind, sums[k]);
        }
        code.lload(i).lconst_1().ladd().lstore(i);
        code.lload(i).lload(ROWS).lcmp().iflt(rows);
        for (int k = 0; k < count; k++) {
            store(code, sums[k], j, k * lanes);
        }
        code.lload(j).loadConstant((long) count * lanes).ladd().lstore(j);
        code.lload(j).lload(TO).lcmp().iflt(columns);
        code.return_();
        if (vectors) {
            LoopCode.keepFromInlining(code);
        }
    }

    private void add(CodeBuilder code) {
        int elements = elements(code);
        LoopCode.forElements(code, code.parameterSlot(2), 1, j -> {
            code.aload(code.parameterSlot(0)).iload(j).dup2().daload();
            code.aload(elements).iload(j).arrayLoad(storedKind).conversion(storedKind, TypeKind.DOUBLE);
            code.dadd().dastore();
        });
        code.return_();
    }

    private void divide(CodeBuilder code) {
        int elements = elements(code);
        LoopCode.forElements(code, code.parameterSlot(2), 1, j -> {
            code.aload(elements).iload(j);
            code.aload(code.parameterSlot(0))
                    .iload(j)
                    .daload()
                    .dload(code.parameterSlot(3))
                    .ddiv();
            code.conversion(TypeKind.DOUBLE, storedKind).arrayStore(storedKind);
        });
        code.return_();
    }

    /// Stores the array of elements, parameter 1, and returns its slot.
    private int elements(CodeBuilder code) {
        int elements = code.allocateLocal(TypeKind.REFERENCE);
        code.aload(code.parameterSlot(1));
        code.checkcast(Element.real(wide).type().arrayType()).astore(elements);
        return elements;
    }

    /// Pushes the elements of row i, starting at column `j + offset`.
    private void load(CodeBuilder code, int i, int j, int offset) {
        if (vectors) {
            species(code, 1);
        }
        code.aload(X);
        if (!vectors) {
            Element.real(wide).pushLayout(code);
        }
        code.lload(X0)
                .lload(i)
                .lload(XI)
                .lmul()
                .ladd()
                .lload(j)
                .ladd()
                .loadConstant((long) offset)
                .ladd();
        if (!vectors) {
            Element.real(wide).get(code);
            code.conversion(storedKind, TypeKind.DOUBLE);
            return;
        }
        LoopCode.load(code, storedVector, wide);
        if (!wide) {
            LoopCode.convert(code, "F2D", storedVector, 0, DOUBLES);
        }
    }

    private void store(CodeBuilder code, int sum, int j, int offset) {
        if (vectors) {
            code.aload(sum);
            species(code, 0);
            code.dload(DIVISOR);
            broadcast(code);
            code.invokevirtual(DOUBLES, "div", MethodTypeDesc.of(DOUBLES, LoopCode.VECTOR));
            if (!wide) {
                LoopCode.convert(code, "D2F", DOUBLES, 1, storedVector);
            }
            code.aload(Y).lload(Y0).lload(j).ladd().loadConstant((long) offset).ladd();
            LoopCode.store(code, storedVector, wide);
            return;
        }
        code.aload(Y);
        Element.real(wide).pushLayout(code);
        code.lload(Y0).lload(j).ladd().loadConstant((long) offset).ladd();
        code.dload(sum).dload(DIVISOR).ddiv().conversion(TypeKind.DOUBLE, storedKind);
        Element.real(wide).set(code);
    }

    private static void broadcast(CodeBuilder code) {
        LoopCode.broadcast(code, DOUBLES, true);
    }

    private static void species(CodeBuilder code, int index) {
        LoopCode.classData(code, index, LoopCode.SPECIES);
    }
}
