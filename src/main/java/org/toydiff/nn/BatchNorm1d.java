package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Autocast;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Normalises each channel over the batch, `(x − mean) / √(variance + ε)·weight + bias`: S. Ioffe, C. Szegedy,
/// "Batch normalization", 2015.
///
/// In training, mean and variance are those of the batch, and the running statistics follow them:
/// `running ← (1 − momentum)·running + momentum·batch`, with the unbiased variance. In evaluation the running
/// statistics are used. Methods named after the settings change those; each holds from the next forward on:
/// ```java
/// var norm = new BatchNorm1d(256).epsilon(1e-3).momentum(0.01);
/// ```
///
/// **Shapes** `[n, channels]` or `[n, channels, length]`; the output has the shape of the input.
/// **State** parameters `weight`, `bias`; buffers `running_mean`, `running_var` and `num_batches_tracked`, an INT64
/// scalar, all as PyTorch's. Settings are not saved.
public final class BatchNorm1d extends Layer {
    private final Tensor weight;
    private final Tensor bias;
    private final Tensor runningMean;
    private final Tensor runningVariance;
    private final Tensor batches;
    private double epsilon = 1e-5;
    private double momentum = 0.1;

    /// Makes a FLOAT32 layer with ε = 1e-5 and momentum 0.1.
    ///
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if it is not positive
    public BatchNorm1d(long channels) {
        this(DType.FLOAT32, channels);
    }

    /// Makes a layer with ε = 1e-5 and momentum 0.1.
    ///
    /// @param dtype the floating dtype of input, output, parameters and running statistics
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if it is not positive or the dtype is not floating
    public BatchNorm1d(DType dtype, long channels) {
        requireFloating(dtype);
        if (channels <= 0) {
            throw new IllegalArgumentException("BatchNorm1d: channels " + channels + " must be positive");
        }
        this.weight = parameter("weight", Tensor.ones(dtype, channels));
        this.bias = parameter("bias", Tensor.zeros(dtype, channels));
        this.runningMean = buffer("running_mean", Tensor.zeros(dtype, channels));
        this.runningVariance = buffer("running_var", Tensor.ones(dtype, channels));
        this.batches = buffer("num_batches_tracked", Tensor.zeros(DType.INT64));
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; 1e-5 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public BatchNorm1d epsilon(double epsilon) {
        if (!(epsilon >= 0)) {
            throw new IllegalArgumentException("BatchNorm1d: epsilon " + epsilon + " must be 0 or more");
        }
        this.epsilon = epsilon;
        settingChanged();
        return this;
    }

    /// Sets the momentum, the weight of a batch's statistics in the running ones.
    ///
    /// @param momentum the weight, in [0, 1]; 0.1 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is out of range
    public BatchNorm1d momentum(double momentum) {
        if (!(momentum >= 0 && momentum <= 1)) {
            throw new IllegalArgumentException("BatchNorm1d: momentum " + momentum + " must be within 0 to 1");
        }
        this.momentum = momentum;
        settingChanged();
        return this;
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
        return normal(Autocast.toFloat32(x)).cast(x.dtype());
    }

    private Tensor normal(Tensor x) {
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
            batches.copyFrom(batches.add(1));
        }
    }

    @Override
    public String toString() {
        return "BatchNorm1d(" + weight.size() + ", epsilon=" + epsilon + ", momentum=" + momentum + ")";
    }
}
