package org.toydiff.internal.kernels;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;

/// Chooses the kernels once, at startup: those on the Vector API if the JVM was started with its module, else the
/// scalar ones. `-Dtoydiff.kernels=vector` or `scalar` forces one.
public final class Kernels {
    private static final String PROPERTY = "toydiff.kernels";
    private static final boolean VECTOR = chosen();

    private Kernels() {}

    /// {@return `vector` or `scalar`}
    public static String active() {
        return VECTOR ? "vector" : "scalar";
    }

    /// The kernels in use that have a vector form.
    public static int loops() {
        return ProvenLoop.loops();
    }

    /// Those of [#loops()] whose vector form runs.
    public static int vectorLoops() {
        return ProvenLoop.provenLoops();
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

    static Kernel.Unary unary(String name, Expression result) {
        return VECTOR ? new ProvenUnary(name, result) : ScalarLoop.unary(name, result);
    }

    static Kernel.Binary binary(String name, Expression result) {
        return VECTOR ? new ProvenBinary(name, result) : ScalarLoop.binary(name, result);
    }

    /// {@return the name of a kernel's class, for profilers}
    static String name(Enum<?> kernel, Precision precision) {
        return BinaryKernel.method(kernel) + (precision == Precision.FLOAT64 ? "Float64" : "Float32");
    }

    static Kernel.Binary integerComparison(String op, int bytes) {
        MethodType type = MethodType.methodType(boolean.class, long.class, long.class);
        return (Kernel.Binary) Specializer.specialize(
                IntegerComparisonLoop.class,
                op(MethodHandles.lookup(), IntegerOps.class, op, type),
                MethodType.methodType(void.class, int.class),
                bytes);
    }

    static Kernel.Columns columns(Precision storage) {
        return VECTOR ? new ProvenColumns(storage) : ColumnLoop.scalar(storage);
    }

    static Kernel.Pass pass(PassDescription description) {
        return VECTOR ? new ProvenPass(description) : ScalarPass.of(description);
    }

    static SmallProduct smallProduct(boolean wide) {
        if (!VECTOR) {
            return null;
        }
        return wide ? new DoubleVectorProduct() : new FloatVectorProduct();
    }

    static MethodHandle op(MethodHandles.Lookup lookup, Class<?> ops, String name, MethodType type) {
        try {
            return lookup.findStatic(ops, name, type);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }
}
