package org.toydiff.internal.random;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;

/// Weights from which positions are drawn, each with a probability in proportion to its weight: a binary tree whose
/// nodes have the sums of their children, so that a draw and a change take a number of steps logarithmic in that of
/// the weights. A weight set to 0 is never drawn, since sums are computed and not subtracted from.
public final class WeightTree {
    private final long weights;
    private final long leaves;

    /// The root is node 1, the children of node i are 2·i and 2·i + 1, and the last `leaves` nodes are weights.
    private MemorySegment sums;

    private long start;

    /// Creates a tree of n weights; [#place] gives it memory.
    public WeightTree(long n) {
        weights = n;
        leaves = Math.max(1, Long.highestOneBit(2 * n - 1));
    }

    /// {@return the size of the tree, in FLOAT64}
    public long nodes() {
        return 2 * leaves;
    }

    /// Lets it lie in a memory from element `at` on, where it has no weights yet: each is to be [loaded][#load].
    public void place(MemorySegment memory, long at) {
        sums = memory;
        start = at;
        for (long i = weights; i < leaves; i++) {
            load(i, 0);
        }
    }

    /// {@return the sum of all weights}
    public double total() {
        return sum(1);
    }

    /// Sets a weight without changing the sums, which [#addUp] does once for all.
    public void load(long position, double weight) {
        set(leaves + position, weight);
    }

    /// Computes all sums.
    public void addUp() {
        for (long node = leaves - 1; node > 0; node--) {
            addUp(node);
        }
    }

    private void addUp(long node) {
        set(node, sum(2 * node) + sum(2 * node + 1));
    }

    /// Sets a weight to 0.
    public void remove(long position) {
        load(position, 0);
        for (long node = (leaves + position) / 2; node > 0; node /= 2) {
            addUp(node);
        }
    }

    /// {@return the position to which a number from 0 to below 1 belongs} The total must be positive and finite.
    public long find(double number) {
        double rest = number * total();
        long node = 1;
        while (node < leaves) {
            double left = sum(2 * node);
            // Rounding may leave too much for the right child; one without weight is not entered.
            if (rest < left || sum(2 * node + 1) == 0) {
                node = 2 * node;
            } else {
                rest -= left;
                node = 2 * node + 1;
            }
        }
        return node - leaves;
    }

    private double sum(long node) {
        return sums.getAtIndex(JAVA_DOUBLE, start + node);
    }

    private void set(long node, double sum) {
        sums.setAtIndex(JAVA_DOUBLE, start + node, sum);
    }
}
