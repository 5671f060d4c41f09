package org.toydiff.internal.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Describes the computation of a [Kernel.Pass] for each element.
final class PassDescription {
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

    private final String name;
    private final Precision storage;
    private final List<Output> outputs;
    private final Fold fold;
    private final List<Real> folded;
    private final Graph graph;

    private PassDescription(String name, Precision storage, List<Output> outputs, Fold fold, List<Real> folded) {
        this.name = name;
        this.storage = storage;
        this.outputs = outputs;
        this.fold = fold;
        this.folded = folded;
        List<Real> results = new ArrayList<>();
        outputs.forEach(output -> results.add(output.value()));
        results.addAll(folded);
        graph = Graph.of(results);
    }

    static PassDescription map(String name, Precision storage, Output... outputs) {
        return new PassDescription(name, storage, List.of(outputs), null, List.of());
    }

    static PassDescription fold(String name, Precision storage, Fold fold, Real folded, Output... outputs) {
        return new PassDescription(name, storage, List.of(outputs), fold, List.of(folded));
    }

    /// Describes a pass that sums several values, each as [Fold#SUM] does.
    static PassDescription sums(String name, Precision storage, Real... summed) {
        return new PassDescription(name, storage, List.of(), Fold.SUM, List.of(summed));
    }

    /// {@return the name for profilers}
    String name() {
        return name;
    }

    /// {@return the precision of the operands} That of the expressions may be wider: inputs are widened then, and
    /// results rounded.
    Precision storage() {
        return storage;
    }

    Precision precision() {
        return graph.precision();
    }

    /// {@return the values written, and the operands that receive them}
    List<Output> outputs() {
        return outputs;
    }

    /// {@return the operation that combines each folded value over all elements, or null}
    Fold fold() {
        return fold;
    }

    /// {@return the values that are folded}
    List<Real> folded() {
        return folded;
    }

    /// {@return the graph of the pass, whose results are the outputs, then the folded values}
    Graph graph() {
        return graph;
    }

    /// {@return the number of lanes of a virtual vector}
    int virtualLanes() {
        return VIRTUAL_BITS / precision().size;
    }

    /// {@return whether long runs are folded in quarters}
    boolean inQuarters() {
        return folded.size() == 1 && outputs.isEmpty() && graph.operationCount() <= MAX_OPERATIONS_OF_QUARTERS;
    }

    /// {@return the smallest number of elements that is folded in quarters} Maxima of 4 vectors would gain from
    /// them too, but then C2 sometimes left their vectors on the heap.
    int leastOfQuarters() {
        return 16 * virtualLanes();
    }

    /// {@return the operands that are read or written, ascending}
    int[] operands() {
        return IntStream.concat(Arrays.stream(graph.inputs()), outputs.stream().mapToInt(Output::operand))
                .distinct()
                .sorted()
                .toArray();
    }
}
