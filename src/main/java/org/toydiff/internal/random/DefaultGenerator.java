package org.toydiff.internal.random;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/// The generator of the process. A checkpointed function that runs again, and then draws and seeds again, leaves it
/// as it is: `draws` are those of the innermost such function on the calling thread, or null.
public final class DefaultGenerator {
    private static final Object LOCK = new Object();
    private static OptionalLong initialSeed = OptionalLong.of(System.nanoTime());
    private static Xoshiro256 generator = new Xoshiro256(initialSeed.getAsLong());

    private DefaultGenerator() {}

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
            return fill.apply(new Repetition(start));
        }
        synchronized (LOCK) {
            if (draws != null) {
                Draws.note(draws, generator.state());
            }
            return fill.apply(generator);
        }
    }

    /// Makes the draw of a checkpointed function's other run again.
    private static final class Repetition extends Xoshiro256 {
        private final long[] start;

        Repetition(long[] start) {
            super(0);
            this.start = start;
            restart();
        }

        void restart() {
            state(start);
        }
    }

    /// Returns a task that draws again as `draw` did just now from `source`: a generator that [#use] gave, or one of
    /// the caller's. Where that was in a checkpointed function, tasks of the draw and of its repetitions, run in this
    /// order, draw the same numbers.
    public static Runnable again(Draws draws, RandomGenerator source, Consumer<RandomGenerator> draw) {
        if (source instanceof Repetition repetition) {
            return () -> {
                repetition.restart();
                draw.accept(repetition);
            };
        }
        synchronized (LOCK) {
            if (source != generator) {
                return () -> draw.accept(source);
            }
        }
        long[] start = draws == null ? null : Draws.lastStart(draws);
        return () -> {
            synchronized (LOCK) {
                if (start != null) {
                    generator.copyState(start);
                }
                draw.accept(generator);
            }
        };
    }
}
