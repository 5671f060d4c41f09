package org.toydiff.nn;

import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import org.toydiff.Autocast;
import org.toydiff.CompiledFunction;
import org.toydiff.Tensor;

/// Cross entropy with class weights, label smoothing and ignored labels, as PyTorch's CrossEntropyLoss. Methods
/// named after the settings change those:
/// ```java
/// var loss = new CrossEntropyLoss().labelSmoothing(0.1).ignoreIndex(-100);
/// Trainer.of(net, optimizer, loss::forward)
/// ```
///
/// With labels y, weights w and smoothing ε over C classes, the loss of a row is `−(1 − ε)·w[y]·ln p[y] − ε/C·Σ
/// w·ln p`, and the mean divides by the sum of `w[y]`. With probabilities q in place of labels it is `−Σ w·((1 −
/// ε)·q + ε/C)·ln p`, and the mean divides by the number of rows. Label smoothing: C. Szegedy et al., "Rethinking
/// the Inception architecture for computer vision", 2015.
public final class CrossEntropyLoss {
    private Tensor weight;
    private double labelSmoothing;
    private OptionalInt ignoreIndex = OptionalInt.empty();
    private Reduction reduction = Reduction.MEAN;

    /// How often a setting has changed, on which a compiled function depends; one object for all calls.
    private long changes;

    private final LongSupplier state = () -> changes;

    /// Creates the mean cross entropy of classes of weight 1, without smoothing and ignored labels.
    public CrossEntropyLoss() {}

    /// Sets the weights of the classes.
    ///
    /// @param weight the weight of each class, `[classes]`, of the dtype of the logits; ones by default
    /// @return this
    /// @throws IllegalArgumentException if it has not one axis
    public CrossEntropyLoss weight(Tensor weight) {
        if (weight.rank() != 1) {
            throw new IllegalArgumentException(
                    "CrossEntropyLoss: the weight " + Arrays.toString(weight.shape()) + " must be [classes]");
        }
        this.weight = weight;
        changes++;
        return this;
    }

    /// Sets the share of the loss that goes to all classes alike.
    ///
    /// @param labelSmoothing ε, in [0, 1]; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if it is out of range
    public CrossEntropyLoss labelSmoothing(double labelSmoothing) {
        this.labelSmoothing = Functional.requireProbability("CrossEntropyLoss: labelSmoothing", labelSmoothing);
        changes++;
        return this;
    }

    /// Ignores the rows with a certain label: their losses and gradients are 0, and the mean is that of the other
    /// rows, NaN if there are none. PyTorch ignores −100 by default; without this call nothing is ignored here,
    /// because a label out of range is most often a mistake.
    ///
    /// @param ignoreIndex the label of the rows to ignore, one of the classes or any other number
    /// @return this
    public CrossEntropyLoss ignoreIndex(int ignoreIndex) {
        this.ignoreIndex = OptionalInt.of(ignoreIndex);
        changes++;
        return this;
    }

    /// Sets how the losses of the rows are reduced.
    ///
    /// @param reduction the reduction; [Reduction#MEAN] by default
    /// @return this
    public CrossEntropyLoss reduction(Reduction reduction) {
        this.reduction = Objects.requireNonNull(reduction, "reduction");
        changes++;
        return this;
    }

    /// Computes the loss.
    ///
    /// @param logits `[n, classes]`, before any softmax
    /// @param target the label of each row, `[n]`, INT32 or INT64, or its probabilities `[n, classes]`
    /// @return a scalar, or a tensor `[n]` for [Reduction#NONE]
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, a label is not one of the classes and not
    ///     ignored, or the target is probabilities and a label is to be ignored
    public Tensor forward(Tensor logits, Tensor target) {
        CompiledFunction.dependOn(state);
        if (logits.rank() != 2 || (weight != null && weight.size() != logits.size(1))) {
            throw new IllegalArgumentException("CrossEntropyLoss: logits " + Arrays.toString(logits.shape())
                    + " and weight " + (weight == null ? "null" : Arrays.toString(weight.shape()))
                    + " do not fit; they are [n, classes] and [classes]");
        }
        return Functional.areProbabilities("CrossEntropyLoss", logits, target)
                ? ofProbabilities(Autocast.toFloat32(logits), Autocast.toFloat32(target))
                : ofLabels(logits, target);
    }

    private Tensor ofProbabilities(Tensor logits, Tensor target) {
        if (ignoreIndex.isPresent()) {
            throw new IllegalArgumentException("CrossEntropyLoss: the target " + Arrays.toString(target.shape())
                    + " is probabilities, and ignoreIndex is for labels; give labels [n]");
        }
        Tensor smoothed = labelSmoothing == 0
                ? target
                : target.multiply(1 - labelSmoothing).add(labelSmoothing / logits.size(1));
        Tensor losses = weighted(logits.logSoftmax(1)).multiply(smoothed).sum(1).negative();
        return Functional.reduce(losses, reduction);
    }

    private Tensor ofLabels(Tensor logits, Tensor labels) {
        boolean ignores = ignoreIndex.isPresent();
        Tensor losses = ignores ? logits.crossEntropy(labels, ignoreIndex.getAsInt()) : logits.crossEntropy(labels);
        Tensor ignored = ignores ? labels.equalTo(ignoreIndex.getAsInt()) : null;
        Tensor weights = null;
        if (weight != null) {
            weights = Functional.counted(weight.indexSelect(0, Functional.counted(labels, ignored)), ignored);
            losses = losses.multiply(weights);
        }
        if (labelSmoothing > 0) {
            Tensor spread = weighted(Autocast.toFloat32(logits).logSoftmax(1))
                    .sum(1)
                    .multiply(-labelSmoothing / logits.size(1));
            losses = losses.multiply(1 - labelSmoothing).add(Functional.counted(spread, ignored));
        }
        if (weights != null && reduction == Reduction.MEAN) {
            return Functional.meanOver(losses, weights.sum());
        }
        return ignores ? Functional.reduceCounted(losses, ignored, reduction) : Functional.reduce(losses, reduction);
    }

    private Tensor weighted(Tensor logProbabilities) {
        return weight == null ? logProbabilities : logProbabilities.multiply(weight);
    }
}
