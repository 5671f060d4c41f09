package org.toydiff.internal.kernels;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Makes the kernels on the Vector API. Not loaded where its module is absent.
final class VectorKernels {
    private VectorKernels() {}

    /// The kernel of the vector op of that name; `scalar` runs where rows are not contiguous, and everywhere when
    /// there is no vector op.
    static Kernel.Unary unary(String op, boolean wide, Kernel.Unary scalar) {
        Class<?> template = wide ? DoubleVectorUnaryLoop.class : FloatVectorUnaryLoop.class;
        return (Kernel.Unary) loop(template, op, wide, MethodType.genericMethodType(1), Kernel.Unary.class, scalar);
    }

    static Kernel.Binary binary(String op, boolean wide, Kernel.Binary scalar) {
        Class<?> template = wide ? DoubleVectorBinaryLoop.class : FloatVectorBinaryLoop.class;
        return (Kernel.Binary) loop(template, op, wide, MethodType.genericMethodType(2), Kernel.Binary.class, scalar);
    }

    static Kernel.Binary comparison(String op, boolean wide, Kernel.Binary scalar) {
        Class<?> template = wide ? DoubleVectorComparisonLoop.class : FloatVectorComparisonLoop.class;
        MethodType shape = MethodType.genericMethodType(2).changeReturnType(VectorMask.class);
        return (Kernel.Binary) loop(template, op, wide, shape, Kernel.Binary.class, scalar);
    }

    static Runs runs(boolean wide) {
        return wide ? new DoubleVectorRuns() : new FloatVectorRuns();
    }

    static UpdateKernels updates(boolean wide) {
        return wide ? new DoubleVectorUpdates() : new FloatVectorUpdates();
    }

    static SmallProduct smallProduct(boolean wide) {
        return wide ? new DoubleVectorProduct() : new FloatVectorProduct();
    }

    private static Object loop(
            Class<?> template, String op, boolean wide, MethodType shape, Class<?> kernel, Object scalar) {
        Class<?> vector = wide ? DoubleVector.class : FloatVector.class;
        MethodType type = Kernels.withElements(shape, vector);
        MethodHandle found =
                Kernels.op(MethodHandles.lookup(), wide ? DoubleVectorOps.class : FloatVectorOps.class, op, type);
        if (found == null) {
            // What there is for one element type alone.
            found = Kernels.op(MethodHandles.lookup(), VectorMath.class, op, type);
        }
        return found == null
                ? scalar
                : Specializer.specialize(template, found, MethodType.methodType(void.class, kernel), scalar);
    }
}
