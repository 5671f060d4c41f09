package org.toydiff.internal.linalg;

import java.util.ArrayList;
import java.util.List;

/// Chooses the order in which the operands of an einsum are contracted, two at a time: of up to four the one of fewest
/// multiplications, of more the pair next whose result is smallest beside its operands.
///
/// Source: R. Pfeifer, J. Haegeman, F. Verstraete, "Faster identification of optimal contraction sequences for tensor
/// networks", 2014; the greedy choice is that of D. Smith, J. Gray, "opt_einsum", 2018.
public final class ContractionOrder {
    /// Two places in the list of operands, the first before the second; their result comes last in the list, without
    /// them.
    public record Pair(int first, int second) {}

    private static final int MAX_EXHAUSTIVE = 4;

    private final long[] sizes;
    private final long output;

    /// The multiplications of [#order], of all orders tried so far the least.
    private double multiplications = Double.POSITIVE_INFINITY;

    private List<Pair> order = List.of();

    private ContractionOrder(long[] sizes, long output) {
        this.sizes = sizes;
        this.output = output;
    }

    /// {@return the pairs to contract, one after another}
    ///
    /// @param operands the indices of each operand
    /// @param output the indices of the result
    /// @param sizes the size of each index
    public static List<Pair> of(List<Long> operands, long output, long[] sizes) {
        var chosen = new ContractionOrder(sizes, output);
        if (operands.size() <= MAX_EXHAUSTIVE) {
            chosen.search(operands, 0, List.of());
            return chosen.order;
        }
        return chosen.greedy(operands);
    }

    private void search(List<Long> operands, double cost, List<Pair> done) {
        if (cost >= multiplications) {
            return;
        }
        if (operands.size() < 2) {
            multiplications = cost;
            order = done;
            return;
        }
        for (int i = 0; i < operands.size(); i++) {
            for (int j = i + 1; j < operands.size(); j++) {
                List<Pair> more = new ArrayList<>(done);
                more.add(new Pair(i, j));
                search(contracted(operands, i, j), cost + multiplications(operands, i, j), more);
            }
        }
    }

    private List<Pair> greedy(List<Long> operands) {
        List<Pair> pairs = new ArrayList<>();
        List<Long> rest = operands;
        while (rest.size() > 1) {
            Pair next = smallest(rest);
            pairs.add(next);
            rest = contracted(rest, next.first, next.second);
        }
        return pairs;
    }

    /// The pair with the smallest result beside its operands, of equal ones that of fewest multiplications.
    private Pair smallest(List<Long> operands) {
        Pair best = null;
        double least = 0;
        double cheapest = 0;
        for (int i = 0; i < operands.size(); i++) {
            for (int j = i + 1; j < operands.size(); j++) {
                double growth = size(result(operands, i, j)) - size(operands.get(i)) - size(operands.get(j));
                double cost = multiplications(operands, i, j);
                if (best == null || growth < least || growth == least && cost < cheapest) {
                    best = new Pair(i, j);
                    least = growth;
                    cheapest = cost;
                }
            }
        }
        return best;
    }

    private List<Long> contracted(List<Long> operands, int i, int j) {
        List<Long> rest = new ArrayList<>(operands);
        rest.remove(j);
        rest.remove(i);
        rest.add(result(operands, i, j));
        return rest;
    }

    private long result(List<Long> operands, int i, int j) {
        return (operands.get(i) | operands.get(j)) & needed(operands, output, i, j);
    }

    /// {@return the indices of the output and of all operands but two}
    public static long needed(List<Long> operands, long output, int i, int j) {
        long needed = output;
        for (int k = 0; k < operands.size(); k++) {
            needed |= k == i || k == j ? 0 : operands.get(k);
        }
        return needed;
    }

    /// An index of one operand alone is summed before.
    private double multiplications(List<Long> operands, int i, int j) {
        long a = operands.get(i);
        long b = operands.get(j);
        return size((a | b) & (needed(operands, output, i, j) | a & b));
    }

    private double size(long indices) {
        double size = 1;
        for (long rest = indices; rest != 0; rest &= rest - 1) {
            size *= sizes[Long.numberOfTrailingZeros(rest)];
        }
        return size;
    }
}
