package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/// Kernels that read or write floating-point elements at positions along an axis, which an index of INT32 or
/// INT64 gives. One loop is generated for each pair of types.
///
/// There is no vector form: a vector unit gathers its lanes one by one, and the time goes into waiting for memory.
public final class IndexKernels {
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    private static final MethodTypeDesc ROW = MethodTypeDesc.of(
            CD_void,
            List.of(SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, CD_long, CD_long));

    // Slots of a row's parameters: the segment of x, followed by its start and step; those of the index and of y; the
    // number of elements, and the step along the axis.
    private static final int X = 1;
    private static final int INDEX = 6;
    private static final int Y = 11;
    private static final int COUNT = 16;
    private static final int ALONG = 18;

    private static final ConcurrentHashMap<List<Object>, Loop> LOOPS = new ConcurrentHashMap<>();

    private IndexKernels() {}

    private enum Kind {
        GATHER,
        SCATTER_ADD
    }

    /// A loop over part of a row.
    abstract static class Loop {
        final Pieces pieces = new Pieces();

        abstract void row(
                MemorySegment x,
                long x0,
                long xj,
                MemorySegment index,
                long i0,
                long ij,
                MemorySegment y,
                long y0,
                long yj,
                long n,
                long along);
    }

    /// A loop with its step along the axis, as a kernel over a grid: operand a is x, operand b the index.
    private record Grid(Loop loop, long along) implements Kernel.Binary {
        @Override
        public void run(
                MemorySegment a,
                long a0,
                long ai,
                long aj,
                MemorySegment b,
                long b0,
                long bi,
                long bj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2) {
            for (long i = 0; i < n1; i++) {
                for (long j = 0, n; j < n2; j += n) {
                    n = Math.min(loop.pieces.next(), n2 - j);
                    long aAt = a0 + i * ai + j * aj;
                    long bAt = b0 + i * bi + j * bj;
                    loop.row(a, aAt, aj, b, bAt, bj, y, y0 + i * yi + j * yj, yj, n, along);
                }
            }
        }
    }

    /// {@return the kernel of `y = x[index]`} The step of x is 0 along the axis, and `along` between its positions.
    public static Kernel.Binary gather(Element element, Element index, long along) {
        return new Grid(loop(Kind.GATHER, element, index), along);
    }

    /// {@return the kernel of `y[index] += x`, element after element} The step of y is 0 along the axis, and `along`
    /// between its positions.
    public static Kernel.Binary scatterAdd(Element element, Element index, long along) {
        return new Grid(loop(Kind.SCATTER_ADD, element, index), along);
    }

    private static Loop loop(Kind kind, Element element, Element index) {
        return LOOPS.computeIfAbsent(List.of(kind, element, index), key -> define(kind, element, index));
    }

    private static Loop define(Kind kind, Element element, Element index) {
        String name = BinaryKernel.method(kind) + element.title() + "At" + index.title();
        ClassDesc self = ClassDesc.of(IndexKernels.class.getPackageName(), name);
        byte[] bytes = ClassFile.of().build(self, type -> write(type, kind, element, index));
        return (Loop) LoopCode.instance(bytes, null, MethodType.methodType(void.class));
    }

    private static void write(ClassBuilder type, Kind kind, Element element, Element index) {
        type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC);
        LoopCode.constructor(type, Loop.class, MethodType.methodType(void.class));
        type.withMethodBody("row", ROW, ClassFile.ACC_FINAL, code -> {
            for (int segment : new int[] {X, INDEX, Y}) {
                LoopCode.callBounds(code, segment, segment + 1);
            }
            LoopWriter.loop(code, COUNT, j -> step(code, kind, element, index, j));
            code.return_();
            LoopCode.keepFromInlining(code);
        });
    }

    /// Replaces a segment, a layout and an index by the element there, as a number to compute with.
    private static void pushNumber(CodeBuilder code, Element element) {
        element.get(code);
        if (element == Element.BFLOAT16) {
            Element.widen(code);
        }
    }

    /// Replaces two numbers by the element that is their sum.
    private static void add(CodeBuilder code, Element element) {
        if (element == Element.FLOAT64) {
            code.dadd();
            return;
        }
        code.fadd();
        if (element == Element.BFLOAT16) {
            Element.round(code, TypeKind.FLOAT);
        }
    }

    private static void step(CodeBuilder code, Kind kind, Element element, Element index, int j) {
        int place = code.allocateLocal(TypeKind.LONG);
        int indexed = kind == Kind.GATHER ? X : Y;
        LoopWriter.pushPlace(code, indexed + 1, j, indexed + 3);
        code.aload(INDEX);
        index.pushLayout(code);
        LoopWriter.pushPlace(code, INDEX + 1, j, INDEX + 3);
        index.get(code);
        code.conversion(index.kind, TypeKind.LONG).lload(ALONG).lmul().ladd().lstore(place);
        code.aload(Y);
        element.pushLayout(code);
        if (kind == Kind.GATHER) {
            LoopWriter.pushPlace(code, Y + 1, j, Y + 3);
            code.aload(X);
            element.pushLayout(code);
            code.lload(place);
            element.get(code);
        } else {
            code.lload(place).aload(Y);
            element.pushLayout(code);
            code.lload(place);
            pushNumber(code, element);
            code.aload(X);
            element.pushLayout(code);
            LoopWriter.pushPlace(code, X + 1, j, X + 3);
            pushNumber(code, element);
            add(code, element);
        }
        element.set(code);
    }
}
