package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.toydiff.Tensor;

/// Records how the terms of a loss were reduced, so that the losses of several batches, or of parts of one, can be
/// combined into the loss of all their examples: means weighted by their divisors, sums by addition.
///
/// ```java
/// var terms = new LossTerms();
/// Tensor loss = terms.record(() -> weighted.forward(logits, labels));
/// double sumOfWeights = terms.denominators().getFirst();
/// ```
///
/// The losses of [Functional] and [CrossEntropyLoss] record their terms; a custom loss does by
/// [Functional#reduce(Tensor, Reduction)] and [Functional#meanOver(Tensor, Tensor)].
public final class LossTerms {
    private static final ScopedValue<LossTerms> RECORDING = ScopedValue.newInstance();

    private final List<Double> denominators = new ArrayList<>(1);
    private boolean summed;

    /// Creates an empty record.
    public LossTerms() {}

    /// Computes a loss and records how its terms are reduced, in place of an earlier record.
    ///
    /// @param loss computes the loss, on this thread
    /// @return the loss
    public Tensor record(Supplier<Tensor> loss) {
        denominators.clear();
        summed = false;
        return ScopedValue.where(RECORDING, this).call(loss::get);
    }

    /// Returns the divisor of each mean, in the order of computation.
    ///
    /// @return a view of the divisors: numbers of elements or sums of weights; empty if no mean was recorded
    public List<Double> denominators() {
        return Collections.unmodifiableList(denominators);
    }

    /// {@return the divisor of a loss whose only term is a mean; NaN for any other loss}
    public double denominator() {
        return denominators.size() == 1 && !summed ? denominators.getFirst() : Double.NaN;
    }

    /// {@return whether at least one term is a sum}
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
