package org.toydiff.train;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.nn.Loss;
import org.toydiff.nn.LossTerms;

/// Combines the micro-batches of a batch: the sum of their losses, and the factors with which their gradients add up
/// to the gradient of the whole batch.
///
/// The weight of a micro-batch in a mean is its divisor, relative to that of the first one: if all examples have
/// equal weights, its share of the examples.
final class MicroBatches {
    /// The relative difference between the weights by two means of one loss that is taken for rounding.
    private static final double ROUNDING = 1e-9;

    private final boolean several;
    private final LossTerms terms = new LossTerms();
    private long size;
    private double sum;
    private double shares;
    private double denominator;
    private boolean even;

    /// The divisors of the means of the first micro-batch with a weight, for each example.
    private double[] reference;

    /// Prepares for the batches of a training.
    ///
    /// @param several whether batches may have more than one micro-batch: then every loss must record its divisor
    ///     from the first batch on, because the first with several may be one of a validation hours later
    MicroBatches(boolean several) {
        this.several = several;
    }

    /// Returns the examples of a micro-batch.
    static Tensor part(Tensor tensor, long from, long to) {
        return from == 0 && to == tensor.size(0) ? tensor : tensor.slice(0, from, to);
    }

    /// Begins a batch with a number of examples.
    void begin(long examples) {
        size = examples;
        sum = 0;
        shares = 0;
        denominator = 0;
        even = true;
        reference = null;
    }

    /// Computes the loss of a micro-batch, which [#add] adds next.
    Tensor compute(Loss loss, Tensor output, Tensor target) {
        return terms.record(() -> loss.of(output, target));
    }

    /// {@return how the loss that was computed last is reduced}
    LossTerms terms() {
        return terms;
    }

    /// Adds the micro-batch whose loss was computed.
    ///
    /// @return the factor of its gradient, 0 if it has no weight; the sum is multiplied by [#correction()] at the
    ///     end
    double add(double loss, long examples) {
        denominator += terms.denominator();
        if (several) {
            requireRecorded();
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

    private void requireRecorded() {
        boolean means = !terms.denominators().isEmpty();
        boolean both = means && terms.summed();
        if (both || !means && !terms.summed()) {
            throw new IllegalArgumentException("microBatch: micro-batches cannot be combined, because the loss "
                    + (both ? "has means and sums" : "does not record the divisor of its mean")
                    + "; end it with Functional.reduce(losses, Reduction.MEAN) or"
                    + " Functional.meanOver(losses, denominator), or train without microBatch");
        }
    }

    /// Returns the weight of an example of this micro-batch relative to one of the first.
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
                        "microBatch: micro-batches cannot be combined, because the means in the loss, over " + means
                                + ", give the examples of one micro-batch different weights; train without microBatch");
            }
        }
        return weight;
    }

    /// Returns the loss of the whole batch.
    double loss() {
        return even ? sum : sum / shares;
    }

    /// Returns the factor for the sum of the gradients.
    double correction() {
        return even ? 1 : 1 / shares;
    }

    /// Returns the divisor of the loss of the whole batch, NaN if it is not recorded.
    double denominator() {
        return denominator;
    }
}
