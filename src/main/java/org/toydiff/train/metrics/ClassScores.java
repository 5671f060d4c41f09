package org.toydiff.train.metrics;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Checks outputs with one score for each class along the last axis, and their labels.
final class ClassScores {
    private ClassScores() {}

    /// Returns the scores, `[examples, classes]`.
    static Tensor scores(String metric, Tensor output, Tensor target) {
        long[] shape = output.shape();
        if (shape.length >= 2 && hasShapeOfLabels(output, target) && !isInteger(target)) {
            throw new IllegalArgumentException(metric + ": labels " + describe(target)
                    + " must be INT32 or INT64; cast them: labels.cast(DType.INT64)");
        }
        boolean fits = shape.length >= 2
                && shape[shape.length - 1] > 0
                && (areLabels(output, target) || areProbabilities(output, target));
        if (!fits) {
            throw new IllegalArgumentException(metric + ": output " + describe(output) + " and target "
                    + describe(target)
                    + " do not fit; the output must have a score for each class along its last axis, and the"
                    + " target either labels, without that axis, or probabilities of the output's shape");
        }
        long classes = shape[shape.length - 1];
        return output.reshape(output.size() / classes, classes);
    }

    private static boolean areLabels(Tensor output, Tensor target) {
        return isInteger(target) && hasShapeOfLabels(output, target);
    }

    private static boolean isInteger(Tensor target) {
        return target.dtype() == DType.INT32 || target.dtype() == DType.INT64;
    }

    private static boolean hasShapeOfLabels(Tensor output, Tensor target) {
        long[] shape = output.shape();
        return Arrays.equals(target.shape(), Arrays.copyOf(shape, shape.length - 1));
    }

    private static boolean areProbabilities(Tensor output, Tensor target) {
        return target.dtype().isFloating() && Arrays.equals(target.shape(), output.shape());
    }

    /// Returns the labels that belong to [#scores], INT64 `[examples]`: for probabilities, the class of the largest.
    static Tensor labels(Tensor target, Tensor scores) {
        long examples = scores.shape()[0];
        return target.dtype().isFloating()
                ? target.reshape(examples, scores.shape()[1]).argmax(1)
                : target.reshape(examples).cast(DType.INT64);
    }

    static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }

    /// Returns the number of elements of a BOOL tensor that are true.
    static long count(Tensor mask) {
        return (long) mask.cast(DType.FLOAT64).sum().item();
    }
}
