package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_short;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Locale;
import org.toydiff.internal.arithmetic.Precision;

/// The types of elements that kernels read and write, by the names of the public dtypes.
public enum Element {
    FLOAT32(TypeKind.FLOAT, Float.BYTES),
    FLOAT64(TypeKind.DOUBLE, Double.BYTES),

    /// The upper half of a FLOAT32; loops move it as a short, and compute with the [float][#widen] that it is half of.
    BFLOAT16(TypeKind.SHORT, Short.BYTES),
    INT32(TypeKind.INT, Integer.BYTES),
    INT64(TypeKind.LONG, Long.BYTES),

    /// A byte of 0 or 1.
    BOOL(TypeKind.BYTE, 1);

    /// The kind of the Java type.
    public final TypeKind kind;

    /// The size in bytes.
    public final int bytes;

    Element(TypeKind kind, int bytes) {
        this.kind = kind;
        this.bytes = bytes;
    }

    /// {@return the type of real numbers that are doubles (`wide`) or floats}
    public static Element real(boolean wide) {
        return wide ? FLOAT64 : FLOAT32;
    }

    private static final ClassDesc FLOAT = ClassDesc.of("java.lang.Float");
    private static final ClassDesc CASTS = CastKernels.class.describeConstable().orElseThrow();

    private static String capitalized(Enum<?> constant) {
        String name = constant.name();
        return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
    }

    /// {@return its part of a kernel's name, such as `Float32`}
    String title() {
        return capitalized(this);
    }

    private ClassDesc layout() {
        return LoopCode.LAYOUT.nested("Of" + capitalized(kind));
    }

    /// {@return the Java type}
    public ClassDesc type() {
        return kind.upperBound();
    }

    /// {@return the class of vectors of these elements}
    ClassDesc vector() {
        return ClassDesc.of("jdk.incubator.vector", capitalized(kind) + "Vector");
    }

    /// Pushes the layout of elements.
    public void pushLayout(CodeBuilder code) {
        code.getstatic(LoopCode.LAYOUT, "JAVA_" + kind, layout());
    }

    /// Replaces a segment, a layout and an index by the element at that index.
    public void get(CodeBuilder code) {
        code.invokeinterface(LoopCode.SEGMENT, "getAtIndex", MethodTypeDesc.of(type(), layout(), CD_long));
    }

    /// Pops a segment, a layout, an index and an element, and stores the element at that index.
    public void set(CodeBuilder code) {
        code.invokeinterface(LoopCode.SEGMENT, "setAtIndex", MethodTypeDesc.of(CD_void, layout(), CD_long, type()));
    }

    /// Replaces a BFLOAT16 by the float of the same value.
    static void widen(CodeBuilder code) {
        code.bipush(Short.SIZE).ishl().invokestatic(FLOAT, "intBitsToFloat", MethodTypeDesc.of(CD_float, CD_int));
    }

    /// Replaces a number of that kind by the nearest BFLOAT16.
    static void round(CodeBuilder code, TypeKind number) {
        TypeKind exact = number == TypeKind.LONG ? TypeKind.LONG : TypeKind.DOUBLE;
        code.conversion(number, exact);
        code.invokestatic(CASTS, "bfloat16", MethodTypeDesc.of(CD_short, exact.upperBound()));
    }

    /// {@return whether it is INT32 or INT64}
    boolean isInteger() {
        return this == INT32 || this == INT64;
    }

    /// {@return the precision of the expressions over elements of this size; FLOAT32 for bytes}
    public Precision precision() {
        return bytes == Double.BYTES ? Precision.FLOAT64 : Precision.FLOAT32;
    }
}
