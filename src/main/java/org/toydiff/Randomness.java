package org.toydiff;

import java.util.Arrays;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.random.Draws;
import org.toydiff.internal.random.Xoshiro256;

/// The default generator, which is the process's, and fills with random numbers. A checkpointed function that draws and
/// seeds again leaves the generator as it is.
final class Randomness {
    private static final Object LOCK = new Object();
    private static Xoshiro256 generator = new Xoshiro256(System.nanoTime());

    private Randomness() {}

    static void seed(long seed) {
        if (Draws.repeated(Scope.current().draws)) {
            return;
        }
        synchronized (LOCK) {
            generator = new Xoshiro256(seed);
        }
    }

    static long[] state() {
        synchronized (LOCK) {
            return generator.state();
        }
    }

    static void state(Tensor state) {
        long[] numbers = state.dtype == DType.INT64 ? state.toLongArray() : new long[0];
        if (numbers.length != Xoshiro256.STATE || Arrays.stream(numbers).allMatch(n -> n == 0)) {
            throw new IllegalArgumentException("setRandomState: " + Shape.text(state.shape) + " " + state.dtype
                    + " is no state of the generator; give a result of randomState()");
        }
        if (Draws.repeated(Scope.current().draws)) {
            return;
        }
        synchronized (LOCK) {
            generator.state(numbers);
        }
    }

    /// Runs `fill` with the process's generator, alone; or, when a checkpointed function is computed again, with one
    /// that stands where that stood the first time.
    static Tensor withDefault(Function<RandomGenerator, Tensor> fill) {
        Draws draws = Scope.current().draws;
        long[] start = Draws.nextStart(draws);
        if (start != null) {
            Draws.note(draws, start);
            return fill.apply(Xoshiro256.at(start));
        }
        synchronized (LOCK) {
            if (draws != null) {
                Draws.note(draws, generator.state());
            }
            return fill.apply(generator);
        }
    }

    static void requireFloating(String op, DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException(op + ": takes FLOAT32 or FLOAT64, not " + dtype);
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
