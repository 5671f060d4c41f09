package org.toydiff.internal.random;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/// The generator of the process. A checkpointed function that runs again, and then draws and seeds again, leaves it
/// as it is: `draws` are those of the innermost such function on the calling thread, or null.
public final class DefaultGenerator {
    private static final Object LOCK = new Object();
    private static OptionalLong initialSeed = OptionalLong.of(System.nanoTime());
    private static Xoshiro256 generator = new Xoshiro256(initialSeed.getAsLong());

    private DefaultGenerator() {}

    /// Whether a generator is this one.
    public static boolean is(RandomGenerator source) {
        synchronized (LOCK) {
            return source == generator;
        }
    }

    /// Starts it from a seed.
    public static void seed(Draws draws, long seed) {
        if (Draws.repeated(draws)) {
            return;
        }
        synchronized (LOCK) {
            initialSeed = OptionalLong.of(seed);
            generator = new Xoshiro256(seed);
        }
    }

    /// Returns the seed it started from, empty if its state was set since.
    public static OptionalLong initialSeed() {
        synchronized (LOCK) {
            return initialSeed;
        }
    }

    /// Returns a copy of its state.
    public static long[] state() {
        synchronized (LOCK) {
            return generator.state();
        }
    }

    /// Lets it go on from a state that [#isState].
    public static void state(Draws draws, long[] state) {
        if (Draws.repeated(draws)) {
            return;
        }
        synchronized (LOCK) {
            initialSeed = OptionalLong.empty();
            generator.state(state);
        }
    }

    /// Whether it can be in a state: not that of zeros, from which it would never get away.
    public static boolean isState(long[] state) {
        return state.length == Xoshiro256.STATE && Arrays.stream(state).anyMatch(word -> word != 0);
    }

    /// Returns the result of `fill`, called with the generator alone; or, when a checkpointed function runs again,
    /// with one in the state of the first time.
    public static <T> T use(Draws draws, Function<RandomGenerator, T> fill) {
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
}
