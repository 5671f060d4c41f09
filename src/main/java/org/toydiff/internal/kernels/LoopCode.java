package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_MethodHandles;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.IntConsumer;
import org.toydiff.internal.Inlining;

/// The parts that all writers of loops share: the types that loops use, short sequences of instructions, and the
/// definition of the class. Elements in memory are doubles (`wide`) or floats.
public final class LoopCode {
    public static final ClassDesc SEGMENT = ClassDesc.of("java.lang.foreign.MemorySegment");
    static final ClassDesc LAYOUT = ClassDesc.of("java.lang.foreign.ValueLayout");
    static final ClassDesc VECTOR = ClassDesc.of("jdk.incubator.vector.Vector");
    public static final ClassDesc SPECIES = ClassDesc.of("jdk.incubator.vector.VectorSpecies");
    private static final ClassDesc OPERATORS = ClassDesc.of("jdk.incubator.vector.VectorOperators");
    private static final ClassDesc CONVERSION = OPERATORS.nested("Conversion");
    private static final ClassDesc ORDER = ClassDesc.of("java.nio.ByteOrder");
    private static final ClassDesc BOUNDS = Bounds.class.describeConstable().orElseThrow();
    private static final ClassDesc MASK = ClassDesc.of("jdk.incubator.vector.VectorMask");
    private static final ClassDesc MASK_BYTES =
            MaskBytes.class.describeConstable().orElseThrow();

    /// The class of vectors of BFLOAT16.
    private static final ClassDesc HALVES = Element.BFLOAT16.vector();

    private static final ClassDesc INTEGERS = Element.INT32.vector();

    private LoopCode() {}

    /// {@return the class that a loop of this name describes} All are of this package, whose helpers they call.
    public static ClassDesc named(String name) {
        return ClassDesc.of(LoopCode.class.getPackageName(), name);
    }

