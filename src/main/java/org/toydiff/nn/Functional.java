package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Autocast;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Activations, losses, attention and one-hot vectors as functions. All are ops or compositions of ops, so they need
/// no gradient rules.
public final class Functional {
    private Functional() {}

    /// Returns [Tensor#relu()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor relu(Tensor x) {
        return x.relu();
    }

    /// Returns [Tensor#sigmoid()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor sigmoid(Tensor x) {
        return x.sigmoid();
    }

    /// Returns [Tensor#tanh()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor tanh(Tensor x) {
        return x.tanh();
    }

    /// `x·sigmoid(x)`, also known as swish: S. Elfwing, E. Uchibe, K. Doya, 2017.
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor silu(Tensor x) {
        return x.multiply(x.sigmoid());
    }

    /// Returns [Tensor#gelu()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor gelu(Tensor x) {
        return x.gelu();
    }

    /// Returns [Tensor#geluTanh()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor geluTanh(Tensor x) {
        return x.geluTanh();
    }

    /// Returns [Tensor#elu(double)].
    ///
    /// @param x the input
    /// @param alpha α, minus the limit at −∞
    /// @return a new tensor of the input's shape
    public static Tensor elu(Tensor x, double alpha) {
        return x.elu(alpha);
    }

    /// Returns [Tensor#hardswish()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor hardswish(Tensor x) {
        return x.hardswish();
    }

    /// Returns [Tensor#mish()].
    ///
    /// @param x the input
    /// @return a new tensor of the input's shape
    public static Tensor mish(Tensor x) {
        return x.mish();
    }

    /// x where it is positive, `slope·x` elsewhere; the gradient at 0 is the slope.
    ///
    /// @param x the input
    /// @param slope the slope below 0
    /// @return a new tensor of the input's shape
    public static Tensor leakyRelu(Tensor x, double slope) {
        return Tensor.where(x.greater(0), x, x.multiply(slope));
    }

    /// x where it is positive, `weight·x` elsewhere; the gradient at 0 is the weight: K. He et al., "Delving deep into
    /// rectifiers", 2015.
    ///
    /// @param x the input, `[n, channels, …]`, or any shape for one weight
    /// @param weight the slopes below 0, `[channels]` or `[1]`, of the input's dtype
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the shapes do not fit
    public static Tensor prelu(Tensor x, Tensor weight) {
        boolean each = x.rank() > 1 && weight.rank() == 1 && weight.size() == x.size(1);
        if (!each && weight.size() != 1) {
            throw new IllegalArgumentException("prelu: " + Arrays.toString(x.shape()) + " does not have "
                    + Arrays.toString(weight.shape()) + " channels; give one weight, or one for each");
        }
        long[] shape = new long[x.rank()];
        Arrays.fill(shape, 1);
        if (each) {
            shape[1] = weight.size();
        }
        return Tensor.where(x.greater(0), x, x.multiply(weight.reshape(shape)));
    }

    /// `ln(1 + e^βx) / β`, without overflow.
    ///
    /// @param x the input
    /// @param beta β
    /// @param threshold the result is x where `β·x` exceeds this
    /// @return a new tensor of the input's shape
    public static Tensor softplus(Tensor x, double beta, double threshold) {
        Tensor scaled = x.multiply(beta);
        Tensor linear = scaled.greater(Tensor.full(x.dtype(), threshold));
        return Tensor.where(linear, x, softplus(scaled).divide(beta));
    }

    /// `ln(1 + eˣ)`
    private static Tensor softplus(Tensor x) {
        Tensor positive = x.greaterOrEqual(0);
        return negativeAbs(x, positive).exp().log1p().add(Tensor.where(positive, x, Tensor.zeros(x.dtype())));
    }

    /// `−|x|`, without the kink that an absolute value has at 0: the formulas that use it are smooth there, and so
    /// must be their gradients and the gradients of those.
    private static Tensor negativeAbs(Tensor x, Tensor positive) {
        return Tensor.where(positive, x.negative(), x);
    }

    /// Returns [Tensor#dropout(double)].
    ///
    /// @param x the input
    /// @param p the probability of setting an element to 0, in [0, 1]
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if x is not floating or p is out of range
    public static Tensor dropout(Tensor x, double p) {
        return x.dropout(p);
    }

    /// Returns the largest element of each window:
    /// [Tensor#maxPool(long\[\], long\[\], long\[\], long\[\], boolean)].
    ///
    /// @param x the input, `[n, c, l]` or `[c, l]`
    /// @param kernel the size of a window
    /// @param stride the distance between windows
    /// @param padding the width of a border of −∞ on either side, at most half of the kernel
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank or a setting does not fit
    public static Tensor maxPool1d(Tensor x, long kernel, long stride, long padding) {
        return x.maxPool(new long[] {kernel}, new long[] {stride}, new long[] {padding}, new long[] {1}, false);
    }

    /// Returns the mean of each window, which counts the zeros of the border:
    /// [Tensor#avgPool(long\[\], long\[\], long\[\], boolean, boolean)].
    ///
    /// @param x the input, `[n, c, l]` or `[c, l]`
    /// @param kernel the size of a window
    /// @param stride the distance between windows
    /// @param padding the width of a border of zeros on either side, at most half of the kernel
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank or a setting does not fit
    public static Tensor avgPool1d(Tensor x, long kernel, long stride, long padding) {
        return x.avgPool(new long[] {kernel}, new long[] {stride}, new long[] {padding}, false, true);
    }

    /// Returns the largest element of each window:
    /// [Tensor#maxPool(long\[\], long\[\], long\[\], long\[\], boolean)].
    ///
    /// @param x the input, `[n, c, h, w]` or `[c, h, w]`
    /// @param kernel the size of a window, along either axis
    /// @param stride the distance between windows
    /// @param padding the width of a border of −∞ on either side, at most half of the kernel
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank or a setting does not fit
    public static Tensor maxPool2d(Tensor x, long kernel, long stride, long padding) {
        return x.maxPool(
                new long[] {kernel, kernel},
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                false);
    }

    /// Returns the mean of each window, which counts the zeros of the border:
    /// [Tensor#avgPool(long\[\], long\[\], long\[\], boolean, boolean)].
    ///
    /// @param x the input, `[n, c, h, w]` or `[c, h, w]`
    /// @param kernel the size of a window, along either axis
    /// @param stride the distance between windows
    /// @param padding the width of a border of zeros on either side, at most half of the kernel
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank or a setting does not fit
    public static Tensor avgPool2d(Tensor x, long kernel, long stride, long padding) {
        return x.avgPool(
                new long[] {kernel, kernel}, new long[] {stride, stride}, new long[] {padding, padding}, false, true);
    }

    /// Returns [Tensor#adaptiveAvgPool(long...)] along the last axis.
    ///
    /// @param x the input, `[n, c, l]` or `[c, l]`
    /// @param size the number of windows
    /// @return a new tensor whose last axis has that size
    /// @throws IllegalArgumentException if the rank or the size does not fit
    public static Tensor adaptiveAvgPool1d(Tensor x, long size) {
        return x.adaptiveAvgPool(size);
    }

    /// Returns [Tensor#adaptiveAvgPool(long...)] along the last two axes.
    ///
    /// @param x the input, `[n, c, h, w]` or `[c, h, w]`
    /// @param height the number of windows along the second to last axis
    /// @param width the number of windows along the last axis
    /// @return a new tensor whose last axes have those sizes
    /// @throws IllegalArgumentException if the rank or a size does not fit
    public static Tensor adaptiveAvgPool2d(Tensor x, long height, long width) {
        return x.adaptiveAvgPool(height, width);
    }

    /// Changes the sizes of the axes after the first two: [Tensor#upsampleNearest(long\[\])] or
    /// [Tensor#upsampleLinear(boolean, long\[\])].
    ///
    /// @param x the input, `[n, c, l]` or `[n, c, h, w]`
    /// @param size the new sizes: one number for all axes, or one for each
    /// @param mode the interpolation
    /// @param alignCorners whether the first and the last elements of input and output coincide; false for
    ///     [Interpolation#NEAREST]
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank, the mode or a size does not fit
    public static Tensor interpolate(Tensor x, long[] size, Interpolation mode, boolean alignCorners) {
        int axes = interpolatedAxes(x, size.length, mode, alignCorners);
        long[] each = new long[axes];
        Arrays.setAll(each, i -> size[size.length == 1 ? 0 : i]);
        return mode == Interpolation.NEAREST ? x.upsampleNearest(each) : x.upsampleLinear(alignCorners, each);
    }

    /// As [#interpolate(Tensor, long\[\], Interpolation, boolean)], by factors:
    /// [Tensor#upsampleNearest(double\[\])] or [Tensor#upsampleLinear(boolean, double\[\])].
    ///
    /// @param x the input, `[n, c, l]` or `[n, c, h, w]`
    /// @param scaleFactor the factors of the sizes: one number for all axes, or one for each; new sizes are
    ///     rounded down
    /// @param mode the interpolation
    /// @param alignCorners whether the first and the last elements of input and output coincide; false for
    ///     [Interpolation#NEAREST]
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank, the mode or a factor does not fit
    public static Tensor interpolate(Tensor x, double[] scaleFactor, Interpolation mode, boolean alignCorners) {
        int axes = interpolatedAxes(x, scaleFactor.length, mode, alignCorners);
        double[] each = new double[axes];
        Arrays.setAll(each, i -> scaleFactor[scaleFactor.length == 1 ? 0 : i]);
        return mode == Interpolation.NEAREST ? x.upsampleNearest(each) : x.upsampleLinear(alignCorners, each);
    }

    private static int interpolatedAxes(Tensor x, int numbers, Interpolation mode, boolean alignCorners) {
        int axes = x.rank() - 2;
        boolean fits =
                switch (mode) {
                    case NEAREST -> (axes == 1 || axes == 2) && !alignCorners;
                    case LINEAR -> axes == 1;
                    case BILINEAR -> axes == 2;
                };
        if (!fits || (numbers != 1 && numbers != axes)) {
            throw new IllegalArgumentException("interpolate: " + numbers + " numbers, " + mode
                    + (alignCorners ? " with aligned corners" : "") + " and " + Arrays.toString(x.shape())
                    + " do not fit; NEAREST and LINEAR take [n, c, l], NEAREST and BILINEAR [n, c, h, w]; corners are not"
                    + " aligned for NEAREST");
        }
        return axes;
    }

    /// [#dropout(Tensor, double)] of whole channels of each example: J. Tompson et al., 2014.
    ///
    /// @param x the input, `[n, c, l]` or `[c, l]`
    /// @param p the probability of setting a channel to 0, in [0, 1]
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the rank does not fit or p is out of range
    public static Tensor dropout1d(Tensor x, double p) {
        return channelDropout("dropout1d", x, p, 1);
    }

    /// [#dropout(Tensor, double)] of whole channels of each example: J. Tompson et al., 2014.
    ///
    /// @param x the input, `[n, c, h, w]` or `[c, h, w]`
    /// @param p the probability of setting a channel to 0, in [0, 1]
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the rank does not fit or p is out of range
    public static Tensor dropout2d(Tensor x, double p) {
        return channelDropout("dropout2d", x, p, 2);
    }

    private static Tensor channelDropout(String op, Tensor x, double p, int axes) {
        requireProbability(op, p);
        if (x.rank() != axes + 1 && x.rank() != axes + 2) {
            throw new IllegalArgumentException(op + ": " + Arrays.toString(x.shape()) + " is neither "
                    + (axes == 1 ? "[n, c, l] nor [c, l]" : "[n, c, h, w] nor [c, h, w]") + "; reshape it");
        }
        long[] channels = x.shape();
        Arrays.fill(channels, x.rank() - axes, x.rank(), 1);
        return x.multiply(dropout(Tensor.ones(x.dtype(), channels), p));
    }

    /// [#oneHot(Tensor, long)] with as many classes as the largest index needs.
    ///
    /// @param index INT32 or INT64 indices of classes, not empty
    /// @return a new INT64 tensor `[…, largest index + 1]`
    /// @throws IllegalArgumentException if the index has another dtype, is empty, or has a negative element
    /// @throws IllegalStateException in a dry run, which finds no largest index
    public static Tensor oneHot(Tensor index) {
        requireIndices(index);
        if (index.size() == 0) {
            throw new IllegalArgumentException("oneHot: the index " + Arrays.toString(index.shape())
                    + " is empty and names no classes; give their number");
        }
        long largest;
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            largest = index.cast(DType.INT64).max().toLongArray()[0];
        }
        return oneHot(index, Math.max(0, largest) + 1);
    }

    /// Returns a vector for each index that is 1 at the index and 0 elsewhere, as PyTorch's `one_hot`. Not
    /// differentiable.
    ///
    /// **Memory** a new tensor; a BOOL tensor of its shape during the call.
    ///
    /// @param index INT32 or INT64 indices of classes, of any shape
    /// @param classes the number of classes, positive
    /// @return a new INT64 tensor `[…, classes]`
    /// @throws IllegalArgumentException if the index has another dtype, an element is not 0 to `classes − 1` (in a dry
    ///     run, elements are not read), the number is not positive, or the result would be too large
    public static Tensor oneHot(Tensor index, long classes) {
        requireIndices(index);
        if (classes < 1) {
            throw new IllegalArgumentException("oneHot: " + classes + " classes; give 1 or more");
        }
        if (classes > Long.MAX_VALUE / DType.INT64.bytes() / Math.max(1, index.size())) {
            throw new IllegalArgumentException("oneHot: " + classes + " classes for each element of "
                    + Arrays.toString(index.shape()) + " are more bytes than a long can count; give smaller indices");
        }
        long[] shape = Arrays.copyOf(index.shape(), index.rank() + 1);
        shape[index.rank()] = classes;
        Tensor y = Tensor.empty(DType.INT64, shape);
        try (var scratch = TensorArena.ofConfined()) {
            if (!MemoryPlan.isDryRun()) {
                requireClasses(index, classes);
            }
            Tensor each = Tensor.arange(DType.INT64, 0, classes, 1);
            y.copyFrom(index.cast(DType.INT64).unsqueeze(-1).equalTo(each).cast(DType.INT64));
        }
        return y;
    }

    private static void requireIndices(Tensor index) {
        if (index.dtype() != DType.INT32 && index.dtype() != DType.INT64) {
            throw new IllegalArgumentException("oneHot: the index " + Arrays.toString(index.shape()) + " is "
                    + index.dtype() + "; cast it: index.cast(DType.INT64)");
        }
    }

    private static void requireClasses(Tensor index, long classes) {
        Tensor wrong = index.less(0).logicalOr(index.greaterOrEqual(classes));
        if (wrong.any().item() == 0) {
            return;
        }
        long[] at = wrong.nonzero().get(0).toLongArray();
        throw new IllegalArgumentException("oneHot: index " + (long) index.at(at) + " at " + Arrays.toString(at)
                + " of " + Arrays.toString(index.shape()) + " is none of " + classes + " classes; give 0 to "
                + (classes - 1) + ", or the number of classes that there are");
    }

    /// Normalises each example over its last axes, `(x − mean) / √(variance + ε)·weight + bias`: see [LayerNorm].
    ///
    /// @param x the input, `[…, normalized]`
    /// @param weight the weight, `[normalized]`, of the input's dtype
    /// @param bias the bias, of the same shape and dtype
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the shapes do not fit, or ε is negative or NaN
    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) {
        return Autocast.toFloat32(x).layerNorm(weight, bias, epsilon).cast(x.dtype());
    }

    /// Scales by the root of the mean square over the last axes, `x / √(mean(x²) + ε)·weight`: see [RMSNorm].
    ///
    /// @param x the input, `[…, normalized]`
    /// @param weight the weight, `[normalized]`, of the input's dtype
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the shapes do not fit, or ε is negative or NaN
    public static Tensor rmsNorm(Tensor x, Tensor weight, double epsilon) {
        return Autocast.toFloat32(x).rmsNorm(weight, epsilon).cast(x.dtype());
    }

    /// Normalises groups of channels of each example, `(x − mean) / √(variance + ε)·weight + bias`: see [GroupNorm].
    ///
    /// @param x the input, `[n, channels, …]`
    /// @param groups the number of groups, a divisor of the channels
    /// @param weight the weight, `[channels]`, of the input's dtype
    /// @param bias the bias, of the same shape and dtype
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of the input's shape
    /// @throws IllegalArgumentException if the shapes do not fit, or ε is negative or NaN
    public static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double epsilon) {
        return Autocast.toFloat32(x).groupNorm(groups, weight, bias, epsilon).cast(x.dtype());
    }

    static double requireEpsilon(String op, double epsilon) {
        if (!(epsilon >= 0)) {
            throw new IllegalArgumentException(op + ": epsilon " + epsilon + " must be 0 or more");
        }
        return epsilon;
    }

    static long requirePositive(String op, String setting, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(op + ": " + setting + " " + value + " must be positive");
        }
        return value;
    }

    static double requireProbability(String op, double p) {
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException(op + ": " + p + " is no probability; give 0 to 1");
        }
        return p;
    }

    /// Returns [Tensor#scaledDotProductAttention(Tensor, Tensor, Tensor, boolean)].
    ///
    /// @param query the queries, `[…,H,L,E]`
    /// @param key the keys, `[…,H,S,E]`
    /// @param value the values, `[…,H,S,V]`
    /// @param mask BOOL, true for a key that takes part, or terms of the scores; it broadcasts to `[…,H,L,S]`. Null for
    ///     none
    /// @param causal whether query i sees the keys up to i alone
    /// @return a new tensor `[…,H,L,V]`
    /// @throws IllegalArgumentException if shapes or dtypes do not fit
    public static Tensor scaledDotProductAttention(
            Tensor query, Tensor key, Tensor value, Tensor mask, boolean causal) {
        return query.scaledDotProductAttention(key, value, mask, causal);
    }

    /// [#scaledDotProductAttention(Tensor, Tensor, Tensor, Tensor, boolean)] with all settings of [Tensor]'s method.
    ///
    /// @param query the queries, `[…,Hq,L,E]`
    /// @param key the keys, `[…,H,S,E]`
    /// @param value the values, `[…,H,S,V]`
    /// @param mask as of the other method
    /// @param dropout the probability of setting a probability to 0, in [0, 1], whether in training or not
    /// @param causal which keys a query may see by its position
    /// @param scale the factor of the scores
    /// @param enableGqa whether Hq may be a multiple of H
    /// @return a new tensor `[…,Hq,L,V]`
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, or the dropout is not a probability
    public static Tensor scaledDotProductAttention(
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor mask,
            double dropout,
            Tensor.CausalVariant causal,
            double scale,
            boolean enableGqa) {
        return query.scaledDotProductAttention(key, value, mask, dropout, causal, scale, enableGqa);
    }

    /// `eˣ / Σ eˣ` along an axis, with the largest element subtracted first, so that large elements do not
    /// overflow.
    ///
    /// @param x the input
    /// @param axis the axis that sums to 1
    /// @return a new tensor of the input's shape
    public static Tensor softmax(Tensor x, int axis) {
        return x.softmax(axis);
    }

    /// `ln softmax`, computed without forming the softmax, so that small probabilities keep their digits.
    ///
    /// @param x the input
    /// @param axis the axis of the softmax
    /// @return a new tensor of the input's shape
    public static Tensor logSoftmax(Tensor x, int axis) {
        return x.logSoftmax(axis);
    }

    /// The softmax of `−x`.
    ///
    /// @param x the input
    /// @param axis the axis that sums to 1
    /// @return a new tensor of the input's shape
    public static Tensor softmin(Tensor x, int axis) {
        return softmax(x.negative(), axis);
    }

    /// Returns [#mseLoss(Tensor, Tensor, Reduction)] with [Reduction#MEAN].
    ///
    /// @param output the computed values
    /// @param target the expected values, of the same shape
    /// @return a scalar
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor mseLoss(Tensor output, Tensor target) {
        return mseLoss(output, target, Reduction.MEAN);
    }

    /// Squared error `(output − target)²`.
    ///
    /// @param output the computed values
    /// @param target the expected values, of the same shape
    /// @param reduction how the losses of the elements are reduced
    /// @return a scalar, or a tensor of the shape of the output for [Reduction#NONE]
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor mseLoss(Tensor output, Tensor target, Reduction reduction) {
        requireSameShape("mseLoss", output, target);
        Tensor error = Autocast.toFloat32(output).subtract(Autocast.toFloat32(target));
        return reduce(error.multiply(error), reduction);
    }

    /// Returns [#maeLoss(Tensor, Tensor, Reduction)] with [Reduction#MEAN].
    ///
    /// @param output the computed values
    /// @param target the expected values, of the same shape
    /// @return a scalar
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor maeLoss(Tensor output, Tensor target) {
        return maeLoss(output, target, Reduction.MEAN);
    }

    /// Absolute error `|output − target|`.
    ///
    /// @param output the computed values
    /// @param target the expected values, of the same shape
    /// @param reduction how the losses of the elements are reduced
    /// @return a scalar, or a tensor of the shape of the output for [Reduction#NONE]
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor maeLoss(Tensor output, Tensor target, Reduction reduction) {
        requireSameShape("maeLoss", output, target);
        Tensor error = Autocast.toFloat32(output).subtract(Autocast.toFloat32(target));
        return reduce(error.abs(), reduction);
    }

    /// Returns [#crossEntropyLoss(Tensor, Tensor, Reduction)] with [Reduction#MEAN].
    ///
    /// @param logits `[n, classes]`, before any softmax
    /// @param target labels `[n]`, INT32 or INT64, or probabilities `[n, classes]`
    /// @return a scalar
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is not one of the classes
    public static Tensor crossEntropyLoss(Tensor logits, Tensor target) {
        return crossEntropyLoss(logits, target, Reduction.MEAN);
    }

    /// Cross entropy `−Σ p·ln softmax(logits)` of each row.
    ///
    /// @param logits `[n, classes]`, before any softmax
    /// @param target the label of each row, `[n]`, INT32 or INT64, or its probabilities `[n, classes]`
    /// @param reduction how the losses of the rows are reduced
    /// @return a scalar, or a tensor `[n]` for [Reduction#NONE]
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is not one of the classes
    public static Tensor crossEntropyLoss(Tensor logits, Tensor target, Reduction reduction) {
        if (logits.rank() != 2) {
            throw new IllegalArgumentException("crossEntropyLoss: logits " + Arrays.toString(logits.shape())
                    + " must be [n, classes]; reshape them");
        }
        Tensor losses = areProbabilities("crossEntropyLoss", logits, target)
                ? logSoftmax(Autocast.toFloat32(logits), 1)
                        .multiply(Autocast.toFloat32(target))
                        .sum(1)
                        .negative()
                : logits.crossEntropy(target);
        return reduce(losses, reduction);
    }

    /// [#crossEntropyLoss(Tensor, Tensor, Reduction)] that ignores the rows with a certain label, as PyTorch's
    /// `ignore_index`: their losses and gradients are 0, and the mean is that of the other rows, NaN if there are
    /// none. PyTorch ignores the label −100 by default; here every ignored label is given, because one out of range is
    /// most often a mistake.
    ///
    /// @param logits `[n, classes]`, before any softmax
    /// @param labels the label of each row, `[n]`, INT32 or INT64
    /// @param reduction how the losses of the rows are reduced
    /// @param ignoreIndex the label of the rows to ignore, one of the classes or any other number
    /// @return a scalar, or a tensor `[n]` for [Reduction#NONE]
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, or a label is not one of the classes and not
    ///     ignored
    public static Tensor crossEntropyLoss(Tensor logits, Tensor labels, Reduction reduction, int ignoreIndex) {
        Tensor losses = logits.crossEntropy(labels, ignoreIndex);
        return reduceCounted(losses, labels.equalTo(ignoreIndex), reduction);
    }

    /// Returns x with zeros where the label is ignored.
    ///
    /// @param ignored a mask of the ignored rows, or null if there are none
    static Tensor counted(Tensor x, Tensor ignored) {
        return ignored == null ? x : Tensor.where(ignored, Tensor.zeros(x.dtype()), x);
    }

    /// Reduces losses that are 0 in ignored rows; their mean is over the other rows.
    static Tensor reduceCounted(Tensor losses, Tensor ignored, Reduction reduction) {
        return reduction == Reduction.MEAN
                ? meanOver(
                        losses, ignored.cast(losses.dtype()).negative().add(1).sum())
                : reduce(losses, reduction);
    }

    /// Returns whether the target of a cross entropy holds probabilities rather than labels; throws if it can hold
    /// neither.
    static boolean areProbabilities(String loss, Tensor logits, Tensor target) {
        // Labels have another rank: no copies of the shapes are made for them.
        boolean sameShape = logits.rank() == target.rank() && Arrays.equals(logits.shape(), target.shape());
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

    /// Returns [#nllLoss(Tensor, Tensor, Reduction)] with [Reduction#MEAN].
    ///
    /// @param logProbabilities `[n, classes]`
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @return a scalar
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is not one of the classes
    public static Tensor nllLoss(Tensor logProbabilities, Tensor labels) {
        return nllLoss(logProbabilities, labels, Reduction.MEAN);
    }

    /// Negative log likelihood: `−logProbabilities[label]` of each row.
    ///
    /// @param logProbabilities `[n, classes]`, as [#logSoftmax(Tensor, int)] returns them
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @param reduction how the losses of the rows are reduced
    /// @return a scalar, or a tensor `[n]` for [Reduction#NONE]
    /// @throws IllegalArgumentException if shapes or dtypes do not fit or a label is not one of the classes
    public static Tensor nllLoss(Tensor logProbabilities, Tensor labels, Reduction reduction) {
        requireLabels(logProbabilities, labels);
        return reduce(likelihoodLosses(logProbabilities, labels), reduction);
    }

    /// [#nllLoss(Tensor, Tensor, Reduction)] that ignores the rows with a certain label, as PyTorch's `ignore_index`:
    /// their losses and gradients are 0, and the mean is that of the other rows, NaN if there are none.
    ///
    /// @param logProbabilities `[n, classes]`, as [#logSoftmax(Tensor, int)] returns them
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @param reduction how the losses of the rows are reduced
    /// @param ignoreIndex the label of the rows to ignore, one of the classes or any other number
    /// @return a scalar, or a tensor `[n]` for [Reduction#NONE]
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, or a label is not one of the classes and not
    ///     ignored
    public static Tensor nllLoss(Tensor logProbabilities, Tensor labels, Reduction reduction, int ignoreIndex) {
        requireLabels(logProbabilities, labels);
        Tensor ignored = labels.equalTo(ignoreIndex);
        Tensor losses = likelihoodLosses(logProbabilities, counted(labels, ignored));
        return reduceCounted(counted(losses, ignored), ignored, reduction);
    }

    private static Tensor likelihoodLosses(Tensor logProbabilities, Tensor labels) {
        long rows = labels.size();
        return Autocast.toFloat32(logProbabilities)
                .gather(1, labels.reshape(rows, 1))
                .reshape(rows)
                .negative();
    }

    private static void requireLabels(Tensor logProbabilities, Tensor labels) {
        long[] shape = logProbabilities.shape();
        if (shape.length != 2 || labels.rank() != 1 || labels.size() != shape[0]) {
            throw new IllegalArgumentException("nllLoss: " + Arrays.toString(shape) + " and labels "
                    + Arrays.toString(labels.shape()) + " do not fit; they are [n, classes] and [n]");
        }
        if (labels.dtype() != DType.INT32 && labels.dtype() != DType.INT64) {
            throw new IllegalArgumentException("nllLoss: labels " + Arrays.toString(labels.shape()) + " are "
                    + labels.dtype() + "; cast them: labels.cast(DType.INT64)");
        }
    }

    /// Returns [#binaryCrossEntropyWithLogits(Tensor, Tensor, Reduction)] with [Reduction#MEAN].
    ///
    /// @param logits the computed values, before any sigmoid
    /// @param target probabilities, of the same shape
    /// @return a scalar
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor target) {
        return binaryCrossEntropyWithLogits(logits, target, Reduction.MEAN);
    }

    /// Cross entropy of sigmoid(logits) and probabilities, element by element: `ln(1 + e^−|x|)` plus
    /// `x·(1 − target)` where x is positive, plus `−x·target` where it is negative. This form does not overflow, and
    /// losses near 0 keep their digits.
    ///
    /// @param logits x, the computed values, before any sigmoid
    /// @param target probabilities, of the same shape
    /// @param reduction how the losses of the elements are reduced
    /// @return a scalar, or a tensor of the shape of the logits for [Reduction#NONE]
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor target, Reduction reduction) {
        requireSameShape("binaryCrossEntropyWithLogits", logits, target);
        Tensor x = Autocast.toFloat32(logits);
        Tensor y = Autocast.toFloat32(target);
        Tensor positive = x.greaterOrEqual(0);
        Tensor below = negativeAbs(x, positive);
        Tensor missed = Tensor.where(positive, y.negative().add(1), y);
        return reduce(below.exp().log1p().subtract(below.multiply(missed)), reduction);
    }

    /// Returns [#huberLoss(Tensor, Tensor, double, Reduction)] with δ = 1 and [Reduction#MEAN].
    ///
    /// @param output the computed values
    /// @param target the expected values, of the same shape
    /// @return a scalar
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor huberLoss(Tensor output, Tensor target) {
        return huberLoss(output, target, 1, Reduction.MEAN);
    }

    /// Squared error where it is small, absolute error elsewhere: `½e²` where `|e| ≤ δ`, else `δ·(|e| − ½δ)`: P.
    /// Huber, 1964.
    ///
    /// @param output the computed values
    /// @param target the expected values, of the same shape
    /// @param delta δ, positive
    /// @param reduction how the losses of the elements are reduced
    /// @return a scalar, or a tensor of the shape of the output for [Reduction#NONE]
    /// @throws IllegalArgumentException if the shapes differ or δ is not positive
    public static Tensor huberLoss(Tensor output, Tensor target, double delta, Reduction reduction) {
        requireSameShape("huberLoss", output, target);
        if (!(delta > 0)) {
            throw new IllegalArgumentException("huberLoss: delta " + delta + " must be positive");
        }
        Tensor error = Autocast.toFloat32(output).subtract(Autocast.toFloat32(target));
        // One formula for both cases: squaring a large error would bring ∞·0 into the gradient.
        Tensor bounded = error.clamp(-delta, delta);
        return reduce(bounded.multiply(error.subtract(bounded.multiply(0.5))), reduction);
    }

    /// Returns the [convolution][Tensor#convolution] over one axis.
    ///
    /// @param x the input `[n, in, length]`, or `[in, length]`
    /// @param weight the weight `[out, in/groups, kernel]`
    /// @param bias the bias `[out]`, or null for none
    /// @param stride the distance between neighbouring output positions
    /// @param padding the number of zeros at either end
    /// @param dilation the distance between neighbouring kernel positions
    /// @param groups the number of groups
    /// @return a new tensor `[n, out, L]`, or `[out, L]`
    /// @throws IllegalArgumentException if the shapes do not fit or a setting is out of range
    public static Tensor conv1d(
            Tensor x, Tensor weight, Tensor bias, long stride, long padding, long dilation, long groups) {
        requireRank("conv1d", weight, 3);
        return x.convolution(weight, bias, new long[] {stride}, new long[] {padding}, new long[] {dilation}, groups);
    }

    /// Returns the [convolution][Tensor#convolution] over two axes, with
    /// the same settings along both.
    ///
    /// @param x the input `[n, in, h, w]`, or `[in, h, w]`
    /// @param weight the weight `[out, in/groups, kh, kw]`
    /// @param bias the bias `[out]`, or null for none
    /// @param stride the distance between neighbouring output positions
    /// @param padding the number of zeros at either end
    /// @param dilation the distance between neighbouring kernel positions
    /// @param groups the number of groups
    /// @return a new tensor `[n, out, H, W]`, or `[out, H, W]`
    /// @throws IllegalArgumentException if the shapes do not fit or a setting is out of range
    public static Tensor conv2d(
            Tensor x, Tensor weight, Tensor bias, long stride, long padding, long dilation, long groups) {
        requireRank("conv2d", weight, 4);
        return x.convolution(weight, bias, new long[] {stride}, new long[] {padding}, new long[] {dilation}, groups);
    }

    /// Returns the [transposed convolution][Tensor#transposedConvolution] over two axes, with the same settings along
    /// both.
    ///
    /// @param x the input `[n, in, h, w]`, or `[in, h, w]`
    /// @param weight the weight `[in, out/groups, kh, kw]`
    /// @param bias the bias `[out]`, or null for none
    /// @param stride the distance in the result between neighbouring input positions
    /// @param padding the number of positions left out at either end
    /// @param outputPadding the number of further positions at the end
    /// @param groups the number of groups
    /// @param dilation the distance between neighbouring kernel positions
    /// @return a new tensor `[n, out, H, W]`, or `[out, H, W]`
    /// @throws IllegalArgumentException if the shapes do not fit or a setting is out of range
    public static Tensor convTranspose2d(
            Tensor x,
            Tensor weight,
            Tensor bias,
            long stride,
            long padding,
            long outputPadding,
            long groups,
            long dilation) {
        requireRank("convTranspose2d", weight, 4);
        return x.transposedConvolution(
                weight,
                bias,
                new long[] {stride},
                new long[] {padding},
                new long[] {dilation},
                new long[] {outputPadding},
                groups);
    }

    /// Returns the patches of an image as columns, [Tensor#unfold]: one number for both
    /// axes, or two.
    ///
    /// @param x the image `[n, channels, h, w]`
    /// @param kernel the sizes of a patch
    /// @param dilation the distances between neighbouring positions of a patch
    /// @param padding the numbers of zeros at either end
    /// @param stride the distances between neighbouring patches
    /// @return a new tensor `[n, channels·kh·kw, patches]`
    /// @throws IllegalArgumentException if the shape does not fit or a setting is out of range
    public static Tensor unfold(Tensor x, long[] kernel, long[] dilation, long[] padding, long[] stride) {
        return x.unfold(kernel, dilation, padding, stride);
    }

    /// Returns the image that patches add up to, [Tensor#fold]: one number for
    /// both axes, or two.
    ///
    /// @param x the patches `[n, channels·kh·kw, patches]`
    /// @param size the sizes of the image
    /// @param kernel the sizes of a patch
    /// @param dilation the distances between neighbouring positions of a patch
    /// @param padding the numbers of zeros at either end
    /// @param stride the distances between neighbouring patches
    /// @return a new tensor `[n, channels, h, w]`
    /// @throws IllegalArgumentException if the shape does not fit or a setting is out of range
    public static Tensor fold(Tensor x, long[] size, long[] kernel, long[] dilation, long[] padding, long[] stride) {
        return x.fold(size, kernel, dilation, padding, stride);
    }

    private static void requireRank(String function, Tensor weight, int rank) {
        if (weight.rank() != rank) {
            throw new IllegalArgumentException(
                    function + ": weight " + Arrays.toString(weight.shape()) + " does not have " + rank + " axes");
        }
    }

    private static void requireSameShape(String loss, Tensor output, Tensor target) {
        if (!Arrays.equals(output.shape(), target.shape())) {
            throw new IllegalArgumentException(loss + ": output " + Arrays.toString(output.shape()) + " and target "
                    + Arrays.toString(target.shape()) + " differ in shape; reshape one of them");
        }
    }

    /// Reduces losses to a scalar, and records the divisor in [LossTerms]: a custom loss that ends with this call
    /// can be computed in micro-batches.
    ///
    /// @param losses the losses of rows or elements
    /// @param reduction how they are reduced
    /// @return a scalar, or the losses themselves for [Reduction#NONE]
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

    /// `Σ losses / denominator`, the mean of weighted losses over the sum of their weights; records the
    /// denominator in [LossTerms].
    ///
    /// @param losses the losses of rows or elements, each times its weight
    /// @param denominator the sum of the weights, a scalar
    /// @return a scalar
    public static Tensor meanOver(Tensor losses, Tensor denominator) {
        LossTerms.noteMeanOver(denominator);
        return losses.sum().divide(denominator);
    }
}
