package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Tensor;

/// Activations and losses as functions. All are ops or compositions of ops, so their gradients need no rules of
/// their
/// own.
public final class Functional {
    private Functional() {}

    /// [Tensor#relu()].
    ///
    /// @param x the input
    /// @return a new tensor of its shape
    public static Tensor relu(Tensor x) {
        return x.relu();
    }

    /// [Tensor#sigmoid()].
    ///
    /// @param x the input
    /// @return a new tensor of its shape
    public static Tensor sigmoid(Tensor x) {
        return x.sigmoid();
    }

    /// [Tensor#tanh()].
    ///
    /// @param x the input
    /// @return a new tensor of its shape
    public static Tensor tanh(Tensor x) {
        return x.tanh();
    }

    /// `eˣ / Σ eˣ` along an axis; shifted by the largest element first, so that large elements do not overflow.
    ///
    /// @param x the input
    /// @param axis the axis that sums to 1
    /// @return a new tensor of its shape
    public static Tensor softmax(Tensor x, int axis) {
        return x.softmax(axis);
    }

    /// `ln softmax`, computed without forming the softmax, so that small probabilities keep their digits.
    ///
    /// @param x the input
    /// @param axis the axis of the softmax
    /// @return a new tensor of its shape
    public static Tensor logSoftmax(Tensor x, int axis) {
        return x.logSoftmax(axis);
    }

    /// The softmax of `−x`.
    ///
    /// @param x the input
    /// @param axis the axis that sums to 1
    /// @return a new tensor of its shape
    public static Tensor softmin(Tensor x, int axis) {
        return softmax(x.negative(), axis);
    }

    /// [#mseLoss(Tensor, Tensor, Reduction)] with the mean.
    ///
    /// @param output what was computed
    /// @param target what it should be, of the same shape
    /// @return a scalar
    public static Tensor mseLoss(Tensor output, Tensor target) {
        return mseLoss(output, target, Reduction.MEAN);
    }

    /// Squared error `(output − target)²`.
    ///
    /// @param output what was computed
    /// @param target what it should be, of the same shape
    /// @param reduction what becomes of the single losses
    /// @return a scalar, or a tensor of the shape of the output
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor mseLoss(Tensor output, Tensor target, Reduction reduction) {
        requireSameShape("mseLoss", output, target);
        Tensor error = output.subtract(target);
        return reduce(error.multiply(error), reduction);
    }

    /// [#maeLoss(Tensor, Tensor, Reduction)] with the mean.
    ///
    /// @param output what was computed
    /// @param target what it should be, of the same shape
    /// @return a scalar
    public static Tensor maeLoss(Tensor output, Tensor target) {
        return maeLoss(output, target, Reduction.MEAN);
    }

    /// Absolute error `|output − target|`.
    ///
    /// @param output what was computed
    /// @param target what it should be, of the same shape
    /// @param reduction what becomes of the single losses
    /// @return a scalar, or a tensor of the shape of the output
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor maeLoss(Tensor output, Tensor target, Reduction reduction) {
        requireSameShape("maeLoss", output, target);
        return reduce(output.subtract(target).abs(), reduction);
    }

    /// [#crossEntropyLoss(Tensor, Tensor, Reduction)] with the mean.
    ///
    /// @param logits `[n, classes]`
    /// @param target labels `[n]`, INT32 or INT64, or probabilities `[n, classes]`
    /// @return a scalar
    public static Tensor crossEntropyLoss(Tensor logits, Tensor target) {
        return crossEntropyLoss(logits, target, Reduction.MEAN);
    }

    /// Cross entropy `−Σ p·ln softmax(logits)` of each row.
    ///
    /// @param logits `[n, classes]`, before any softmax
    /// @param target the label of each row, `[n]`, INT32 or INT64, or its probabilities `[n, classes]`
    /// @param reduction what becomes of the losses of the rows
    /// @return a scalar, or a tensor `[n]`
    /// @throws IllegalArgumentException if the shapes do not fit or a label is none of the classes
    public static Tensor crossEntropyLoss(Tensor logits, Tensor target, Reduction reduction) {
        if (logits.rank() != 2) {
            throw new IllegalArgumentException("crossEntropyLoss: logits " + Arrays.toString(logits.shape())
                    + " must be [n, classes]; reshape them");
        }
        if (target.dtype().isFloating()) {
            requireSameShape("crossEntropyLoss", logits, target);
            return reduce(logSoftmax(logits, 1).multiply(target).sum(1).negative(), reduction);
        }
        return reduce(logits.crossEntropy(target), reduction);
    }

    private static void requireSameShape(String loss, Tensor output, Tensor target) {
        if (!Arrays.equals(output.shape(), target.shape())) {
            throw new IllegalArgumentException(loss + ": output " + Arrays.toString(output.shape()) + " and target "
                    + Arrays.toString(target.shape()) + " differ in shape; reshape one of them");
        }
    }

    private static Tensor reduce(Tensor losses, Reduction reduction) {
        return switch (reduction) {
            case MEAN -> losses.mean();
            case SUM -> losses.sum();
            case NONE -> losses;
        };
    }
}
