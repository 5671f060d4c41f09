package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Each channel normalised over the batch, `(x − mean) / √(variance + ε)·weight + bias`: S. Ioffe, C. Szegedy,
/// "Batch normalization", 2015.
///
/// While training, mean and variance are those of the batch, and the running ones follow them:
/// `running ← (1 − momentum)·running + momentum·new`, the variance unbiased. When evaluating, the running ones are
/// used.
///
/// **Shapes** `[n, channels]` or `[n, channels, length]`, and the same out.
/// **State** parameters `weight`, `bias`; buffers `running_mean`, `running_var`, `num_batches_tracked`, as
/// PyTorch's.
public final class BatchNorm1d extends Layer {
    private final double epsilon;
    private final double momentum;
    private final Tensor weight;
    private final Tensor bias;
    private final Tensor runningMean;
    private final Tensor runningVariance;
    private final Tensor batches;

    /// With ε = 1e-5 and momentum 0.1, FLOAT32.
    ///
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if it is not positive
    public BatchNorm1d(long channels) {
        this(channels, 1e-5, 0.1);
    }

    /// With other settings, FLOAT32.
    ///
    /// @param channels the size of the second axis, positive
    /// @param epsilon ε, which keeps the divisor from 0, 0 or more
    /// @param momentum how much of a batch's statistics goes into the running ones, in [0, 1]
    /// @throws IllegalArgumentException if a setting is out of range
    public BatchNorm1d(long channels, double epsilon, double momentum) {
        this(DType.FLOAT32, channels, epsilon, momentum);
    }

    /// With ε = 1e-5 and momentum 0.1.
    ///
    /// @param dtype FLOAT32 or FLOAT64, the dtype of input, output, parameters and running statistics
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if it is not positive or the dtype is not floating
    public BatchNorm1d(DType dtype, long channels) {
        this(dtype, channels, 1e-5, 0.1);
    }

    /// With other settings.
    ///
    /// @param dtype FLOAT32 or FLOAT64, the dtype of input, output, parameters and running statistics
    /// @param channels the size of the second axis, positive
    /// @param epsilon ε, which keeps the divisor from 0, 0 or more
    /// @param momentum how much of a batch's statistics goes into the running ones, in [0, 1]
    /// @throws IllegalArgumentException if a setting is out of range or the dtype is not floating
    public BatchNorm1d(DType dtype, long channels, double epsilon, double momentum) {
        requireFloating(dtype);
        if (channels <= 0 || !(epsilon >= 0) || !(momentum >= 0 && momentum <= 1)) {
            throw new IllegalArgumentException("BatchNorm1d: channels " + channels + ", epsilon " + epsilon
                    + " or momentum " + momentum + " is out of range");
        }
        this.epsilon = epsilon;
        this.momentum = momentum;
        this.weight = parameter("weight", Tensor.ones(dtype, channels));
        this.bias = parameter("bias", Tensor.zeros(dtype, channels));
        this.runningMean = buffer("running_mean", Tensor.zeros(dtype, channels));
        this.runningVariance = buffer("running_var", Tensor.ones(dtype, channels));
        this.batches = buffer("num_batches_tracked", Tensor.of(new long[1]));
    }

    @Override
    protected Tensor compute(Tensor x) {
        long[] shape = x.shape();
        long channels = weight.size();
        if (shape.length < 2 || shape.length > 3 || shape[1] != channels) {
            throw new IllegalArgumentException("BatchNorm1d: " + Arrays.toString(shape) + " is not [n, " + channels
                    + "] or [n, " + channels + ", length]");
        }
        if (shape.length == 2) {
            return normalize(x);
        }
        Tensor columns = x.transpose(0, 2, 1).reshape(shape[0] * shape[2], channels);
        return normalize(columns).reshape(shape[0], shape[2], channels).transpose(0, 2, 1);
    }

    private Tensor normalize(Tensor x) {
        if (!isTraining()) {
            return Functional.scaled(x.subtract(runningMean), runningVariance, weight, bias, epsilon);
        }
        long n = x.size(0);
        if (n < 2) {
            throw new IllegalArgumentException(
                    "BatchNorm1d: one value for each channel has no variance; leave a last batch of one example out with"
                            + " DataLoader.dropLast(), make batches or micro-batches larger, or set the layer to"
                            + " eval()");
        }
        Tensor mean = x.mean(0);
        Tensor centered = x.subtract(mean);
        Tensor variance = centered.multiply(centered).mean(0);
        track(mean, variance, n);
        return Functional.scaled(centered, variance, weight, bias, epsilon);
    }

    private void track(Tensor mean, Tensor variance, long n) {
        try (var scratch = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            Tensor unbiased = variance.multiply((double) n / (n - 1));
            runningMean.copyFrom(runningMean.multiply(1 - momentum).add(mean.multiply(momentum)));
            runningVariance.copyFrom(runningVariance.multiply(1 - momentum).add(unbiased.multiply(momentum)));
            batches.copyFrom(Tensor.of(new long[] {batches.toLongArray()[0] + 1}));
        }
    }

    @Override
    public String toString() {
        return "BatchNorm1d(" + weight.size() + ", epsilon=" + epsilon + ", momentum=" + momentum + ")";
    }
}
