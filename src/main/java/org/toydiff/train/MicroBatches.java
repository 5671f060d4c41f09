package org.toydiff.train;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.nn.Loss;
import org.toydiff.nn.LossTerms;

/// Puts the parts of a batch together: what their losses come to, and with which factors their gradients add up to
/// that of the whole batch.
///
/// A part of a mean counts by what it divided by, relative to that of the first part: where each example counts
/// alike, by its share of the examples alone.
final class MicroBatches {
    /// How far apart two means of one loss may weigh a part, in relation to its weight: rounding.
    private static final double ROUNDING = 1e-9;

    private final boolean several;
    private final LossTerms terms = new LossTerms();
    private long size;
    private double sum;
    private double shares;
    private double denominator;
    private boolean even;

    /// What each mean of the first part that had one divided by, for each example.
    private double[] reference;

    /// @param several whether batches may have more parts than one: then every loss must tell what it is the mean over,
    ///     not only the first that is put together, which may be that of a validation hours later
    MicroBatches(boolean several) {
        this.several = several;
    }

    /// Begins a batch of so many examples.
    void begin(long examples) {
        size = examples;
        sum = 0;
        shares = 0;
        denominator = 0;
        even = true;
        reference = null;
    }

    /// Computes the loss of a part, the next one to be added.
    Tensor compute(Loss loss, Tensor output, Tensor target) {
        return terms.record(() -> loss.of(output, target));
    }

    /// Adds the part whose loss was computed.
    ///
    /// @return the factor of its gradient, 0 where it has no weight; to be multiplied by [#correction()] at the end
    double add(double loss, long examples) {
        denominator += terms.denominator();
        if (several) {
            requireTold();
        }
        if (examples < size && terms.summed()) {
            sum += loss;
            return 1;
        }
        double weight = examples < size ? weight(examples) : 1;
        even &= weight == 1;
        if (weight == 0) {
            return 0;
        }
        double share = weight * examples / size;
        shares += share;
        sum += loss * weight * examples / size;
        return share;
    }

    private void requireTold() {
        boolean means = !terms.denominators().isEmpty();
        boolean both = means && terms.summed();
        if (both || !means && !terms.summed()) {
            throw new IllegalArgumentException("fit: parts of a batch cannot be put together, because the loss "
                    + (both ? "has means and sums" : "does not tell what it is the mean over")
                    + "; end it with Functional.reduce(losses, Reduction.MEAN) or"
                    + " Functional.meanOver(losses, denominator), or train without microBatch");
        }
    }

    /// How much an example of this part weighs in relation to one of the first part.
    private double weight(long examples) {
        List<Double> means = terms.denominators();
        if (means.getFirst() == 0) {
            return 0;
        }
        if (reference == null) {
            reference =
                    means.stream().mapToDouble(divisor -> divisor / examples).toArray();
        }
        double weight = means.getFirst() / examples / reference[0];
        for (int i = 1; i < means.size(); i++) {
            boolean same = means.size() == reference.length
                    && Math.abs(means.get(i) / examples / reference[i] - weight) <= ROUNDING * weight;
            if (!same) {
                throw new IllegalArgumentException(
                        "fit: parts of a batch cannot be put together, because the means in the loss, over " + means
                                + ", give the examples of one part different weights; train without microBatch");
            }
        }
        return weight;
    }

    /// The loss of the whole batch.
    double loss() {
        return even ? sum : sum / shares;
    }

    /// By what the sum of the gradients is to be multiplied.
    double correction() {
        return even ? 1 : 1 / shares;
    }

    /// What the loss of the whole batch divided by, NaN where it does not tell.
    double denominator() {
        return denominator;
    }
}
