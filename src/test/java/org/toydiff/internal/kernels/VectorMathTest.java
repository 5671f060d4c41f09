package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/// The accuracy that [VectorMath] states, over floats of every size.
class VectorMathTest {
    private static final int COUNT = 1 << 20;

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /// Floats of every exponent and sign, and those around which results become 0 or ∞.
    private static MemorySegment inputs(Arena arena) {
        MemorySegment x = arena.allocate(4L * COUNT, 64);
        for (int i = 0; i < COUNT; i++) {
            float v = i % 2 == 0 ? Float.intBitsToFloat(i * 4096 + 77) : (i - COUNT / 2) * (240f / COUNT);
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, v);
        }
        return x;
    }

    private static void requireUlps(UnaryKernel kernel, DoubleUnaryOperator exact, double most) {
        try (var arena = Arena.ofShared()) {
            MemorySegment x = inputs(arena);
            MemorySegment y = arena.allocate(4L * COUNT, 64);
            kernel.of(false).run(x, 0, 0, 1, y, 0, 0, 1, 1, COUNT);
            double worst = 0;
            for (int i = 0; i < COUNT; i++) {
                float v = x.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                float actual = y.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                double expected = exact.applyAsDouble(v);
                if (Double.isNaN(expected) || Float.isInfinite((float) expected)) {
                    assertEquals((float) expected, actual, kernel + " of " + v);
                } else {
                    double ulp = Math.max(Math.ulp((float) expected), Float.MIN_NORMAL * Math.ulp(1f));
                    double error = Math.abs(actual - expected) / ulp;
                    assertTrue(error <= most, kernel + " of " + v + " is " + actual + ", " + error + " ulp off");
                    worst = Math.max(worst, error);
                }
            }
            assertTrue(worst > 0, "something was compared");
        }
    }

    @Test
    void floatFunctionsAreWithinTwoUlp() {
        requireUlps(UnaryKernel.EXP, Math::exp, 2);
        requireUlps(UnaryKernel.TANH, Math::tanh, 2);
        requireUlps(UnaryKernel.SIGMOID, VectorMathTest::sigmoid, 3);
    }
}
