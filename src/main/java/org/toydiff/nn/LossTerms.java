package org.toydiff.nn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.toydiff.CompiledFunction;
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

    private double[] divisors = new double[1];
    private int means;
    private boolean summed;

    /// Where divisors that a loss computes are copied, by their place among the means.
    private final List<MemorySegment> copies = new ArrayList<>(1);

    private final List<Double> denominators = new AbstractList<>() {
        @Override
        public Double get(int i) {
            return divisors[Objects.checkIndex(i, means)];
        }

        @Override
        public int size() {
            return means;
        }
    };

    /// Creates an empty record.
    public LossTerms() {}

    /// Computes a loss and records how its terms are reduced, in place of an earlier record. In a
    /// [CompiledFunction] each run records them.
    ///
    /// @param loss computes the loss, on this thread
    /// @return the loss
    public Tensor record(Supplier<Tensor> loss) {
        onEachRun(() -> {
            means = 0;
            summed = false;
        });
        return ScopedValue.where(RECORDING, this).call(loss::get);
    }

    private static void onEachRun(Runnable note) {
        CompiledFunction.onEachRun("terms of the loss", note);
    }

    /// Returns the divisor of each mean, in the order of computation.
    ///
    /// @return a view of the divisors: numbers of elements or sums of weights; empty if no mean was recorded
    public List<Double> denominators() {
        return denominators;
    }

    /// {@return the divisor of a loss whose only term is a mean; NaN for any other loss}
    public double denominator() {
        return means == 1 && !summed ? divisors[0] : Double.NaN;
    }

    /// {@return whether at least one term is a sum}
    public boolean summed() {
        return summed;
    }

    static void noteMean(Tensor losses) {
        if (RECORDING.isBound()) {
            LossTerms terms = RECORDING.get();
            double divisor = losses.size();
            onEachRun(() -> terms.add(divisor));
        }
    }

    static void noteMeanOver(Tensor denominator) {
        if (RECORDING.isBound()) {
            LossTerms terms = RECORDING.get();
            Tensor copy = terms.copy(denominator.detach());
            onEachRun(() -> terms.add(copy.item()));
        }
    }

    static void noteSum() {
        if (RECORDING.isBound()) {
            LossTerms terms = RECORDING.get();
            onEachRun(() -> terms.summed = true);
        }
    }

    private void add(double divisor) {
        if (means == divisors.length) {
            divisors = Arrays.copyOf(divisors, 2 * means);
        }
        divisors[means++] = divisor;
    }

    /// Returns a copy of the next divisor in memory of this record, where code that runs in each replay may read it.
    private Tensor copy(Tensor divisor) {
        while (copies.size() <= means) {
            copies.add(Arena.ofAuto().allocate(Double.BYTES, Double.BYTES));
        }
        return Tensor.wrap(copies.get(means), divisor.dtype(), divisor.shape()).copyFrom(divisor);
    }
}
