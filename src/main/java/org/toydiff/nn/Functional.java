package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Activations and losses as functions. All are ops or compositions of ops, so their gradients need no rules of
/// their own.
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

    /// `x·sigmoid(x)`, also known as swish: S. Elfwing, E. Uchibe, K. Doya, 2017.
    ///
    /// @param x the input
    /// @return a new tensor of its shape
    public static Tensor silu(Tensor x) {
        return x.multiply(x.sigmoid());
    }

    /// `x·½·(1 + erf(x/√2))`: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.
    ///
    /// @param x the input
    /// @return a new tensor of its shape
    public static Tensor gelu(Tensor x) {
        return x.multiply(x.multiply(Math.sqrt(0.5)).erf().add(1).multiply(0.5));
    }

    /// `½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`, near [#gelu(Tensor)]; from the same paper.
    ///
    /// @param x the input
    /// @return a new tensor of its shape
    public static Tensor geluTanh(Tensor x) {
        Tensor cubic = x.multiply(x).multiply(0.044715).add(1).multiply(x);
        return x.multiply(cubic.multiply(Math.sqrt(2 / Math.PI)).tanh().add(1).multiply(0.5));
    }

    /// x where it is positive, else `slope·x`; the gradient at 0 is that from below.
    ///
    /// @param x the input
    /// @param slope the slope below 0
    /// @return a new tensor of its shape
    public static Tensor leakyRelu(Tensor x, double slope) {
        return Tensor.where(x.greater(0), x, x.multiply(slope));
    }

    /// `ln(1 + e^βx) / β`, without overflow.
    ///
    /// @param x the input
    /// @param beta β
    /// @param threshold where `β·x` is more than this, the result is x
    /// @return a new tensor of its shape
    public static Tensor softplus(Tensor x, double beta, double threshold) {
        Tensor scaled = x.multiply(beta);
        Tensor linear = scaled.greater(Tensor.full(x.dtype(), threshold));
        return Tensor.where(linear, x, softplus(scaled).divide(beta));
    }

    /// `ln(1 + eˣ)`
    private static Tensor softplus(Tensor x) {
        Tensor positive = x.greaterOrEqual(0);
        return negativeSize(x, positive).exp().log1p().add(Tensor.where(positive, x, Tensor.zeros(x.dtype())));
    }

    /// `−|x|`, without the kink at 0 that an absolute value has: what it is part of is smooth there, and so are its
    /// gradient and the gradient of that.
    private static Tensor negativeSize(Tensor x, Tensor positive) {
        return Tensor.where(positive, x.negative(), x);
    }

    /// Sets elements to 0 at random, each with probability p, and divides the others by 1 − p: N. Srivastava et
    /// al., "Dropout", 2014. Random numbers come from the generator that [Tensor#manualSeed(long)] seeds.
    ///
    /// @param x the input
    /// @param p the probability, in [0, 1]
    /// @return a new tensor of its shape
    /// @throws IllegalArgumentException if p is out of range
    public static Tensor dropout(Tensor x, double p) {
        requireProbability("dropout", p);
        Tensor kept = Tensor.rand(x.shape()).greaterOrEqual(Tensor.scalar(p));
        // With p = 1 nothing is kept, and the scale must not be infinite: 0·∞ is NaN.
        Tensor scaled = x.multiply(p == 1 ? 1 : 1 / (1 - p));
        return Tensor.where(kept, scaled, Tensor.zeros(x.dtype()));
    }

    /// Each example normalised over its last axes, `(x − mean) / √(variance + ε)·weight + bias`: see [LayerNorm].
    ///
    /// @param x the input, `[…, normalized]`
    /// @param weight the weight, `[normalized]`, of the input's dtype
    /// @param bias the bias, of the same shape and dtype
    /// @param epsilon what keeps the divisor from 0
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the shapes do not fit
    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) {
        long[] shape = x.shape();
        int kept = shape.length - weight.rank();
        if (kept < 0 || !Arrays.equals(Arrays.copyOfRange(shape, kept, shape.length), weight.shape())) {
            throw new IllegalArgumentException("layerNorm: the last axes of " + Arrays.toString(shape) + " are not "
                    + Arrays.toString(weight.shape()));
        }
        // Not the quotient of the sizes: they may be 0.
        long leading = Arrays.stream(shape, 0, kept).reduce(1, (m, n) -> m * n);
        Tensor rows = x.reshape(leading, weight.size());
        Tensor centered = rows.subtract(rows.mean(1, true));
        Tensor variance = centered.multiply(centered).mean(1, true);
        Tensor normal = centered.divide(variance.add(epsilon).sqrt());
        return normal.reshape(shape).multiply(weight).add(bias);
    }

    /// `centered / √(variance + ε)·weight + bias`
    static Tensor scaled(Tensor centered, Tensor variance, Tensor weight, Tensor bias, double epsilon) {
        return centered.divide(variance.add(epsilon).sqrt()).multiply(weight).add(bias);
    }

    static double requireProbability(String op, double p) {
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException(op + ": " + p + " is no probability; give 0 to 1");
        }
        return p;
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
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is none of the classes
    public static Tensor crossEntropyLoss(Tensor logits, Tensor target, Reduction reduction) {
        if (logits.rank() != 2) {
            throw new IllegalArgumentException("crossEntropyLoss: logits " + Arrays.toString(logits.shape())
                    + " must be [n, classes]; reshape them");
        }
        Tensor losses = areProbabilities("crossEntropyLoss", logits, target)
                ? logSoftmax(logits, 1).multiply(target).sum(1).negative()
                : logits.crossEntropy(target);
        return reduce(losses, reduction);
    }

    /// Whether the target of a cross entropy has probabilities, or else what are to be labels; throws for what can
    /// be neither.
    static boolean areProbabilities(String loss, Tensor logits, Tensor target) {
        boolean sameShape = Arrays.equals(logits.shape(), target.shape());
        boolean floating = target.dtype().isFloating();
        if (sameShape && !floating) {
            throw new IllegalArgumentException(loss + ": probabilities " + Arrays.toString(target.shape()) + " are "
                    + target.dtype() + "; cast them: target.cast(logits.dtype())");
        }
        if (!sameShape && floating && target.rank() != 1) {
            throw new IllegalArgumentException(loss + ": logits " + Arrays.toString(logits.shape()) + " and target "
                    + Arrays.toString(target.shape()) + " " + target.dtype() + " do not fit; the target is labels [n],"
                    + " INT32 or INT64, or probabilities [n, classes]");
        }
        return sameShape;
    }

    /// [#nllLoss(Tensor, Tensor, Reduction)] with the mean.
    ///
    /// @param logProbabilities `[n, classes]`
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @return a scalar
    public static Tensor nllLoss(Tensor logProbabilities, Tensor labels) {
        return nllLoss(logProbabilities, labels, Reduction.MEAN);
    }

    /// Negative log likelihood: `−logProbabilities[label]` of each row.
    ///
    /// @param logProbabilities `[n, classes]`, what [#logSoftmax(Tensor, int)] gives
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @param reduction what becomes of the losses of the rows
    /// @return a scalar, or a tensor `[n]`
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is none of the classes
    public static Tensor nllLoss(Tensor logProbabilities, Tensor labels, Reduction reduction) {
        long[] shape = logProbabilities.shape();
        if (shape.length != 2 || labels.rank() != 1 || labels.size() != shape[0]) {
            throw new IllegalArgumentException("nllLoss: " + Arrays.toString(shape) + " and labels "
                    + Arrays.toString(labels.shape()) + " do not fit; they are [n, classes] and [n]");
        }
        if (labels.dtype() != DType.INT32 && labels.dtype() != DType.INT64) {
            throw new IllegalArgumentException("nllLoss: labels " + Arrays.toString(labels.shape()) + " are "
                    + labels.dtype() + "; cast them: labels.cast(DType.INT64)");
        }
        Tensor picked = logProbabilities.gather(1, labels.reshape(shape[0], 1));
        return reduce(picked.reshape(shape[0]).negative(), reduction);
    }

    /// [#binaryCrossEntropyWithLogits(Tensor, Tensor, Reduction)] with the mean.
    ///
    /// @param logits what was computed, before any sigmoid
    /// @param target probabilities, of the same shape
    /// @return a scalar
    public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor target) {
        return binaryCrossEntropyWithLogits(logits, target, Reduction.MEAN);
    }

    /// Cross entropy of sigmoid(logits) and probabilities, element by element: `ln(1 + e^−|x|)`, and `x·(1 − target)`
    /// where x is positive, `−x·target` where it is negative. That does not overflow, and losses near 0 keep their
    /// digits.
    ///
    /// @param logits x, what was computed, before any sigmoid
    /// @param target probabilities, of the same shape
    /// @param reduction what becomes of the single losses
    /// @return a scalar, or a tensor of the shape of the logits
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor target, Reduction reduction) {
        requireSameShape("binaryCrossEntropyWithLogits", logits, target);
        Tensor positive = logits.greaterOrEqual(0);
        Tensor below = negativeSize(logits, positive);
        Tensor missed = Tensor.where(positive, target.negative().add(1), target);
        return reduce(below.exp().log1p().subtract(below.multiply(missed)), reduction);
    }

    /// [#huberLoss(Tensor, Tensor, double, Reduction)] with δ = 1 and the mean.
    ///
    /// @param output what was computed
    /// @param target what it should be, of the same shape
    /// @return a scalar
    public static Tensor huberLoss(Tensor output, Tensor target) {
        return huberLoss(output, target, 1, Reduction.MEAN);
    }

    /// Squared error where it is small, absolute error elsewhere: `½e²` where `|e| ≤ δ`, else `δ·(|e| − ½δ)`:
    /// P. Huber, 1964.
    ///
    /// @param output what was computed
    /// @param target what it should be, of the same shape
    /// @param delta δ, positive
    /// @param reduction what becomes of the single losses
    /// @return a scalar, or a tensor of the shape of the output
    /// @throws IllegalArgumentException if the shapes differ or δ is not positive
    public static Tensor huberLoss(Tensor output, Tensor target, double delta, Reduction reduction) {
        requireSameShape("huberLoss", output, target);
        if (!(delta > 0)) {
            throw new IllegalArgumentException("huberLoss: delta " + delta + " must be positive");
        }
        Tensor error = output.subtract(target);
        // Both cases in one: the square of an error that is large would bring ∞·0 to the gradient.
        Tensor bounded = error.clamp(-delta, delta);
        return reduce(bounded.multiply(error.subtract(bounded.multiply(0.5))), reduction);
    }

    private static void requireSameShape(String loss, Tensor output, Tensor target) {
        if (!Arrays.equals(output.shape(), target.shape())) {
            throw new IllegalArgumentException(loss + ": output " + Arrays.toString(output.shape()) + " and target "
                    + Arrays.toString(target.shape()) + " differ in shape; reshape one of them");
        }
    }

    /// What becomes of single losses. Tells [LossTerms] what it is, so that a loss of one's own that ends with it can
    /// be computed in parts of a batch.
    ///
    /// @param losses the losses of rows or elements
    /// @param reduction what becomes of them
    /// @return a scalar, or the losses themselves
    public static Tensor reduce(Tensor losses, Reduction reduction) {
        return switch (reduction) {
            case MEAN -> {
                LossTerms.noteMean(losses);
                yield losses.mean();
            }
            case SUM -> {
                LossTerms.noteSum();
                yield losses.sum();
            }
            case NONE -> losses;
        };
    }

    /// `Σ losses / denominator`: the mean of losses that have weights, over the sum of these. Tells [LossTerms] the
    /// denominator.
    ///
    /// @param losses the losses of rows or elements, each times its weight
    /// @param denominator the sum of the weights, a scalar
    /// @return a scalar
    public static Tensor meanOver(Tensor losses, Tensor denominator) {
        LossTerms.noteMeanOver(denominator);
        return losses.sum().divide(denominator);
    }
}
