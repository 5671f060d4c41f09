package org.toydiff.internal.kernels;

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
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.ScalarEmitter;
import org.toydiff.internal.arithmetic.VectorEmitter;

/// Writes the class of a [Kernel.Unary] that converts elements to elements of another width, or BFLOAT16 to and from
/// any type. An expression has numbers of one width only.
///
/// Conversions for which every vector unit has an instruction have a vector form too. Those from INT64 to real
/// numbers do not (only AVX-512 has one), nor do those to integers, which check each element.
final class WidthLoop {
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    private static final ClassDesc KERNEL =
            Kernel.Unary.class.describeConstable().orElseThrow();
    private static final ClassDesc CASTS = CastKernels.class.describeConstable().orElseThrow();
    private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");
    private static final MethodTypeDesc RUN = MethodTypeDesc.of(
            CD_void, SEGMENT, CD_long, CD_long, CD_long, SEGMENT, CD_long, CD_long, CD_long, CD_long, CD_long);
    private static final MethodTypeDesc ROW =
            MethodTypeDesc.of(CD_void, SEGMENT, CD_long, CD_long, SEGMENT, CD_long, CD_long, CD_long);

    /// The Vector API's conversions, by the types.
    private static final Map<List<Element>, String> CONVERSIONS = Map.of(
            List.of(Element.FLOAT32, Element.FLOAT64), "F2D",
            List.of(Element.FLOAT64, Element.FLOAT32), "D2F",
            List.of(Element.INT32, Element.FLOAT64), "I2D",
            List.of(Element.INT32, Element.INT64), "I2L",
            List.of(Element.BFLOAT16, Element.FLOAT32), "S2I",
            List.of(Element.FLOAT32, Element.BFLOAT16), "I2S");

    /// The class data: the species of the two types, and that of integers.
    private static final int FROM = 0;

    private static final int TO = 1;
    private static final int INTEGERS = 2;

    private static final ClassDesc INTEGER_VECTOR = Element.INT32.vector();

    /// The BFLOAT16 nearest to a float, in the low half of an integer; and the float of an integer whose low half is
    /// a BFLOAT16, which is read as a real number.
    private static final Graph ROUNDED = Graph.of(List.of(CastKernels.bfloat16(Precision.FLOAT32.input(0))));

    private static final Graph WIDENED = Graph.of(List.of(CastKernels.ofBfloat16(Precision.FLOAT32.integer(0))));

    // Slots of the kernel's parameters.
    private static final int X = 1;
    private static final int X0 = 2;
    private static final int XI = 4;
    private static final int XJ = 6;
    private static final int Y = 8;
    private static final int Y0 = 9;
    private static final int YI = 11;
    private static final int YJ = 13;
    private static final int ROWS = 15;
    private static final int COLUMNS = 17;

    // A row's parameters: the segment, the start and the step of x, those of y, and the number of elements.
    private static final int ROW_X = 0;
    private static final int ROW_Y = 3;
    private static final int COUNT = 6;

    private final Element from;
    private final Element to;

    /// 1 for the scalar form.
    private final int lanes;

    private final ClassDesc self;

    private WidthLoop(String name, Element from, Element to, int lanes) {
        this.from = from;
        this.to = to;
        this.lanes = lanes;
        self = ClassDesc.of(WidthLoop.class.getPackageName(), name);
    }

    static boolean hasVectorForm(Element from, Element to) {
        return CONVERSIONS.containsKey(List.of(from, to));
    }

    static Kernel.Unary scalar(String name, Element from, Element to) {
        return new WidthLoop(name, from, to, 1).define(null, MethodType.methodType(void.class));
    }

