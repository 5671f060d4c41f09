package org.toydiff;

import java.util.function.Function;
import java.util.random.RandomGenerator;

/// The process's random generator, and fills with random numbers.
final class Randomness {
    private static final Object LOCK = new Object();
    private static Xoshiro256 generator = new Xoshiro256(System.nanoTime());

    private Randomness() {}

    static void seed(long seed) {
        synchronized (LOCK) {
            generator = new Xoshiro256(seed);
        }
    }

    static long[] state() {
        synchronized (LOCK) {
            return generator.state();
        }
    }

    static void state(long[] state) {
        synchronized (LOCK) {
            generator.state(state);
        }
    }

    /// Runs `fill` with the process's generator, alone.
    static Tensor withDefault(Function<RandomGenerator, Tensor> fill) {
        synchronized (LOCK) {
            return fill.apply(generator);
        }
    }

    static void requireFloating(String op, DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException(op + ": takes FLOAT32 or FLOAT64, not " + dtype.name());
        }
    }

    static Tensor rand(Tensor tensor, RandomGenerator source) {
        boolean wide = tensor.isWide();
        // nextFloat, not a rounded nextDouble: that could round up to 1.
        return tensor.setAll(i -> wide ? source.nextDouble() : source.nextFloat());
    }

    static Tensor randn(Tensor tensor, RandomGenerator source) {
        return tensor.setAll(i -> source.nextGaussian());
    }
}
