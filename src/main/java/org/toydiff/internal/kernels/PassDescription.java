package org.toydiff.internal.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// What a [Kernel.Pass] computes for each element.
///
/// @param name for profilers
/// @param storage the precision of the operands; expressions may be of a wider one, and their inputs are widened and
///     results rounded then
/// @param outputs what is written, to which operand
/// @param fold how `folded` is brought together over all elements, or null
/// @param folded what is summed up
record PassDescription(String name, Precision storage, List<Output> outputs, Fold fold, Real folded) {
    /// What is written to an operand.
    record Output(int operand, Real value) {}

    /// How values are brought together: always in the same order, whichever form runs and however wide vectors are.
    ///
    /// A virtual vector of 512 bits accumulates them, one lane for each place in it, and its lanes are brought
    /// together by halves. Long runs have four such vectors, each for a quarter of the run: memory delivers several
    /// streams faster than one (a sum of 16 million floats took 1.2 to 1.4 times as long). What is left at the end
    /// follows one by one.
    enum Fold {
        SUM("add", 0),
        MAX("max", Double.NEGATIVE_INFINITY),
        MIN("min", Double.POSITIVE_INFINITY);

        /// The method of vectors.
        final String method;

        final double identity;

        Fold(String method, double identity) {
            this.method = method;
            this.identity = identity;
        }
    }

    private static final int VIRTUAL_BITS = 512;

    /// Quarters are worth it for so many operations at most: beyond, memory is not what a pass waits for.
    private static final int MOST_OPERATIONS_OF_QUARTERS = 4;

    static PassDescription map(String name, Precision storage, Output... outputs) {
        return new PassDescription(name, storage, List.of(outputs), null, null);
    }

    static PassDescription fold(String name, Precision storage, Fold fold, Real folded, Output... outputs) {
        return new PassDescription(name, storage, List.of(outputs), fold, folded);
    }

    Precision precision() {
        return folded == null ? outputs.getFirst().value().precision() : folded.precision();
    }

    /// Results are the outputs, then what is folded.
    Graph graph() {
        List<Real> results = new ArrayList<>();
        outputs.forEach(output -> results.add(output.value()));
        if (folded != null) {
            results.add(folded);
        }
        return Graph.of(results);
    }

    /// The elements of a virtual vector.
    int virtualLanes() {
        return VIRTUAL_BITS / precision().size;
    }

    /// Whether long runs are folded in quarters.
    boolean inQuarters() {
        return fold != null && outputs.isEmpty() && graph().operationCount() <= MOST_OPERATIONS_OF_QUARTERS;
    }

    /// From so many elements on there are quarters.
    int leastOfQuarters() {
        return 16 * virtualLanes();
    }

    /// The operands that are read or written, ascending.
    int[] operands() {
        return IntStream.concat(
                        Arrays.stream(graph().inputs()), outputs.stream().mapToInt(Output::operand))
                .distinct()
                .sorted()
                .toArray();
    }
}
