package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A kernel gives the same bits at its first call, when no code is compiled, and at its last, when the form that
/// runs is compiled.
class CompiledBitsTest {
    private static final int COUNT = 1021;
    private static final int CALLS = 3_000;

    /// {@return numbers of every exponent, and ordinary ones}
    private static MemorySegment numbers(Arena arena, boolean wide, long seed) {
        var random = new SplittableRandom(seed);
        MemorySegment x = arena.allocate(8L * COUNT, 64);
        for (int i = 0; i < COUNT; i++) {
            double ordinary = random.nextDouble(-20, 20);
            if (wide) {
                double any = Double.longBitsToDouble(random.nextLong());
                x.setAtIndex(JAVA_DOUBLE, i, i % 4 == 0 && !Double.isNaN(any) ? any : ordinary);
            } else {
                float any = Float.intBitsToFloat(random.nextInt());
                x.setAtIndex(JAVA_FLOAT, i, i % 4 == 0 && !Float.isNaN(any) ? any : (float) ordinary);
            }
        }
        return x;
    }

    /// {@return truth values, each a byte of 0 or 1}
    private static MemorySegment mask(Arena arena) {
        byte[] bytes = new byte[COUNT];
        new SplittableRandom(3).nextBytes(bytes);
        for (int i = 0; i < COUNT; i++) {
            bytes[i] &= 1;
        }
        return arena.allocateFrom(JAVA_BYTE, bytes);
    }

    private interface Call {
        void into(MemorySegment y);
    }

    private static void requireSameBits(Arena arena, String name, Call call) {
        MemorySegment first = arena.allocate(8L * COUNT, 64);
        MemorySegment later = arena.allocate(8L * COUNT, 64);
        call.into(first);
        for (int i = 0; i < CALLS; i++) {
            call.into(later);
            assertEquals(-1, first.mismatch(later), () -> name);
        }
    }

    @ParameterizedTest
    @EnumSource
    void unaryKernelsNeverChangeTheirBits(UnaryKernel kernel) {
        for (boolean wide : new boolean[] {false, true}) {
            try (var arena = Arena.ofShared()) {
                MemorySegment x = numbers(arena, wide, 1);
                requireSameBits(arena, kernel + (wide ? " FLOAT64" : " FLOAT32"), y -> kernel.of(wide)
                        .run(x, 0, 0, 1, y, 0, 0, 1, 1, COUNT));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void binaryKernelsNeverChangeTheirBits(BinaryKernel kernel) {
        for (boolean wide : new boolean[] {false, true}) {
            for (int aj = 0; aj < 2; aj++) {
                try (var arena = Arena.ofShared()) {
                    MemorySegment a = numbers(arena, wide, 1);
                    MemorySegment b = kernel.takesMask() ? mask(arena) : numbers(arena, wide, 2);
                    long step = aj;
                    requireSameBits(arena, kernel + (wide ? " FLOAT64" : " FLOAT32"), y -> kernel.of(wide)
                            .run(a, 1, 0, step, b, 0, 0, 1, y, 0, 0, 1, 1, COUNT - 1));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void stepsOfOptimizersNeverChangeTheirBits(UpdateKernel kernel) {
        var coefficients = new Coefficients();
        coefficients.rate = 0.01;
        coefficients.scale = 1.5;
        coefficients.decay = 0.1;
        coefficients.shrinkage = 0.99;
        coefficients.beta1 = 0.9;
        coefficients.beta2 = 0.999;
        coefficients.squareWeight = 0.001;
        coefficients.rootCorrection = 1.25;
        coefficients.epsilon = 1e-8;
        coefficients.velocityWeight = 0.9;
        coefficients.gradientWeight = 1;
        for (boolean wide : new boolean[] {false, true}) {
            try (var arena = Arena.ofShared()) {
                MemorySegment[] x = new MemorySegment[5];
                MemorySegment[] fresh = new MemorySegment[5];
                for (int k = 0; k < x.length; k++) {
                    fresh[k] = numbers(arena, wide, k);
                    x[k] = arena.allocate(8L * COUNT, 64);
                }
                requireSameBits(arena, kernel + (wide ? " FLOAT64" : " FLOAT32"), y -> {
                    for (int k = 0; k < x.length; k++) {
                        x[k].copyFrom(fresh[k]);
                    }
                    double sum = kernel.of(wide)
                            .run(x[0], 0, x[1], 0, x[2], 0, x[3], 0, x[4], 0, COUNT, coefficients.parameters(), null);
                    long bytes = 8L * COUNT / 5 / 8 * 8;
                    for (int k = 0; k < x.length; k++) {
                        y.asSlice(k * bytes, bytes).copyFrom(x[k].asSlice(0, bytes));
                    }
                    y.set(JAVA_DOUBLE, 0, sum);
                });
            }
        }
    }

    private interface Reduction {
        double of(ContiguousKernels kernels, MemorySegment x, MemorySegment y);
    }

    private enum Run {
        SUM((k, x, y) -> k.sum(x, 0, COUNT)),
        SQUARES((k, x, y) -> k.squares(x, 0, COUNT, 0.5)),
        DOT((k, x, y) -> k.dot(x, 0, x, 1, COUNT - 1)),
        MAX((k, x, y) -> k.max(x, 0, COUNT)),
        MIN((k, x, y) -> k.min(x, 0, COUNT)),
        SUM_EXP((k, x, y) -> k.sumExp(x, 0, COUNT, 20)),
        EXP((k, x, y) -> k.exp(x, 0, COUNT - 2, 20, y, 1)),
        SUM_COLUMNS((k, x, y) -> {
            k.sumColumns(x, 0, 100, 10, y, 0, 100, 10);
            return 0;
        });

        private final Reduction reduction;

        Run(Reduction reduction) {
            this.reduction = reduction;
        }
    }

    @ParameterizedTest
    @EnumSource
    void reductionsNeverChangeTheirBits(Run run) {
        for (boolean wide : new boolean[] {false, true}) {
            try (var arena = Arena.ofShared()) {
                MemorySegment x = numbers(arena, wide, 1);
                for (int i = 0; i < COUNT; i += 4) {
                    x.setAtIndex(JAVA_FLOAT, wide ? 2L * i : i, 0.7f);
                    x.setAtIndex(JAVA_FLOAT, wide ? 2L * i + 1 : i, 0.7f);
                }
                requireSameBits(arena, run + (wide ? " FLOAT64" : " FLOAT32"), y -> {
                    MemorySegment results = y.asSlice(8, 8L * COUNT - 8);
                    y.set(JAVA_DOUBLE, 0, run.reduction.of(ContiguousKernels.of(wide), x, results));
                });
            }
        }
    }
}