    /// {@return the loop over contiguous rows with vectors of `shape` on its wider side} `scalar` computes the
    /// remaining columns.
    static Kernel.Unary vectors(String name, Element from, Element to, VectorShape shape, Kernel.Unary scalar) {
        int lanes = shape.vectorBitSize() / (Math.max(from.bytes, to.bytes) * Byte.SIZE);
        var species = List.of(species(from, lanes), species(to, lanes), species(Element.INT32, lanes));
        MethodType constructor = MethodType.methodType(void.class, Kernel.Unary.class);
        return new WidthLoop(name + "Vectors", from, to, lanes).define(species, constructor, scalar);
    }

    private static Object species(Element element, int lanes) {
        Class<?> type =
                switch (element) {
                    case FLOAT32 -> float.class;
                    case FLOAT64 -> double.class;
                    case BFLOAT16 -> short.class;
                    case INT32 -> int.class;
                    case INT64 -> long.class;
                    case BOOL -> throw new AssertionError(element);
                };
        return VectorShape.forBitSize(lanes * element.bytes * Byte.SIZE).withLanes(type);
    }

    private Kernel.Unary define(List<?> species, MethodType constructor, Object... arguments) {
        byte[] bytes = ClassFile.of().build(self, this::write);
        return (Kernel.Unary) LoopCode.instance(bytes, species, constructor, arguments);
    }

