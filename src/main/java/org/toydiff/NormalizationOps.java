package org.toydiff;

import java.util.Arrays;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.normalization.RowNormalizationWork;

/// The ops of [Tensor] that normalise: mean 0 and variance 1 of some elements each, then a weight and a bias.
///
/// Each reads and writes memory once, or little more, forward and backward, and keeps its input alone: mean and
/// variance are computed again. Statistics are sums in double. BFLOAT16 is widened for the call, which keeps a wide
/// copy.
public sealed interface NormalizationOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// A normalised batch.
    ///
    /// @param values the normalised elements, differentiable
    /// @param mean the mean of each channel, `[channels]`, outside of the graph
    /// @param variance the variance of each channel, divided by n, `[channels]`, outside of the graph
    record BatchNorm(Tensor values, Tensor mean, Tensor variance) {}

    /// Normalises over the last axes, those of the weight: `y = (x − mean) / √(variance + ε)·weight + bias`, with
    /// the variance divided by n: J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016.
    ///
    /// **Gradient** with the normalised `x̂` and `h = g·weight`, to this
    /// `(h − mean(h) − x̂·mean(h·x̂)) / √(variance + ε)`, to the weight `Σ g·x̂`, to the bias `Σ g`.
    /// **Memory** a new tensor; backward, up to an eighth of the input for sums of the weight's and the bias's
    /// gradients.
    ///
    /// @param weight the weight, of the sizes of the last axes, which are not empty
    /// @param bias the bias, of the weight's shape
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, or ε is negative or NaN
    default Tensor layerNorm(Tensor weight, Tensor bias, double epsilon) {
        return byRows("layerNorm", self(), weight, bias, epsilon);
    }

    /// Scales by the root of the mean square over the last axes, those of the weight:
    /// `y = x / √(mean(x²) + ε)·weight`: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.
    ///
    /// **Gradient** with the scaled `x̂` and `h = g·weight`, to this `(h − x̂·mean(h·x̂)) / √(mean(x²) + ε)`, to the
    /// weight `Σ g·x̂`.
    /// **Memory** as [#layerNorm].
    ///
    /// @param weight the weight, of the sizes of the last axes, which are not empty
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, or ε is negative or NaN
    default Tensor rmsNorm(Tensor weight, double epsilon) {
        return byRows("rmsNorm", self(), weight, null, epsilon);
    }

    /// Normalises the elements of each image and group of channels,
    /// `y = (x − mean) / √(variance + ε)·weight + bias`, with the variance divided by n: Y. Wu, K. He, "Group
    /// normalization", 2018.
    ///
    /// **Shapes** `[n, channels, …]`; weight and bias `[channels]`.
    /// **Gradient** as [#layerNorm], with statistics of groups.
    /// **Memory** a new tensor; where channels have fewer than 16 elements, several.
    ///
    /// @param groups the number of groups of channels, which divides that of channels
    /// @param weight the weight of each channel
    /// @param bias the bias of each channel
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, the groups do not divide the channels, or ε is
    ///     negative or NaN
    default Tensor groupNorm(long groups, Tensor weight, Tensor bias, double epsilon) {
        Tensor x = self();
        long length = lengthOfChannels("groupNorm", x, weight, bias, epsilon);
        long channels = x.shape[1];
        if (groups < 1 || channels % groups != 0) {
            throw new IllegalArgumentException("groupNorm: " + groups + " groups do not divide the " + channels
                    + " channels of " + Shape.text(x.shape) + "; give a divisor");
        }
        long[] sizes = {x.shape[0], groups, channels / groups, length};
        return byGroups("groupNorm", x, weight, bias, epsilon, sizes, false).values();
    }

    /// Normalises each channel over the batch: `y = (x − mean) / √(variance + ε)·weight + bias`, with the variance
    /// divided by n: S. Ioffe, C. Szegedy, "Batch normalization", 2015.
    ///
    /// **Shapes** `[n, channels, …]`; weight and bias `[channels]`.
    /// **Gradient** as [#layerNorm], with statistics of channels.
    /// **Memory** a new tensor and the statistics; where channels have fewer than 16 elements in each example,
    /// several.
    ///
    /// @param weight the weight of each channel
    /// @param bias the bias of each channel
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @return a new tensor of this shape, and the statistics
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, channels have no elements, or ε is negative
    ///     or NaN
    default BatchNorm batchNorm(Tensor weight, Tensor bias, double epsilon) {
        Tensor x = self();
        long length = lengthOfChannels("batchNorm", x, weight, bias, epsilon);
        if (x.shape[0] * length == 0) {
            throw new IllegalArgumentException("batchNorm: channels of " + Shape.text(x.shape)
                    + " have no elements, and so no mean; leave empty batches out");
        }
        return byGroups("batchNorm", x, weight, bias, epsilon, new long[] {x.shape[0], x.shape[1], 1, length}, true);
    }

    private static long lengthOfChannels(String op, Tensor x, Tensor weight, Tensor bias, double epsilon) {
        requireOperands(op, x, weight, bias, epsilon);
        if (x.rank() < 2 || weight.rank() != 1 || weight.shape[0] != x.shape[1]) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(x.shape) + " is not [n, channels, …] for a weight "
                            + Shape.text(weight.shape) + "; give a weight for each channel");
        }
        long length = 1;
        for (int i = 2; i < x.rank(); i++) {
            length *= x.shape[i];
        }
        return length;
    }

    private static BatchNorm byGroups(
            String op, Tensor x, Tensor weight, Tensor bias, double epsilon, long[] sizes, boolean overImages) {
        if (x.dtype == DType.BFLOAT16) {
            BatchNorm wide = byGroups(
                    op,
                    x.cast(DType.FLOAT32),
                    weight.cast(DType.FLOAT32),
                    bias.cast(DType.FLOAT32),
                    epsilon,
                    sizes,
                    overImages);
            return new BatchNorm(wide.values().cast(DType.BFLOAT16), wide.mean(), wide.variance());
        }
        if (sizes[3] < NormalizationLaunch.SHORTEST_RUN) {
            return composed(x, weight, bias, epsilon, sizes, overImages);
        }
        boolean recorded = Tensor.recorded(x, weight, bias);
        Tensor y = Tensor.make(op, x.dtype, x.shape, recorded);
        Tensor mean = overImages ? Tensor.make(op, x.dtype, weight.shape, false) : null;
        Tensor variance = overImages ? Tensor.make(op, x.dtype, weight.shape, false) : null;
        Tensor in = x.contiguous(op);
        Tensor by = weight.contiguous(op);
        Tensor plus = bias.contiguous(op);
        NormalizationLaunch.groups(sizes, in, by, plus, epsilon, y, mean, variance);
        in.freeCopyOf(x, op);
        by.freeCopyOf(weight, op);
        plus.freeCopyOf(bias, op);
        if (recorded) {
            Rule.Joint rule = (g, inputs, output, wanted) -> groupGradients(op, g, inputs, wanted, epsilon, sizes);
            if (overImages) {
                y.record(op, null, new Rule[] {rule, rule, rule, null, null}, x, weight, bias, mean, variance);
            } else {
                y.record(op, null, new Rule[] {rule, rule, rule}, x, weight, bias);
            }
        }
        return new BatchNorm(y, mean, variance);
    }

    /// Of x, weight, bias and, over all images, mean and variance.
    private static Tensor[] groupGradients(
            String op, Tensor g, Tensor[] inputs, boolean[] wanted, double epsilon, long[] sizes) {
        Tensor x = inputs[0];
        Tensor weight = inputs[1];
        boolean overImages = inputs.length == 5;
        if (Tensor.recorded(g, x, weight)) {
            return gradients(sizes, overImages, true, g, inputs, epsilon);
        }
        String name = op + "Gradient";
        Tensor from = g.contiguous(name);
        Tensor at = x.contiguous(name);
        Tensor by = weight.contiguous(name);
        long[] parts = {overImages ? 1 : sizes[0], weight.size()};
        Tensor toX = wanted[0] ? Tensor.make(name, x.dtype, x.shape, false) : null;
        Tensor toWeight = wanted[1] ? parts(name, x, parts) : null;
        Tensor toBias = wanted[2] ? parts(name, x, parts) : null;
        Tensor mean = overImages ? inputs[3] : null;
        Tensor variance = overImages ? inputs[4] : null;
        NormalizationLaunch.groupGradients(sizes, from, at, by, epsilon, mean, variance, toX, toWeight, toBias);
        from.freeCopyOf(g, name);
        at.freeCopyOf(x, name);
        by.freeCopyOf(weight, name);
        Tensor[] gradients = new Tensor[inputs.length];
        gradients[0] = toX;
        gradients[1] = total(toWeight, weight);
        gradients[2] = total(toBias, weight);
        return gradients;
    }

    private static Tensor byRows(String op, Tensor x, Tensor weight, Tensor bias, double epsilon) {
        requireOperands(op, x, weight, bias, epsilon);
        int leading = x.rank() - weight.rank();
        if (leading < 0 || !Arrays.equals(Arrays.copyOfRange(x.shape, leading, x.rank()), weight.shape)) {
            throw new IllegalArgumentException(
                    op + ": the last axes of " + Shape.text(x.shape) + " are not " + Shape.text(weight.shape));
        }
        if (x.dtype == DType.BFLOAT16) {
            Tensor wideBias = bias == null ? null : bias.cast(DType.FLOAT32);
            return byRows(op, x.cast(DType.FLOAT32), weight.cast(DType.FLOAT32), wideBias, epsilon)
                    .cast(DType.BFLOAT16);
        }
        boolean recorded = bias == null ? Tensor.recorded(x, weight) : Tensor.recorded(x, weight, bias);
        Tensor y = Tensor.make(op, x.dtype, x.shape, recorded);
        Tensor in = x.contiguous(op);
        Tensor by = weight.contiguous(op);
        Tensor plus = bias == null ? null : bias.contiguous(op);
        NormalizationLaunch.rows(in, by, plus, epsilon, y);
        in.freeCopyOf(x, op);
        by.freeCopyOf(weight, op);
        if (plus != null) {
            plus.freeCopyOf(bias, op);
        }
        if (!recorded) {
            return y;
        }
        Rule.Joint rule = (g, inputs, output, wanted) -> rowGradients(op, g, inputs, wanted, epsilon);
        return bias == null
                ? y.record(op, null, new Rule[] {rule, rule}, x, weight)
                : y.record(op, null, new Rule[] {rule, rule, rule}, x, weight, bias);
    }

    /// Of x, weight and, if there is one, bias.
    private static Tensor[] rowGradients(String op, Tensor g, Tensor[] inputs, boolean[] wanted, double epsilon) {
        Tensor x = inputs[0];
        Tensor weight = inputs[1];
        boolean centered = inputs.length == 3;
        if (Tensor.recorded(g, x, weight)) {
            long n = weight.size();
            long rows = n == 0 ? 0 : x.size() / n;
            return gradients(new long[] {rows, 1, n, 1}, false, centered, g, inputs, epsilon);
        }
        Tensor[] gradients = new Tensor[inputs.length];
        String name = op + "Gradient";
        Tensor from = g.contiguous(name);
        Tensor at = x.contiguous(name);
        Tensor by = weight.contiguous(name);
        long[] parts = {RowNormalizationWork.parts(x.size() / Math.max(1, weight.size())), weight.size()};
        Tensor toX = wanted[0] ? Tensor.make(name, x.dtype, x.shape, false) : null;
        Tensor toWeight = wanted[1] ? parts(name, x, parts) : null;
        Tensor toBias = centered && wanted[2] ? parts(name, x, parts) : null;
        NormalizationLaunch.rowGradients(centered, from, at, by, epsilon, toX, toWeight, toBias);
        from.freeCopyOf(g, name);
        at.freeCopyOf(x, name);
        by.freeCopyOf(weight, name);
        gradients[0] = toX;
        gradients[1] = total(toWeight, weight);
        if (centered) {
            gradients[2] = total(toBias, weight);
        }
        return gradients;
    }

    /// Memory for the parts of a gradient, which a launch fills unless there are no elements.
    private static Tensor parts(String op, Tensor x, long[] shape) {
        Tensor parts = Tensor.make(op, x.dtype, shape, false);
        return x.size() == 0 ? parts.fill(0) : parts;
    }

    /// The sum of the parts of a gradient, or null for null.
    private static Tensor total(Tensor parts, Tensor weight) {
        return parts == null ? null : parts.sum(0).reshape(weight.shape);
    }

    // The formulas, made of ops that are recorded: for short runs, and for gradients that are differentiated again.

    /// The normalisation of which [#gradients] has the gradients.
    private static BatchNorm composed(
            Tensor input, Tensor weight, Tensor bias, double epsilon, long[] sizes, boolean overImages) {
        int[] axes = overImages ? new int[] {0, 2, 3} : new int[] {2, 3};
        Tensor x = input.reshape(sizes);
        Tensor mean = x.mean(axes, true);
        Tensor deviation = x.subtract(mean);
        Tensor variance = deviation.multiply(deviation).mean(axes, true);
        Tensor y = deviation
                .divide(variance.add(epsilon).sqrt())
                .multiply(weight.reshape(1, sizes[1], sizes[2], 1))
                .add(bias.reshape(1, sizes[1], sizes[2], 1))
                .reshape(input.shape);
        return overImages
                ? new BatchNorm(
                        y,
                        mean.detach().reshape(weight.shape),
                        variance.detach().reshape(weight.shape))
                : new BatchNorm(y, null, null);
    }

    /// The gradients to x, weight and bias of a normalisation of `[images, groups, channels, run]`, where a weight
    /// belongs to a group and a channel; statistics are those of a group in an image, or in all.
    private static Tensor[] gradients(
            long[] sizes, boolean overImages, boolean centered, Tensor g, Tensor[] inputs, double epsilon) {
        int[] axes = overImages ? new int[] {0, 2, 3} : new int[] {2, 3};
        Tensor x = inputs[0].reshape(sizes);
        Tensor from = g.reshape(sizes);
        Tensor deviation = centered ? x.subtract(x.mean(axes, true)) : x;
        Tensor factor =
                deviation.multiply(deviation).mean(axes, true).add(epsilon).rsqrt();
        Tensor normal = deviation.multiply(factor);
        Tensor h = from.multiply(inputs[1].reshape(1, sizes[1], sizes[2], 1));
        Tensor rest = h.subtract(normal.multiply(h.multiply(normal).mean(axes, true)));
        Tensor inner = centered ? rest.subtract(h.mean(axes, true)) : rest;
        Tensor[] gradients = new Tensor[inputs.length];
        gradients[0] = inner.multiply(factor).reshape(inputs[0].shape);
        gradients[1] = from.multiply(normal).sum(0, 3).reshape(inputs[1].shape);
        if (inputs.length > 2) {
            gradients[2] = from.sum(0, 3).reshape(inputs[2].shape);
        }
        return gradients;
    }

    private static void requireOperands(String op, Tensor x, Tensor weight, Tensor bias, double epsilon) {
        if (!(epsilon >= 0)) {
            throw new IllegalArgumentException(op + ": epsilon " + epsilon + " must be 0 or more");
        }
        x.requireOperand(op, weight);
        if (bias != null) {
            x.requireOperand(op, bias);
            if (!Arrays.equals(weight.shape, bias.shape)) {
                throw new IllegalArgumentException(op + ": weight " + Shape.text(weight.shape) + " and bias "
                        + Shape.text(bias.shape) + " differ in shape; give a bias for each weight");
            }
        }
    }
}
