package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Tensor;

/// Cross entropy with class weights and label smoothing, as PyTorch's CrossEntropyLoss.
///
/// With labels y, weights w and smoothing ε over C classes, the loss of a row is `−(1 − ε)·w[y]·ln p[y] − ε/C·Σ
/// w·ln p`, and the mean divides by the sum of `w[y]`. With probabilities q in place of labels it is `−Σ w·((1 −
/// ε)·q + ε/C)·ln p`, and the mean divides by the number of rows. Label smoothing: C. Szegedy et al., "Rethinking
/// the Inception architecture for computer vision", 2015.
///
/// @param weight the weight of each class, `[classes]`, or null for ones
/// @param labelSmoothing ε, in [0, 1]
/// @param reduction how the losses of the rows are reduced
public record CrossEntropyLoss(Tensor weight, double labelSmoothing, Reduction reduction) {
    /// Checks the settings.
    ///
    /// @throws IllegalArgumentException if the smoothing is out of range or the weight is not `[classes]`
    public CrossEntropyLoss {
        Functional.requireProbability("CrossEntropyLoss: labelSmoothing", labelSmoothing);
        if (weight != null && weight.rank() != 1) {
            throw new IllegalArgumentException(
                    "CrossEntropyLoss: the weight " + Arrays.toString(weight.shape()) + " must be [classes]");
        }
    }

    /// Computes the loss.
    ///
    /// @param logits `[n, classes]`, before any softmax
    /// @param target the label of each row, `[n]`, INT32 or INT64, or its probabilities `[n, classes]`
    /// @return a scalar, or a tensor `[n]` for [Reduction#NONE]
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is not one of the classes
    public Tensor forward(Tensor logits, Tensor target) {
        if (weight == null && labelSmoothing == 0) {
            return Functional.crossEntropyLoss(logits, target, reduction);
        }
        if (logits.rank() != 2 || (weight != null && weight.size() != logits.size(1))) {
            throw new IllegalArgumentException("CrossEntropyLoss: logits " + Arrays.toString(logits.shape())
                    + " and weight " + (weight == null ? "null" : Arrays.toString(weight.shape()))
                    + " do not fit; they are [n, classes] and [classes]");
        }
        return Functional.areProbabilities("CrossEntropyLoss", logits, target)
                ? ofProbabilities(logits, target)
                : ofLabels(logits, target);
    }

    private Tensor ofProbabilities(Tensor logits, Tensor target) {
        Tensor smoothed = target.multiply(1 - labelSmoothing).add(labelSmoothing / logits.size(1));
        Tensor losses = weighted(logits.logSoftmax(1)).multiply(smoothed).sum(1).negative();
        return Functional.reduce(losses, reduction);
    }

    private Tensor ofLabels(Tensor logits, Tensor target) {
        Tensor certain = logits.crossEntropy(target);
        Tensor weights = weight == null ? null : weight.indexSelect(0, target);
        if (weights != null) {
            certain = certain.multiply(weights);
        }
        Tensor losses = certain;
        if (labelSmoothing > 0) {
            Tensor spread = weighted(logits.logSoftmax(1)).sum(1).multiply(-labelSmoothing / logits.size(1));
            losses = certain.multiply(1 - labelSmoothing).add(spread);
        }
        boolean weightedMean = reduction == Reduction.MEAN && weights != null;
        return weightedMean ? Functional.meanOver(losses, weights.sum()) : Functional.reduce(losses, reduction);
    }

    private Tensor weighted(Tensor logProbabilities) {
        return weight == null ? logProbabilities : logProbabilities.multiply(weight);
    }
}