    private void write(ClassBuilder type) {
        type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC);
        if (lanes == 1) {
            LoopCode.constructor(type, StagedLoop.InMemory.class, MethodType.methodType(void.class));
            type.withMethodBody("row", ROW, ClassFile.ACC_FINAL, this::scalarRow);
            return;
        }
        type.withInterfaceSymbols(KERNEL);
        LoopCode.scalarField(type, self, KERNEL);
        type.withMethodBody("run", RUN, ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, this::run);
        type.withMethodBody("row", ROW, ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC, this::vectorRow);
    }

    private void run(CodeBuilder code) {
        int whole = code.allocateLocal(TypeKind.LONG);
        code.lload(COLUMNS).loadConstant((long) -lanes).land().lstore(whole);
        LoopWriter.loop(code, ROWS, i -> {
            code.aload(X);
            LoopWriter.pushPlace(code, X0, i, XI);
            code.lload(XJ).aload(Y);
            LoopWriter.pushPlace(code, Y0, i, YI);
            code.lload(YJ).lload(whole).invokestatic(self, "row", ROW);
        });
        Label end = code.newLabel();
        code.lload(whole).lload(COLUMNS).lcmp().ifge(end);
        code.aload(0).getfield(self, "scalar", KERNEL);
        code.aload(X);
        LoopWriter.pushPlace(code, X0, whole, XJ);
        code.lload(XI).lload(XJ).aload(Y);
        LoopWriter.pushPlace(code, Y0, whole, YJ);
        code.lload(YI).lload(YJ).lload(ROWS).lload(COLUMNS).lload(whole).lsub();
        code.invokeinterface(KERNEL, "run", RUN);
        code.labelBinding(end);
        code.return_();
    }

    private void scalarRow(CodeBuilder code) {
        checkBounds(code);
        LoopWriter.loop(code, code.parameterSlot(COUNT), j -> {
            pushPlace(code, code.parameterSlot(ROW_Y), to, j);
            pushPlace(code, code.parameterSlot(ROW_X), from, j);
            from.get(code);
            if (from != to) {
                convert(code);
            }
            to.set(code);
        });
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    private static void checkBounds(CodeBuilder code) {
        LoopCode.callBounds(code, code.parameterSlot(ROW_X), code.parameterSlot(ROW_X + 1));
        LoopCode.callBounds(code, code.parameterSlot(ROW_Y), code.parameterSlot(ROW_Y + 1));
    }

    /// Pushes a segment, the layout of its elements and the index of element j.
    private static void pushPlace(CodeBuilder code, int segment, Element element, int j) {
        code.aload(segment);
        element.pushLayout(code);
        LoopWriter.pushPlace(code, segment + 1, j, segment + 3);
    }

    /// Replaces an element by its conversion.
    private void convert(CodeBuilder code) {
        TypeKind number = from.kind;
        if (from == Element.BFLOAT16) {
            Element.widen(code);
            number = TypeKind.FLOAT;
        }
        if (from == Element.FLOAT32 && to == Element.BFLOAT16) {
            round(code);
        } else if (to == Element.BFLOAT16) {
            Element.round(code, number);
        } else if (to == Element.BOOL) {
            code.fconst_0().fcmpl().ifThenElse(CodeBuilder::iconst_1, CodeBuilder::iconst_0);
        } else if (from == Element.INT64 && to == Element.INT32) {
            code.invokestatic(MATH, "toIntExact", MethodTypeDesc.of(CD_int, CD_long));
        } else if (from.isInteger() || !to.isInteger()) {
            code.conversion(number, to.kind);
        } else {
            code.conversion(number, TypeKind.DOUBLE);
            String method = to == Element.INT32 ? "toInt" : "toLong";
            code.invokestatic(CASTS, method, MethodTypeDesc.of(to.type(), CD_double));
        }
    }

    /// Replaces a float by the nearest BFLOAT16.
    private static void round(CodeBuilder code) {
        new ScalarEmitter(code, ROUNDED, stored(code, TypeKind.FLOAT)).result(0);
        code.i2s();
    }

    /// Pops the operand of an expression into a variable, from which its emitter reads it.
    private static Emitter.Leaves stored(CodeBuilder code, TypeKind kind) {
        int operand = code.allocateLocal(kind);
        code.storeLocal(kind, operand);
        return new Emitter.Leaves() {
            @Override
            public void input(int index) {
                code.loadLocal(kind, operand);
            }

            @Override
            public void mask(int index) {
                throw new IllegalArgumentException("a conversion has no masks");
            }
        };
    }

    /// The loop tests at its end: see [VectorLoop].
    private void vectorRow(CodeBuilder code) {
        checkBounds(code);
        Label end = code.newLabel();
        Label top = code.newLabel();
        int j = code.allocateLocal(TypeKind.LONG);
        int count = code.parameterSlot(COUNT);
        code.lload(count).lconst_0().lcmp().ifle(end);
        code.lconst_0().lstore(j);
        code.labelBinding(top);
        LoopCode.classData(code, FROM, LoopCode.SPECIES);
        pushVectorPlace(code, code.parameterSlot(ROW_X), j);
        LoopCode.load(code, from.vector(), from.bytes);
        convertVector(code);
        pushVectorPlace(code, code.parameterSlot(ROW_Y), j);
        LoopCode.store(code, to.vector(), to.bytes);
        code.lload(j).loadConstant((long) lanes).ladd().lstore(j);
        code.lload(j).lload(count).lcmp().iflt(top);
        code.labelBinding(end);
        code.return_();
        LoopCode.keepFromInlining(code);
    }

    /// Replaces a vector of elements by their conversion.
    private void convertVector(CodeBuilder code) {
        String conversion = CONVERSIONS.get(List.of(from, to));
        if (from == Element.BFLOAT16) {
            LoopCode.halvesToFloats(code, INTEGERS);
            new VectorEmitter(code, WIDENED, stored(code, TypeKind.REFERENCE), species(code, TO)).result(0);
        } else if (to == Element.BFLOAT16) {
            new VectorEmitter(code, ROUNDED, stored(code, TypeKind.REFERENCE), species(code, FROM)).result(0);
            LoopCode.convert(code, conversion, INTEGER_VECTOR, TO, to.vector());
        } else {
            LoopCode.convert(code, conversion, from.vector(), TO, to.vector());
        }
    }

    private static VectorEmitter.SpeciesSource species(CodeBuilder code, int reals) {
        return integers -> LoopCode.classData(code, integers ? INTEGERS : reals, LoopCode.SPECIES);
    }

    private static void pushVectorPlace(CodeBuilder code, int segment, int j) {
        code.aload(segment).lload(segment + 1).lload(j).ladd();
    }
}
