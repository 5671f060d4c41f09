package org.toydiff;

import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// The process's random generator, and fills with random numbers.
final class Randomness {
    /// Good statistics, a small state and a seedable factory: JEP 356.
    private static final RandomGeneratorFactory<RandomGenerator> FACTORY =
            RandomGeneratorFactory.of("L64X128MixRandom");

    private static final Object LOCK = new Object();
    private static RandomGenerator generator = FACTORY.create();

    private Randomness() {}

    static void seed(long seed) {
        synchronized (LOCK) {
            generator = FACTORY.create(seed);
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
        // nextFloat, not a rounded nextDouble: that could round up to 1.
        return tensor.dtype == DType.FLOAT32
                ? tensor.setAll(i -> source.nextFloat())
                : tensor.setAll(i -> source.nextDouble());
    }

    static Tensor randn(Tensor tensor, RandomGenerator source) {
        return tensor.setAll(i -> source.nextGaussian());
    }
}
