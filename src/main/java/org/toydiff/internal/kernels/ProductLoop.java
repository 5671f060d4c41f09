package org.toydiff.internal.kernels;

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
import java.lang.invoke.MethodType;
import java.util.List;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.VectorEmitter;

/// Writes the class of a [Kernel.Product] of rows and columns in multiples of a block. Each element of the result is
/// a sum in the order of k, with one rounding (fused multiply-add) for each term, so that both forms give the same
/// bits.
///
/// A block of 4 rows by 2 columns of the result, in the vector form 2 vectors of columns, stays in registers while
/// the loop runs over k: eight independent sums keep the multiply-add unit busy. (Sixteen vectors need fewer loads,
/// but exceed the compiler's inlining limit: it then boxes them, and the loop is four times slower.)
final class ProductLoop {
    /// Rows of the result per block.
    static final int ROWS = 4;

    /// Columns of the result per block, in the vector form vectors of columns.
    private static final int PAIR = 2;

    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    private static final ClassDesc PRODUCT =
            Kernel.Product.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc RUN = MethodTypeDesc.of(
            CD_void, SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, CD_int, CD_int,
            CD_int);
    private static final MethodTypeDesc BLOCK = MethodTypeDesc.of(
            CD_void, SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, CD_int);

    // Slots of a block's parameters; those of the product's are one higher.
    private static final int A = 0;
    private static final int A0 = 1;
    private static final int AI = 3;
    private static final int B = 5;
    private static final int B0 = 6;
    private static final int BK = 8;
    private static final int Y = 10;
    private static final int Y0 = 11;
    private static final int YI = 13;
    private static final int K = 15;

    // Slots of the product's sizes.
    private static final int M_SIZE = 16;
    private static final int N_SIZE = 17;
    private static final int K_SIZE = 18;

    private final boolean wide;
    private final int lanes;
    private final ClassDesc self;
    private final ClassDesc vector;

    /// The kind of a sum's local variable.
    private final TypeKind kind;

    private ProductLoop(Precision precision, int lanes) {
        wide = precision == Precision.FLOAT64;
        this.lanes = lanes;
        String name = "product" + (wide ? "Float64" : "Float32") + (lanes > 1 ? "Vectors" : "");
        self = ClassDesc.of(ProductLoop.class.getPackageName(), name);
        vector = VectorEmitter.vectorOf(precision);
        kind = lanes > 1 ? TypeKind.REFERENCE : Element.real(wide).kind;
    }

    static Kernel.Product scalar(Precision precision) {
        return new ProductLoop(precision, 1).define(null);
    }

    /// {@return the form with vectors of a species} The result has whole vectors of columns.
    static Kernel.Product vectors(Precision precision, int lanes, Object species) {
        return new ProductLoop(precision, lanes).define(List.of(species));
    }

    private Kernel.Product define(List<?> species) {
        byte[] bytes = ClassFile.of().build(self, this::write);
        return (Kernel.Product) LoopCode.instance(bytes, species, MethodType.methodType(void.class));
    }

