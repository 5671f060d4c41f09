package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BinaryOperator;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Calls of kernels of two operands, on arrays.
final class BinaryCalls {
    private BinaryCalls() {}

    static Real of(BinaryOperator<Real> function, Precision precision) {
        return function.apply(precision.input(0), precision.input(1));
    }

    static Kernel.Binary scalar(BinaryOperator<Real> function, Precision precision) {
        return ScalarLoop.binary("Scalar" + precision, of(function, precision));
    }

    static double[] doubles(Kernel.Binary kernel, double[] a, double[] b) {
        try (var arena = Arena.ofShared()) {
            MemorySegment y = arena.allocate(JAVA_DOUBLE, a.length);
            MemorySegment in = arena.allocateFrom(JAVA_DOUBLE, a);
            kernel.run(in, 0, 0, 1, arena.allocateFrom(JAVA_DOUBLE, b), 0, 0, 1, y, 0, 0, 1, 1, a.length);
            return y.toArray(JAVA_DOUBLE);
        }
    }

    static float[] floats(Kernel.Binary kernel, float[] a, float[] b) {
        try (var arena = Arena.ofShared()) {
            MemorySegment y = arena.allocate(JAVA_FLOAT, a.length);
            MemorySegment in = arena.allocateFrom(JAVA_FLOAT, a);
            kernel.run(in, 0, 0, 1, arena.allocateFrom(JAVA_FLOAT, b), 0, 0, 1, y, 0, 0, 1, 1, a.length);
            return y.toArray(JAVA_FLOAT);
        }
    }

    /// {@return all pairs of `special`: the first operands if `which` is 0, else the second}
    static double[] pairs(double[] special, int which) {
        int n = special.length;
        double[] all = new double[n * n];
        for (int i = 0; i < n * n; i++) {
            all[i] = special[which == 0 ? i / n : i % n];
        }
        return all;
    }

    static float[] narrow(double[] x) {
        float[] y = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = (float) x[i];
        }
        return y;
    }

    /// Requires the bits of the scalar form from vectors of each width, in both precisions.
    static void requireBitsOfElements(BinaryOperator<Real> function, double[] a, double[] b) {
        Kernel.Binary scalar64 = scalar(function, Precision.FLOAT64);
        Kernel.Binary scalar32 = scalar(function, Precision.FLOAT32);
        double[] expected = doubles(scalar64, a, b);
        float[] expectedFloats = floats(scalar32, narrow(a), narrow(b));
        for (VectorShape shape : LoopBitsTest.shapes()) {
            Kernel.Binary doubles = vectors(function, Precision.FLOAT64, shape, scalar64);
            Kernel.Binary floats = vectors(function, Precision.FLOAT32, shape, scalar32);
            assertArrayEquals(expected, doubles(doubles, a, b));
            assertArrayEquals(expectedFloats, floats(floats, narrow(a), narrow(b)));
        }
    }

    private static Kernel.Binary vectors(
            BinaryOperator<Real> function, Precision precision, VectorShape shape, Kernel.Binary scalar) {
        return VectorLoop.binary("Vectors", of(function, precision), shape, VectorLoop.NONE, scalar);
    }
}
