package org.toydiff.train.metrics;

import java.util.Arrays;
import java.util.OptionalInt;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Outputs with one score for each class along the last axis, and their labels.
///
/// @param scores `[examples, classes]`
/// @param labels INT64 `[examples]`
record ClassScores(Tensor scores, Tensor labels) {
    /// Returns the scores and labels of a batch, once they are known to fit.
    static ClassScores of(String metric, Tensor output, Tensor target, OptionalInt ignoreIndex) {
        Tensor scores = scores(metric, output, target);
        if (ignoreIndex.isPresent() && target.dtype().isFloating()) {
            throw new IllegalArgumentException(metric + ": the target " + describe(target)
                    + " is probabilities, and ignoreIndex is for labels; give labels without the last axis");
        }
        return new ClassScores(scores, labels(target, scores));
    }

    /// Returns the examples whose labels are not ignored.
    ClassScores without(OptionalInt ignoreIndex) {
        if (ignoreIndex.isEmpty()) {
            return this;
        }
        Tensor counted = labels.notEqualTo(ignoreIndex.getAsInt());
        Tensor rest = labels.select(counted);
        return new ClassScores(scores.select(counted.unsqueeze(1)).reshape(rest.size(), scores.size(1)), rest);
    }

    private static Tensor scores(String metric, Tensor output, Tensor target) {
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

    /// Returns the labels; for probabilities, the class of the largest.
    private static Tensor labels(Tensor target, Tensor scores) {
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
