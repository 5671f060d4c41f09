package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.function.Predicate;
import org.toydiff.Tensor;

/// A sequence of random calls. Each has a seed of its own, so that leaving one out changes the others little.
final class CallProgram {
    private static final int MAX_CALLS = 40;

    private CallProgram() {}

    /// The calls of a program.
    static long[] of(long seed) {
        var choice = new Choice(seed);
        long[] calls = new long[10 + choice.below(MAX_CALLS - 10)];
        Arrays.setAll(calls, i -> choice.seed());
        return calls;
    }

    /// Makes the calls.
    ///
    /// @return how many were made, those that prepare operands included
    /// @throws Finding if something does not hold; its text has the lines up to there
    static int run(long seed, long[] calls) {
        Tensor.manualSeed(seed);
        var machine = new Machine(seed);
        Throwable failure = null;
        try {
            for (long call : calls) {
                var choice = new Choice(call);
                try {
                    Calls.draw(choice).call().make(machine, choice);
                } catch (Machine.Skipped skipped) {
                    // There was no memory for its operands.
                }
            }
            return machine.calls();
        } catch (Finding finding) {
            failure = finding;
            throw finding.in(machine.lines());
        } finally {
            end(machine, failure);
        }
    }

    private static void end(Machine machine, Throwable failure) {
        try {
            machine.close();
        } catch (Finding finding) {
            if (failure == null) {
                throw finding.in(machine.lines());
            }
        }
    }

    /// The smallest part of the calls found that still fails so: a prefix first, then without single calls.
    static long[] shrink(long[] calls, Predicate<long[]> fails) {
        long[] smallest = calls;
        for (int part = Math.max(1, calls.length / 2); part > 0; part /= 2) {
            for (int from = smallest.length - part; from >= 0; from -= part) {
                long[] without = new long[smallest.length - part];
                System.arraycopy(smallest, 0, without, 0, from);
                System.arraycopy(smallest, from + part, without, from, without.length - from);
                if (fails.test(without)) {
                    smallest = without;
                    from = Math.min(from, smallest.length);
                }
            }
        }
        return smallest;
    }
}
