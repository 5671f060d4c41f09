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
import java.util.stream.IntStream;
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
    private static final MethodTypeDesc ADD_IN_MEMORY =
            MethodTypeDesc.of(CD_void, SEGMENT, CD_long, CD_long, CD_long, CD_double.arrayType(), CD_long);
    private static final MethodTypeDesc SCALAR_BLOCK = ADD_IN_MEMORY.insertParameterTypes(5, CD_long);
    private static final MethodTypeDesc ADD = MethodTypeDesc.of(CD_void, CD_double.arrayType(), CD_Object, CD_int);
    private static final MethodTypeDesc DIVIDE = ADD.insertParameterTypes(3, CD_double);
    private static final MethodType SCALAR = MethodType.methodType(void.class, ValueLayout.class);

    // Slots of a block's parameters. Those of the vector form and of the scalar one differ from slot 7 on.
    private static final int X = 0;
    private static final int X0 = 1;
    private static final int XI = 3;
    private static final int ROWS = 5;
    private static final int Y = 7;
    private static final int Y0 = 8;
    private static final int DIVISOR = 14;
    private static final int SUMS = 7;

    /// The slot of the divisor in the kernel's method.
    private static final int DIVISOR_OF_RUN = 13;

    private final boolean wide;
    private final boolean vectors;
    private final int lanes;

    /// The slots of a block's first column, and of the one after its last.
    private final int from;

    private final int to;
    private final ClassDesc self;
    private final TypeKind storedKind;
    private final ClassDesc storedVector;

    private ColumnLoop(Precision storage, int lanes) {
        wide = storage == Precision.FLOAT64;
        this.lanes = lanes;
        vectors = lanes > 1;
        from = vectors ? Y0 + 2 : SUMS + 1;
        to = from + 2;
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
            type.withMethodBody("addInMemory", ADD_IN_MEMORY, ClassFile.ACC_FINAL, this::addInMemory);
            type.withMethodBody("add", ADD, ClassFile.ACC_FINAL, this::add);
            type.withMethodBody("divide", DIVIDE, ClassFile.ACC_FINAL, this::divide);
        }
        int flags = ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC;
        type.withMethodBody("blocks", blockType(), flags, code -> block(code, vectors ? 4 : 8));
        type.withMethodBody("singles", blockType(), flags, code -> block(code, 1));
    }

    private MethodTypeDesc blockType() {
        return vectors ? BLOCK : SCALAR_BLOCK;
    }

    /// Sums the columns in blocks, then those that remain, and the last ones with the scalar form.
    private void run(CodeBuilder code) {
        int n = 1 + from;
        int singles = code.allocateLocal(TypeKind.LONG);
        code.lload(n).loadConstant((long) -lanes).land().lstore(singles);
        blocksThenSingles(code, 4L * lanes, singles);
        rest(code, n, singles);
        code.return_();
    }

    /// Adds the columns of some rows to sums in an array.
    private void addInMemory(CodeBuilder code) {
        blocksThenSingles(code, 8, 1 + from);
        code.return_();
    }

    /// Calls the methods for blocks of so many columns, and for the others up to the one in a slot.
    private void blocksThenSingles(CodeBuilder code, long columns, int end) {
        int blocks = code.allocateLocal(TypeKind.LONG);
        code.lload(end).loadConstant(-columns).land().lstore(blocks);
        pushOperands(code);
        code.lconst_0().lload(blocks);
        callBlock(code, "blocks");
        pushOperands(code);
        code.lload(blocks).lload(end);
        callBlock(code, "singles");
    }

    private void callBlock(CodeBuilder code, String name) {
        if (vectors) {
            code.dload(DIVISOR_OF_RUN);
        }
        code.invokestatic(self, name, blockType());
    }

    private void rest(CodeBuilder code, int n, int from) {
        Label end = code.newLabel();
        code.lload(from).lload(n).lcmp().ifge(end);
        code.aload(0).getfield(self, "scalar", COLUMNS);
        code.aload(1 + X).lload(1 + X0).lload(from).ladd().lload(1 + XI).lload(1 + ROWS);
        code.aload(1 + Y).lload(1 + Y0).lload(from).ladd();
        code.lload(n).lload(from).lsub().dload(DIVISOR_OF_RUN).invokeinterface(COLUMNS, "run", RUN);
        code.labelBinding(end);
    }

    private void pushOperands(CodeBuilder code) {
        code.aload(1 + X).lload(1 + X0).lload(1 + XI).lload(1 + ROWS);
        if (vectors) {
            code.aload(1 + Y).lload(1 + Y0);
        } else {
            code.aload(1 + SUMS);
        }
    }

    /// Sums columns `from` to `to`, `count` at a time.
    private void block(CodeBuilder code, int count) {
        LoopCode.callBounds(code, X, X0);
        if (vectors) {
            LoopCode.callBounds(code, Y, Y0);
        }
        Label work = code.newLabel();
        code.lload(from).lload(to).lcmp().iflt(work);
        code.return_();
        code.labelBinding(work);
        int j = code.allocateLocal(TypeKind.LONG);
        int i = code.allocateLocal(TypeKind.LONG);
        TypeKind kind = vectors ? TypeKind.REFERENCE : TypeKind.DOUBLE;
        int[] sums =
                IntStream.range(0, count).map(k -> code.allocateLocal(kind)).toArray();
        code.lload(from).lstore(j);
        loop(code, j, to, (long) count * lanes, () -> {
            for (int k = 0; k < count; k++) {
                pushFirstSum(code, j, k);
                code.storeLocal(kind, sums[k]);
            }
            code.lconst_0().lstore(i);
            loop(code, i, ROWS, 1, () -> {
                for (int k = 0; k < count; k++) {
                    load(code, i, j, k * lanes);
                    // The sum is passed as the argument: see VectorPass.
                    code.loadLocal(kind, sums[k]);
                    addSums(code);
                    code.storeLocal(kind, sums[k]);
                }
            });
            for (int k = 0; k < count; k++) {
                store(code, sums[k], j, k);
            }
        });
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Pushes the sum of column `j + k`, or of a vector of columns, before the first row.
    private void pushFirstSum(CodeBuilder code, int j, int k) {
        if (vectors) {
            species(code, 0);
            code.dconst_0();
            broadcast(code);
        } else {
            pushSumPlace(code, j, k);
            code.daload();
        }
    }

    private void addSums(CodeBuilder code) {
        if (vectors) {
            code.invokevirtual(DOUBLES, "add", MethodTypeDesc.of(DOUBLES, LoopCode.VECTOR));
        } else {
            code.dadd();
        }
    }

    /// Writes `for (; counter < limit; counter += step) body`, in terms of slots, for at least one iteration. The
    /// vector form tests at the end: see [VectorLoop].
    private void loop(CodeBuilder code, int counter, int limit, long step, Runnable body) {
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.labelBinding(top);
        if (!vectors) {
            code.lload(counter).lload(limit).lcmp().ifge(end);
        }
        body.run();
        code.lload(counter).loadConstant(step).ladd().lstore(counter);
        if (vectors) {
            code.lload(counter).lload(limit).lcmp().iflt(top);
        } else {
            LoopCode.jumpBack(code, counter, top);
        }
        code.labelBinding(end);
    }

    /// Pushes the array of sums, and the index of column `j + k`.
    private static void pushSumPlace(CodeBuilder code, int j, int k) {
        code.aload(SUMS).lload(j).l2i().loadConstant(k).iadd();
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

    /// Stores the sum of column `j + k`, or the quotients of vector k of sums.
    private void store(CodeBuilder code, int sum, int j, int k) {
        if (!vectors) {
            pushSumPlace(code, j, k);
            code.dload(sum).dastore();
            return;
        }
        code.aload(sum);
        species(code, 0);
        code.dload(DIVISOR);
        broadcast(code);
        code.invokevirtual(DOUBLES, "div", MethodTypeDesc.of(DOUBLES, LoopCode.VECTOR));
        if (!wide) {
            LoopCode.convert(code, "D2F", DOUBLES, 1, storedVector);
        }
        code.aload(Y).lload(Y0).lload(j).ladd().loadConstant((long) k * lanes).ladd();
        LoopCode.store(code, storedVector, wide);
    }

    private static void broadcast(CodeBuilder code) {
        LoopCode.broadcast(code, DOUBLES, true);
    }

    private static void species(CodeBuilder code, int index) {
        LoopCode.classData(code, index, LoopCode.SPECIES);
    }
}
