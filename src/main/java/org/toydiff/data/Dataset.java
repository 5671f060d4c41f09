package org.toydiff.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/// Examples that can be read in any order: inputs with their targets.
///
/// May be read on several threads at once. What is derived from a set (a slice, a split, …) copies no example:
/// it reads them from the set when asked.
public interface Dataset {
    /// How many examples it has.
    ///
    /// @return the number, 0 or more
    long size();

    /// Reads some examples.
    ///
    /// **Memory** both tensors are new, in the innermost arena.
    ///
    /// @param indices their positions, from 0 on, in any order
    /// @return the examples in that order
    /// @throws IndexOutOfBoundsException if a position is not one of this set's
    Batch batch(long... indices);

    /// The examples from one position to another.
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

    /// The examples at some positions, in their order.
    ///
    /// @param indices the positions, from 0 on; they may repeat
    /// @return a set of as many examples
    /// @throws IndexOutOfBoundsException if a position is not one of this set's
    default Dataset subset(long... indices) {
        TensorRows.requireInside("subset", indices, size());
        long[] chosen = indices.clone();
        return new Subset(this, chosen.length, i -> chosen[(int) i]);
    }

    /// Deals the examples out at random, each to one set: for training and validation, say.
    ///
    /// **Memory** 8 bytes of heap for each example.
    ///
    /// @param seed the same one gives the same sets; the generator is that of [DataLoader#shuffle(long)]
    /// @param sizes how many examples each set gets, [#size()] together
    /// @return the sets, in the order of the sizes
    /// @throws IllegalArgumentException if a size is negative, they do not sum to this set's, or there are more
    ///     examples than an array can hold
    default List<Dataset> split(long seed, long... sizes) {
        if (Arrays.stream(sizes).anyMatch(n -> n < 0 || n > size())
                || Arrays.stream(sizes).sum() != size()) {
            throw new IllegalArgumentException("split: " + Arrays.toString(sizes) + " must be 0 or more and sum to "
                    + size() + ", the examples of the set");
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

    /// The same examples, each batch changed by a function when it is read.
    ///
    /// @param function makes a new batch of one; may be called on several threads at once
    /// @return a set of the same size
    default Dataset map(UnaryOperator<Batch> function) {
        return new TransformedDataset(this, function);
    }

    /// The examples of this set, then those of another of the same shapes and dtypes.
    ///
    /// @param other the set that follows
    /// @return a set of both; reading throws IllegalArgumentException where shapes or dtypes differ
    default Dataset concat(Dataset other) {
        return new ConcatDataset(this, other);
    }
}
