package org.toydiff.bench.peer;

import java.util.Map;
import org.toydiff.CompiledFunction;
import org.toydiff.ExecutionPlan;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Runs the [TimedFunctions] as they stand, each run in an arena opened for it, and compiled.
///
/// A result of one element is read, as a loop that prints the loss reads it.
public final class ToydiffPrograms {
    private static final int CHECKED_RUNS = 3;

    private ToydiffPrograms() {}

    private static void eager(TimedFunction timed) {
        try (var run = TensorArena.ofConfined()) {
            read(timed.call());
        }
    }

    private static double read(Tensor result) {
        return result.size() == 1 ? result.item() : 0;
    }

    /// Times a function as it stands.
    ///
    /// @param words its name and size, the calls of a sample, and the number of samples
    /// @return the answer to the request
    public static Map<String, ?> eager(String... words) {
        try (var arena = TensorArena.ofShared()) {
            var timed = TimedFunctions.create(words[0], Integer.parseInt(words[1]));
            return times(words, () -> eager(timed));
        }
    }

    /// Times the replay of a compiled function.
    ///
    /// @param words its name and size, the calls of a sample, and the number of samples
    /// @return the answer to the request
    public static Map<String, ?> compiled(String... words) {
        try (var arena = TensorArena.ofShared()) {
            var timed = TimedFunctions.create(words[0], Integer.parseInt(words[1]));
            try (var compiled = CompiledFunction.of(timed.function())) {
                return times(words, () -> read(compiled.run(timed.first(), timed.second())));
            }
        }
    }

    private static Map<String, ?> times(String[] words, Runnable run) {
        return Timing.samples(Integer.parseInt(words[3]), Integer.parseInt(words[2]), run);
    }

    /// Returns numbers that every peer must agree on: the first results, or their mean squares, and how far they
    /// moved a parameter.
    ///
    /// @param words `eager` or `compiled`, and the function's name and size
    /// @return the answer to the request
    public static Map<String, ?> check(String... words) {
        try (var arena = TensorArena.ofShared()) {
            var timed = TimedFunctions.create(words[1], Integer.parseInt(words[2]));
            double[] numbers = new double[CHECKED_RUNS + 1];
            try (var compiled = CompiledFunction.of(timed.function())) {
                for (int i = 0; i < CHECKED_RUNS; i++) {
                    try (var run = TensorArena.ofConfined()) {
                        Tensor result = words[0].equals("compiled")
                                ? compiled.run(timed.first(), timed.second())
                                : timed.call();
                        numbers[i] = result.size() == 1 ? result.item() : TimedFunction.meanSquare(result.detach());
                    }
                }
            }
            numbers[CHECKED_RUNS] = timed.moved().getAsDouble();
            return Map.of("numbers", numbers);
        }
    }

    /// Returns the memory of a function's temporaries: planned for replays, the least that any plan can take, and
    /// the peak of a run as it stands.
    ///
    /// @param words the function's name and size
    /// @return the answer to the request
    public static Map<String, ?> temporaries(String... words) {
        try (var arena = TensorArena.ofShared()) {
            var timed = TimedFunctions.create(words[0], Integer.parseInt(words[1]));
            eager(timed);
            try (var run = TensorArena.ofConfined();
                    var compiled = CompiledFunction.of(timed.function())) {
                timed.call();
                long peak = run.peakBytes();
                compiled.run(timed.first(), timed.second());
                ExecutionPlan plan = compiled.plan();
                return Map.of(
                        "planned_bytes", plan.plannedBytes(),
                        "lower_bound_bytes", plan.lowerBoundBytes(),
                        "eager_peak_bytes", peak);
            }
        }
    }
}
