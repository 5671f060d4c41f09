package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.toydiff.Tensor;

/// How the terms of a loss were reduced, so that losses of parts of a batch, or of several batches, can be put
/// together to the loss of all their examples: the means by the numbers they divided by, the sums by adding up.
///
/// ```java
/// var terms = new LossTerms();
/// Tensor loss = terms.record(() -> weighted.forward(logits, labels));
/// double sumOfWeights = terms.denominators().getFirst();
/// ```
///
/// The losses of [Functional] and [CrossEntropyLoss] tell it, and [Functional#reduce(Tensor, Reduction)] and
/// [Functional#meanOver(Tensor, Tensor)] do for a loss of one's own.
public final class LossTerms {
    private static final ScopedValue<LossTerms> RECORDING = ScopedValue.newInstance();

    private final List<Double> denominators = new ArrayList<>(1);
    private boolean summed;

    /// Without terms.
    public LossTerms() {}

    /// Computes a loss and notes how its terms are reduced, in place of what was noted before.
    ///
    /// @param loss computes the loss, on this thread
    /// @return what it gave
    public Tensor record(Supplier<Tensor> loss) {
        denominators.clear();
        summed = false;
        return ScopedValue.where(RECORDING, this).call(loss::get);
    }

    /// What each mean divided by, in the order in which they were computed.
    ///
    /// @return the numbers, a view: that of its elements, or the sum of their weights; none when no mean told it
    public List<Double> denominators() {
        return Collections.unmodifiableList(denominators);
    }

    /// What a loss of a single term divided by.
    ///
    /// @return the number; NaN when there is another number of terms, or it is a sum
    public double denominator() {
        return denominators.size() == 1 && !summed ? denominators.getFirst() : Double.NaN;
    }

    /// Whether a term is a sum.
    ///
    /// @return true if there is at least one
    public boolean summed() {
        return summed;
    }

    static void noteMean(Tensor losses) {
        if (RECORDING.isBound()) {
            RECORDING.get().denominators.add((double) losses.size());
        }
    }

    static void noteMeanOver(Tensor denominator) {
        if (RECORDING.isBound()) {
            RECORDING.get().denominators.add(denominator.item());
        }
    }

    static void noteSum() {
        if (RECORDING.isBound()) {
            RECORDING.get().summed = true;
        }
    }
}
