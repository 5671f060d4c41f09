package org.toydiff.internal.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Describes the computation of a [Kernel.Pass] for each element.
///
/// @param name for profilers
/// @param storage the precision of the operands; expressions may have a wider one, in which case inputs are widened
///     and results rounded
/// @param outputs the values written, and the operands that receive them
/// @param fold the operation that combines `folded` over all elements, or null
/// @param folded the value that is folded, or null
record PassDescription(String name, Precision storage, List<Output> outputs, Fold fold, Real folded) {
    /// A value written to an operand.
    record Output(int operand, Real value) {}

    /// Combines values, always in the same order, whichever form runs and however wide vectors are.
    ///
    /// A virtual vector of 512 bits accumulates them, one lane for each place in it, and its lanes are combined by
    /// halves. Long runs have four such vectors, one for each quarter of the run: memory delivers several streams
    /// faster than one (a sum of 16 million floats took 1.2 to 1.4 times as long with one). The elements left at the
    /// end follow one by one.
    enum Fold {
        SUM("add", 0),
        MAX("max", Double.NEGATIVE_INFINITY),
        MIN("min", Double.POSITIVE_INFINITY);

        /// The name of the method on vectors.
        final String method;

        final double identity;

        Fold(String method, double identity) {
            this.method = method;
            this.identity = identity;
        }
    }

    private static final int VIRTUAL_BITS = 512;

    /// Quarters pay off for at most this many operations: beyond, memory is not the bottleneck of a pass.
    private static final int MAX_OPERATIONS_OF_QUARTERS = 4;

    static PassDescription map(String name, Precision storage, Output... outputs) {
        return new PassDescription(name, storage, List.of(outputs), null, null);
    }

    static PassDescription fold(String name, Precision storage, Fold fold, Real folded, Output... outputs) {
        return new PassDescription(name, storage, List.of(outputs), fold, folded);
    }

    Precision precision() {
        return folded == null ? outputs.getFirst().value().precision() : folded.precision();
    }

    /// {@return the graph of the pass, whose results are the outputs, then the folded value}
    Graph graph() {
        List<Real> results = new ArrayList<>();
        outputs.forEach(output -> results.add(output.value()));
        if (folded != null) {
            results.add(folded);
        }
        return Graph.of(results);
    }

    /// {@return the number of lanes of a virtual vector}
    int virtualLanes() {
        return VIRTUAL_BITS / precision().size;
    }

    /// {@return whether long runs are folded in quarters}
    boolean inQuarters() {
        return fold != null && outputs.isEmpty() && graph().operationCount() <= MAX_OPERATIONS_OF_QUARTERS;
    }

    /// {@return the smallest number of elements that is folded in quarters}
    int leastOfQuarters() {
        return 16 * virtualLanes();
    }

    /// {@return the operands that are read or written, ascending}
    int[] operands() {
        return IntStream.concat(
                        Arrays.stream(graph().inputs()), outputs.stream().mapToInt(Output::operand))
                .distinct()
                .sorted()
                .toArray();
    }
}
