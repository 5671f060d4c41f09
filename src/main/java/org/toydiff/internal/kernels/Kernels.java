package org.toydiff.internal.kernels;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.toydiff.internal.JvmOptions;

/// Chooses once, at the start, which kernels run: those on the Vector API when the JVM was started with its module,
/// else the scalar ones. `-Dtoydiff.kernels=vector` or `scalar` forces one.
public final class Kernels {
    private static final String PROPERTY = "toydiff.kernels";
    private static final boolean VECTOR = chosen();

    private Kernels() {}

    /// `vector` or `scalar`.
    public static String active() {
        return VECTOR ? "vector" : "scalar";
    }

    private static boolean chosen() {
        if (System.getProperty(PROPERTY) == null && !JvmOptions.VECTOR_KERNELS) {
            System.getLogger("org.toydiff")
                    .log(
                            System.Logger.Level.INFO,
                            "scalar kernels: start the JVM with --add-modules jdk.incubator.vector for those on the"
                                    + " Vector API, which are several times faster");
        }
        return JvmOptions.VECTOR_KERNELS;
    }

    static Kernel.Unary unary(String op, boolean wide) {
        Kernel.Unary scalar = (Kernel.Unary)
                loop(wide ? DoubleUnaryLoop.class : FloatUnaryLoop.class, op, wide, MethodType.genericMethodType(1));
        return VECTOR ? VectorKernels.unary(op, wide, scalar) : scalar;
    }

    static Kernel.Binary binary(String op, boolean wide) {
        Kernel.Binary scalar = (Kernel.Binary)
                loop(wide ? DoubleBinaryLoop.class : FloatBinaryLoop.class, op, wide, MethodType.genericMethodType(2));
        return VECTOR ? VectorKernels.binary(op, wide, scalar) : scalar;
    }

    static Kernel.Binary comparison(String op, boolean wide) {
        Kernel.Binary scalar = (Kernel.Binary) loop(
                wide ? DoubleComparisonLoop.class : FloatComparisonLoop.class,
                op,
                wide,
                MethodType.genericMethodType(2).changeReturnType(boolean.class));
        return VECTOR ? VectorKernels.comparison(op, wide, scalar) : scalar;
    }

    static Kernel.Binary wholeComparison(String op, int bytes) {
        MethodType type = MethodType.methodType(boolean.class, long.class, long.class);
        return (Kernel.Binary) Specializer.specialize(
                WholeComparisonLoop.class,
                op(MethodHandles.lookup(), WholeOps.class, op, type),
                MethodType.methodType(void.class, int.class),
                bytes);
    }

    static Runs runs(boolean wide) {
        if (VECTOR) {
            return VectorKernels.runs(wide);
        }
        return wide ? new DoubleRuns() : new FloatRuns();
    }

    static UpdateKernels updates(boolean wide) {
        if (VECTOR) {
            return VectorKernels.updates(wide);
        }
        return wide ? new DoubleUpdates() : new FloatUpdates();
    }

    static SmallProduct smallProduct(boolean wide) {
        return VECTOR ? VectorKernels.smallProduct(wide) : null;
    }

    /// A loop for the scalar op of that name; `shape` has Object where the element type belongs.
    private static Object loop(Class<?> template, String op, boolean wide, MethodType shape) {
        Class<?> type = wide ? double.class : float.class;
        return Specializer.specialize(
                template,
                op(MethodHandles.lookup(), wide ? DoubleOps.class : FloatOps.class, op, withElements(shape, type)),
                MethodType.methodType(void.class));
    }

    static MethodType withElements(MethodType shape, Class<?> type) {
        MethodType result = shape;
        for (int i = 0; i < shape.parameterCount(); i++) {
            result = result.changeParameterType(i, type);
        }
        return shape.returnType() == Object.class ? result.changeReturnType(type) : result;
    }

    static MethodHandle op(MethodHandles.Lookup lookup, Class<?> ops, String name, MethodType type) {
        try {
            return lookup.findStatic(ops, name, type);
        } catch (NoSuchMethodException e) {
            return null;
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
