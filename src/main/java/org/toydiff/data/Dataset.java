package org.toydiff.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/// Examples that can be read in any order: inputs with their targets.
///
/// Several threads may read at once. Sets derived from another (a slice, a split, …) copy no examples: they read
/// them from that set on demand.
public interface Dataset {
    /// {@return the number of examples, 0 or more}
    long size();

    /// Reads examples.
    ///
    /// **Memory** two new tensors in the innermost arena.
    ///
    /// @param indices their positions, from 0 on, in any order
    /// @return the examples in that order
    /// @throws IndexOutOfBoundsException if a position is not in this set
    Batch batch(long... indices);

    /// Returns the examples from one position to another.
    ///
    /// @param from the first position
    /// @param to the position after the last
    /// @return a set of `to − from` examples
    /// @throws IllegalArgumentException if the range is not within this set
    default Dataset slice(long from, long to) {
        if (from < 0 || to < from || to > size()) {
            throw new IllegalArgumentException(
                    "slice: " + from + " to " + to + " is not within a set of " + size() + " examples");
        }
        return new Subset(this, to - from, i -> from + i);
    }

    /// Returns the examples at the given positions, in that order.
    ///
    /// @param indices the positions, from 0 on; they may repeat
    /// @return a set of one example for each position
    /// @throws IndexOutOfBoundsException if a position is not in this set
    default Dataset subset(long... indices) {
        TensorRows.requireInside("subset", indices, size());
        long[] chosen = indices.clone();
        return new Subset(this, chosen.length, i -> chosen[(int) i]);
    }

    /// Splits the examples at random into disjoint sets, for training and validation for instance.
    ///
    /// **Memory** 8 bytes of heap for each example.
    ///
    /// @param seed the seed, which determines the sets; the generator is that of [DataLoader#shuffle(long)]
    /// @param sizes the numbers of examples of the sets, which sum to [#size()]
    /// @return the sets, in the order of the sizes
    /// @throws IllegalArgumentException if a size is negative, they do not sum to the size of this set, or there are
    ///     more examples than an array can hold
    default List<Dataset> split(long seed, long... sizes) {
        if (Arrays.stream(sizes).anyMatch(n -> n < 0 || n > size())
                || Arrays.stream(sizes).sum() != size()) {
            throw new IllegalArgumentException("split: " + Arrays.toString(sizes) + " must be 0 or more and sum to "
                    + size() + ", the number of examples");
        }
        long[] order = SplitMix64.order("split", size());
        SplitMix64.permute(order, seed);
        List<Dataset> sets = new ArrayList<>();
        int from = 0;
        for (long n : sizes) {
            sets.add(subset(Arrays.copyOfRange(order, from, from + (int) n)));
            from += (int) n;
        }
        return sets;
    }

    /// Applies a function to each batch when it is read.
    ///
    /// @param function returns a new batch; several threads may call it at once
    /// @return a set of the same size
    default Dataset map(UnaryOperator<Batch> function) {
        return new TransformedDataset(this, function);
    }

    /// Appends the examples of another set, of the same shapes and dtypes.
    ///
    /// @param other the set that follows
    /// @return a set of both; its reads throw IllegalArgumentException where shapes or dtypes differ
    default Dataset concat(Dataset other) {
        return new ConcatDataset(this, other);
    }
}
