package org.toydiff.internal.arithmetic;

import java.util.IdentityHashMap;
import java.util.Map;
import org.toydiff.internal.arithmetic.Graph.Node;

/// Counts the values that are alive at once in the straight-line code of an [Emitter]: each from the operation that
/// gives it to the last that reads it, and the results to the end.
final class LiveValues {
    private final Graph graph;

    /// The reads of each value that are still to come.
    private final Map<Node, Integer> reads = new IdentityHashMap<>();

    private int live;
    private int most;

    LiveValues(Graph graph) {
        this.graph = graph;
    }

    int most() {
        graph.results.forEach(this::compute);
        return most;
    }

    private void compute(Node node) {
        if (reads.containsKey(node)) {
            return;
        }
        reads.put(node, node.uses);
        node.operands.forEach(this::compute);
        node.operands.forEach(this::read);
        if (counts(node)) {
            live++;
            most = Math.max(most, live);
        }
    }

    private void read(Node node) {
        if (reads.merge(node, -1, Integer::sum) == 0 && counts(node)) {
            live--;
        }
    }

    private static boolean counts(Node node) {
        return switch (node.operation()) {
            case CONSTANT, PARAMETER -> false;
            default -> true;
        };
    }
}
