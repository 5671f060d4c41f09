package org.toydiff.train.metrics;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Outputs with one score for each class along the last axis, and their labels.
final class ClassScores {
    private ClassScores() {}

    /// The scores, `[examples, classes]`.
    static Tensor scores(String metric, Tensor output, Tensor target) {
        long[] shape = output.shape();
        if (shape.length >= 2 && areInPlaceOfLabels(output, target) && !isWhole(target)) {
            throw new IllegalArgumentException(metric + ": labels " + describe(target)
                    + " must be INT32 or INT64; cast them: labels.cast(DType.INT64)");
        }
        boolean fits = shape.length >= 2
                && shape[shape.length - 1] > 0
                && (areLabels(output, target) || areProbabilities(output, target));
        if (!fits) {
            throw new IllegalArgumentException(metric + ": output " + describe(output) + " and target "
                    + describe(target)
                    + " do not fit; the output has a score for each class along its last axis,"
                    + " the target the label in its place, or probabilities of the output's shape");
        }
        long classes = shape[shape.length - 1];
        return output.reshape(output.size() / classes, classes);
    }

    private static boolean areLabels(Tensor output, Tensor target) {
        return isWhole(target) && areInPlaceOfLabels(output, target);
    }

    private static boolean isWhole(Tensor target) {
        return target.dtype() == DType.INT32 || target.dtype() == DType.INT64;
    }

    private static boolean areInPlaceOfLabels(Tensor output, Tensor target) {
        long[] shape = output.shape();
        return Arrays.equals(target.shape(), Arrays.copyOf(shape, shape.length - 1));
    }

    private static boolean areProbabilities(Tensor output, Tensor target) {
        return target.dtype().isFloating() && Arrays.equals(target.shape(), output.shape());
    }

    /// The labels that belong to [#scores], INT64 `[examples]`: where the target has probabilities, the class of
    /// the largest.
    static Tensor labels(Tensor target, Tensor scores) {
        long examples = scores.shape()[0];
        return target.dtype().isFloating()
                ? target.reshape(examples, scores.shape()[1]).argmax(1)
                : target.reshape(examples).cast(DType.INT64);
    }

    static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }

    /// How many elements of a BOOL tensor are true.
    static long count(Tensor mask) {
        return (long) mask.cast(DType.FLOAT64).sum().item();
    }
}