    /// {@return an instance of a new hidden class} `classData` is null for none; `arguments` are those of its
    /// constructor.
    public static Object instance(byte[] bytes, Object classData, MethodType constructor, Object... arguments) {
        Lookup lookup = MethodHandles.lookup();
        try {
            Lookup own = classData == null
                    ? lookup.defineHiddenClass(bytes, true)
                    : lookup.defineHiddenClassWithClassData(bytes, classData, true);
            return own.findConstructor(own.lookupClass(), constructor).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Writes a constructor without parameters.
    public static void constructor(ClassBuilder type) {
        constructor(type, Object.class, MethodType.methodType(void.class));
    }

    /// Makes a class extend another one, and writes a constructor that passes its parameters on to that one's.
    public static void constructor(ClassBuilder type, Class<?> superclass, MethodType constructor) {
        ClassDesc parent = superclass.describeConstable().orElseThrow();
        MethodTypeDesc descriptor = constructor.describeConstable().orElseThrow();
        type.withSuperclass(parent);
        type.withMethodBody(ConstantDescs.INIT_NAME, descriptor, 0, code -> {
            code.aload(0);
            for (int i = 0; i < descriptor.parameterCount(); i++) {
                code.loadLocal(TypeKind.from(descriptor.parameterType(i)), code.parameterSlot(i));
            }
            code.invokespecial(parent, ConstantDescs.INIT_NAME, descriptor).return_();
        });
    }

    /// Writes `for (int i = 0; i < count; i += step) body`, in terms of slots.
    public static void forElements(CodeBuilder code, int count, int step, IntConsumer body) {
        int i = code.allocateLocal(TypeKind.INT);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.iconst_0().istore(i);
        code.labelBinding(top);
        code.iload(i).iload(count).if_icmpge(end);
        body.accept(i);
        code.iinc(i, step).goto_(top);
        code.labelBinding(end);
    }

    /// Writes a field `scalar`, and a constructor that takes its value.
    public static void scalarField(ClassBuilder type, ClassDesc self, ClassDesc kernel) {
        type.withField("scalar", kernel, ClassFile.ACC_PRIVATE | ClassFile.ACC_FINAL);
        type.withMethodBody(ConstantDescs.INIT_NAME, MethodTypeDesc.of(CD_void, kernel), 0, code -> {
            code.aload(0).invokespecial(CD_Object, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void);
            code.aload(0).aload(1).putfield(self, "scalar", kernel).return_();
        });
    }

    /// Writes the check of a segment and a start, which are slots; see [Bounds].
    public static void callBounds(CodeBuilder code, int segment, int start) {
        code.aload(segment).lload(start);
        code.invokestatic(BOUNDS, "within", MethodTypeDesc.of(CD_void, SEGMENT, CD_long));
    }

    // Vectors. `vector` is the class of one, `wide` its elements.

    /// Pushes the constant at an index of the class data.
    public static void classData(CodeBuilder code, int index, ClassDesc type) {
        code.ldc(DynamicConstantDesc.ofNamed(
                ConstantDescs.ofConstantBootstrap(CD_MethodHandles, "classDataAt", CD_Object, CD_int),
                ConstantDescs.DEFAULT_NAME,
                type,
                index));
    }

    /// Replaces a species and an element by a vector of that element.
    public static void broadcast(CodeBuilder code, ClassDesc vector, boolean wide) {
        code.invokestatic(
                vector,
                "broadcast",
                MethodTypeDesc.of(vector, SPECIES, Element.real(wide).type()));
    }

    /// Replaces a species, a segment and an index by the vector at that index.
    public static void load(CodeBuilder code, ClassDesc vector, boolean wide) {
        load(code, vector, wide ? Double.BYTES : Float.BYTES);
    }

    /// As the other, of elements of so many bytes.
    public static void load(CodeBuilder code, ClassDesc vector, int bytes) {
        pushBytesAndOrder(code, bytes);
        code.invokestatic(vector, "fromMemorySegment", MethodTypeDesc.of(vector, SPECIES, SEGMENT, CD_long, ORDER));
    }

    /// Pops a vector, a segment and an index, and stores the vector at that index.
    public static void store(CodeBuilder code, ClassDesc vector, boolean wide) {
        store(code, vector, wide ? Double.BYTES : Float.BYTES);
    }

    /// As the other, of elements of so many bytes.
    public static void store(CodeBuilder code, ClassDesc vector, int bytes) {
        pushBytesAndOrder(code, bytes);
        code.invokevirtual(vector, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
    }

    /// Replaces a species, a segment and an index by the mask of so many truth values from that index on.
    public static void loadMask(CodeBuilder code, int lanes) {
        code.loadConstant(lanes);
        code.invokestatic(MASK_BYTES, "load", MethodTypeDesc.of(CD_long, SEGMENT, CD_long, CD_int));
        code.invokestatic(MASK, "fromLong", MethodTypeDesc.of(MASK, SPECIES, CD_long));
    }

    /// Pops a mask's bits, a segment and an index, and stores so many truth values from that index on.
    public static void storeMask(CodeBuilder code, int lanes) {
        code.loadConstant(lanes);
        code.invokestatic(MASK_BYTES, "store", MethodTypeDesc.of(CD_void, CD_long, SEGMENT, CD_long, CD_int));
    }

    /// Replaces a species and a truth value, 0 or 1, by a mask with that value in all lanes.
    public static void broadcastMask(CodeBuilder code) {
        code.invokeinterface(SPECIES, "maskAll", MethodTypeDesc.of(MASK, CD_boolean));
    }

    /// Replaces an index by the offset in bytes and the byte order.
    private static void pushBytesAndOrder(CodeBuilder code, int bytes) {
        boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        code.loadConstant((long) bytes).lmul();
        code.getstatic(ORDER, little ? "LITTLE_ENDIAN" : "BIG_ENDIAN", ORDER);
    }

    /// Replaces a vector by one with other elements (`conversion` is `F2D`, for instance), of a species in the class
    /// data.
    static void convert(CodeBuilder code, String conversion, ClassDesc from, int species, ClassDesc to) {
        code.getstatic(OPERATORS, conversion, CONVERSION);
        classData(code, species, SPECIES);
        code.iconst_0().invokevirtual(from, "convertShape", MethodTypeDesc.of(VECTOR, CONVERSION, SPECIES, CD_int));
        code.checkcast(to);
    }

    /// Writes the jump to the top of a loop whose counter is a long, as a switch of which every case is that jump.
    ///
    /// HotSpot counts the backward branches of all instructions but switches. After enough of them it compiles a method
    /// from the middle of its loop on (on-stack replacement, OSR), and C2 of JDK 25.0.3 has crashed in OSR of a loop
    /// over memory segments (`MachSpillCopyNode::implementation`). Without a count, a method is compiled by the
    /// number of its calls, as a whole; a call stays in the interpreter or in C1's code to its end, so the first ones
    /// must be short: see [Pieces]. C2 sees that the cases are one, and compiles the same loop as for `goto`.
    public static void jumpBack(CodeBuilder code, int counter, Label top) {
        code.lload(counter).l2i().lookupswitch(top, List.of(SwitchCase.of(0, top), SwitchCase.of(1, top)));
    }

    /// {@return the class of vectors of the floating type half as wide as doubles (`wide`) or floats}
    public static ClassDesc narrowVector(boolean wide) {
        return wide ? Element.FLOAT32.vector() : HALVES;
    }

    /// Replaces a vector of such elements by one of doubles, or of floats whose lower halves they are; `species` is the
    /// place of the species of doubles, or of integers, in the class data.
    public static void widen(CodeBuilder code, boolean wide, int species) {
        if (wide) {
            convert(code, "F2D", Element.FLOAT32.vector(), species, Element.FLOAT64.vector());
        } else {
            halvesToFloats(code, species);
        }
    }

    /// Does the reverse; `species` is the place of the species of the elements.
    public static void narrow(CodeBuilder code, boolean wide, int species) {
        if (wide) {
            convert(code, "D2F", Element.FLOAT64.vector(), species, Element.FLOAT32.vector());
        } else {
            code.invokevirtual(Element.FLOAT32.vector(), "reinterpretAsInts", MethodTypeDesc.of(INTEGERS));
            convert(code, "I2S", INTEGERS, species, HALVES);
        }
    }

    /// Replaces a vector of BFLOAT16 by one of floats whose lower halves they are; `integers` is the place of the
    /// species of as many integers in the class data.
    static void halvesToFloats(CodeBuilder code, int integers) {
        convert(code, "S2I", HALVES, integers, INTEGERS);
        code.invokevirtual(INTEGERS, "reinterpretAsFloats", MethodTypeDesc.of(Element.FLOAT32.vector()));
    }

    /// Ends the method of a loop so that C2 does not inline it: a loop is to be compiled once, by itself. Evidence that
    /// one caller's copy of a vector loop allocates nothing would not hold for another's; calls of an inlined copy do
    /// not count towards the compilation of the rest; and code with copies of some loops is discarded when it meets
    /// another one.
    public static void keepFromInlining(CodeBuilder code) {
        Inlining.prevent(code);
    }
}
