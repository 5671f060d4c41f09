package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.function.Predicate;

/// Makes a graph that fails smaller, while it fails in the same way: ends it earlier, leaves out steps, shares leaves.
final class GraphShrinker {
    private final Predicate<Graph> fails;
    private Graph smallest;

    private GraphShrinker(Graph graph, Predicate<Graph> fails) {
        this.fails = fails;
        this.smallest = graph;
    }

    /// The smallest graph found.
    static Graph shrink(Graph graph, Predicate<Graph> fails) {
        var shrinker = new GraphShrinker(graph, fails);
        while (shrinker.shrinks()) {}
        return shrinker.smallest;
    }

    private boolean shrinks() {
        int leaves = smallest.leaves().size();
        for (int i = leaves; i < smallest.size(); i++) {
            if (accepts(smallest.endingWith(i))) {
                return true;
            }
        }
        for (int i = smallest.size() - 1; i >= leaves; i--) {
            for (int input : smallest.steps().get(i - leaves).inputs()) {
                if (accepts(smallest.redirected(i, input))) {
                    return true;
                }
            }
        }
        for (int i = 0; i < leaves; i++) {
            for (int j = 0; j < i; j++) {
                boolean alike = Arrays.equals(
                        smallest.leaves().get(i).shape(),
                        smallest.leaves().get(j).shape());
                if (alike && accepts(smallest.redirected(i, j))) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean accepts(Graph candidate) {
        Graph pruned = candidate.pruned();
        if (pruned.size() >= smallest.size() || pruned.steps().isEmpty() || !fails.test(pruned)) {
            return false;
        }
        smallest = pruned;
        return true;
    }
}