    private void write(ClassBuilder type) {
        type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC).withInterfaceSymbols(PRODUCT);
        LoopCode.constructor(type);
        int visible = ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL;
        type.withMethodBody("run", RUN, visible, this::run);
        int hidden = ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC;
        type.withMethodBody("block", BLOCK, hidden, code -> block(code, PAIR));
        type.withMethodBody("column", BLOCK, hidden, code -> block(code, 1));
    }

    /// Computes pairs of columns, all rows of one pair before the next, and the last column when their number is odd.
    private void run(CodeBuilder code) {
        int j = code.allocateLocal(TypeKind.INT);
        code.iconst_0().istore(j);
        columns(code, j, PAIR, "block");
        columns(code, j, 1, "column");
        code.return_();
    }

    /// Computes the columns from j on, `count` at a time as long as there are as many.
    private void columns(CodeBuilder code, int j, int count, String method) {
        Label top = code.newLabel();
        Label end = code.newLabel();
        int i = code.allocateLocal(TypeKind.INT);
        code.labelBinding(top);
        code.iload(j).loadConstant(count * lanes).iadd().iload(N_SIZE).if_icmpgt(end);
        Label rows = code.newLabel();
        Label next = code.newLabel();
        code.iconst_0().istore(i);
        code.labelBinding(rows);
        code.iload(i).iload(M_SIZE).if_icmpge(next);
        code.aload(1 + A);
        pushRow(code, 1 + A0, i, 1 + AI);
        code.lload(1 + AI).aload(1 + B);
        code.lload(1 + B0).iload(j).i2l().ladd();
        code.lload(1 + BK).aload(1 + Y);
        pushRow(code, 1 + Y0, i, 1 + YI);
        code.iload(j).i2l().ladd();
        code.lload(1 + YI).iload(K_SIZE).invokestatic(self, method, BLOCK);
        code.iinc(i, ROWS).goto_(rows);
        code.labelBinding(next);
        code.iinc(j, count * lanes).goto_(top);
        code.labelBinding(end);
    }

    private static void pushRow(CodeBuilder code, int start, int i, int step) {
        code.lload(start).iload(i).i2l().lload(step).lmul().ladd();
    }

    /// The loop tests at its end: see [VectorLoop].
    private void block(CodeBuilder code, int columns) {
        LoopCode.callBounds(code, A, A0);
        LoopCode.callBounds(code, B, B0);
        LoopCode.callBounds(code, Y, Y0);
        Label work = code.newLabel();
        code.iload(K).ifgt(work);
        code.return_();
        code.labelBinding(work);
        int[][] sums = new int[ROWS][columns];
        for (int[] row : sums) {
            for (int c = 0; c < columns; c++) {
                row[c] = code.allocateLocal(kind);
                pushZero(code);
                code.storeLocal(kind, row[c]);
            }
        }
        int l = code.allocateLocal(TypeKind.INT);
        Label top = code.newLabel();
        code.iconst_0().istore(l);
        code.labelBinding(top);
        addTerms(code, sums, l);
        code.iinc(l, 1).iload(l).iload(K).if_icmplt(top);
        for (int i = 0; i < ROWS; i++) {
            for (int c = 0; c < columns; c++) {
                store(code, sums[i][c], i, c);
            }
        }
        code.return_();
        if (lanes > 1) {
            LoopCode.keepFromInlining(code);
        }
    }

    private void pushZero(CodeBuilder code) {
        if (lanes > 1) {
            species(code);
        }
        if (wide) {
            code.dconst_0();
        } else {
            code.fconst_0();
        }
        if (lanes > 1) {
            LoopCode.broadcast(code, vector, wide);
        }
    }

    /// Adds `a[i][l]·b[l][c]` to each sum. The sum is the last argument of a method of another vector: see
    /// [VectorPass].
    private void addTerms(CodeBuilder code, int[][] sums, int l) {
        int[] row = new int[sums[0].length];
        for (int c = 0; c < row.length; c++) {
            row[c] = code.allocateLocal(kind);
            loadB(code, l, c);
            code.storeLocal(kind, row[c]);
        }
        int factor = code.allocateLocal(kind);
        for (int i = 0; i < ROWS; i++) {
            loadA(code, i, l);
            code.storeLocal(kind, factor);
            for (int c = 0; c < row.length; c++) {
                code.loadLocal(kind, factor).loadLocal(kind, row[c]).loadLocal(kind, sums[i][c]);
                multiplyAdd(code);
                code.storeLocal(kind, sums[i][c]);
            }
        }
    }

    private void multiplyAdd(CodeBuilder code) {
        if (lanes > 1) {
            code.invokevirtual(vector, "fma", MethodTypeDesc.of(vector, LoopCode.VECTOR, LoopCode.VECTOR));
        } else {
            ClassDesc element = Element.real(wide).type();
            code.invokestatic(
                    ClassDesc.of("java.lang.Math"), "fma", MethodTypeDesc.of(element, element, element, element));
        }
    }

    private void loadA(CodeBuilder code, int i, int l) {
        if (lanes > 1) {
            species(code);
        }
        code.aload(A);
        Element.real(wide).pushLayout(code);
        code.lload(A0).loadConstant((long) i).lload(AI).lmul().ladd();
        code.iload(l).i2l().ladd();
        Element.real(wide).get(code);
        if (lanes > 1) {
            LoopCode.broadcast(code, vector, wide);
        }
    }

    private void loadB(CodeBuilder code, int l, int c) {
        if (lanes > 1) {
            species(code);
        }
        code.aload(B);
        if (lanes == 1) {
            Element.real(wide).pushLayout(code);
        }
        code.lload(B0).iload(l).i2l().lload(BK).lmul().ladd();
        code.loadConstant((long) c * lanes).ladd();
        if (lanes > 1) {
            LoopCode.load(code, vector, wide);
        } else {
            Element.real(wide).get(code);
        }
    }

    private void store(CodeBuilder code, int sum, int i, int c) {
        if (lanes > 1) {
            code.loadLocal(kind, sum);
        }
        code.aload(Y);
        if (lanes == 1) {
            Element.real(wide).pushLayout(code);
        }
        code.lload(Y0).loadConstant((long) i).lload(YI).lmul().ladd();
        code.loadConstant((long) c * lanes).ladd();
        if (lanes > 1) {
            LoopCode.store(code, vector, wide);
        } else {
            code.loadLocal(kind, sum);
            Element.real(wide).set(code);
        }
    }

    private static void species(CodeBuilder code) {
        LoopCode.classData(code, 0, LoopCode.SPECIES);
    }
}
