package org.toydiff.nn;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.toydiff.Autocast;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.NormalizationOps;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The base of layers that normalise each channel over the batch: their parameters, running statistics and settings.
///
/// @param <S> the layer itself, which the settings return
abstract sealed class BatchNormLayer<S extends BatchNormLayer<S>> extends Layer permits BatchNorm1d, BatchNorm2d {
    /// The axes of `[n, channels, h, w]` without that of channels; inputs of a lower rank have the first of them.
    private static final int[] ALL_BUT_CHANNELS = {0, 2, 3};

    private final Tensor weight;
    private final Tensor bias;
    private final Tensor runningMean;
    private final Tensor runningVariance;
    private final Tensor batches;
    private double epsilon = 1e-5;
    private double momentum = 0.1;

    /// Adds up vectors over all processes; null for the statistics of this process's batch.
    private UnaryOperator<Tensor> allReduce;

    BatchNormLayer(DType dtype, long channels) {
        requireFloating(dtype);
        Functional.requirePositive(name(), "channels", channels);
        this.weight = parameter("weight", Tensor.ones(dtype, channels));
        this.bias = parameter("bias", Tensor.zeros(dtype, channels));
        this.runningMean = buffer("running_mean", Tensor.zeros(dtype, channels));
        this.runningVariance = buffer("running_var", Tensor.ones(dtype, channels));
        this.batches = buffer("num_batches_tracked", Tensor.zeros(DType.INT64));
    }

    abstract S self();

    /// Whether it takes inputs of that rank.
    abstract boolean takes(int rank);

    /// {@return the shapes of its inputs, for so many channels}
    abstract String shapes(long channels);

    private String name() {
        return getClass().getSimpleName();
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; 1e-5 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public S epsilon(double epsilon) {
        this.epsilon = Functional.requireEpsilon(name(), epsilon);
        settingChanged();
        return self();
    }

    /// Sets the momentum, the weight of a batch's statistics in the running ones.
    ///
    /// @param momentum the weight, in [0, 1]; 0.1 by default
    /// @return this
    /// @throws IllegalArgumentException if it is out of range
    public S momentum(double momentum) {
        if (!(momentum >= 0 && momentum <= 1)) {
            throw new IllegalArgumentException(name() + ": momentum " + momentum + " must be within 0 to 1");
        }
        this.momentum = momentum;
        settingChanged();
        return self();
    }

    final boolean isSynchronized() {
        return allReduce != null;
    }

    /// See [Layer#synchronizeBatchNorm].
    final void synchronize(UnaryOperator<Tensor> allReduce) {
        this.allReduce = allReduce;
        settingChanged();
    }

    @Override
    protected Tensor compute(Tensor x) {
        long[] shape = x.shape();
        long channels = weight.size();
        if (!takes(shape.length) || shape[1] != channels) {
            throw new IllegalArgumentException(name() + ": " + Arrays.toString(shape) + " is not " + shapes(channels));
        }
        return normal(Autocast.toFloat32(x)).cast(x.dtype());
    }

    private Tensor normal(Tensor x) {
        if (!isTraining()) {
            Tensor centered = x.subtract(perChannel(x, runningMean));
            Tensor divisor = perChannel(x, runningVariance).add(epsilon).sqrt();
            return centered.divide(divisor).multiply(perChannel(x, weight)).add(perChannel(x, bias));
        }
        long n = weight.size() == 0 ? 0 : x.size() / weight.size();
        return isSynchronized() ? synchronizedNormal(x, n) : normalOfBatch(x, n);
    }

    private Tensor normalOfBatch(Tensor x, long n) {
        if (n < 2) {
            throw new IllegalArgumentException(name() + ": " + Arrays.toString(x.shape()) + " has " + n
                    + (n == 1 ? " value" : " values")
                    + " for each channel, and a variance needs two; leave a last batch of one example out with"
                    + " DataLoader.dropLast(), make batches or micro-batches larger, or set the layer to eval()");
        }
        NormalizationOps.BatchNorm normal = x.batchNorm(weight, bias, epsilon);
        try (var scratch = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            track(normal.mean(), normal.variance().multiply((double) n / (n - 1)));
        }
        return normal.values();
    }

    /// Normalises by the statistics of all processes: first the mean, then the squares of the distances from it, whose
    /// sum loses no digits where the mean is large.
    ///
    /// The count of all processes is a tensor, because in a replay it may differ from that in the recording.
    private Tensor synchronizedNormal(Tensor input, long n) {
        if (n == 0) {
            throw new IllegalArgumentException(name() + ": " + Arrays.toString(input.shape())
                    + " has no values for each channel, and every process needs one for synchronized statistics;"
                    + " leave a last batch of few examples out with DataLoader.dropLast()");
        }
        Tensor x = input.dtype() == DType.BFLOAT16 ? input.cast(DType.FLOAT32) : input;
        Tensor sums = allReduce.apply(Tensor.concat(0, Tensor.full(DType.FLOAT64, n, 1), sumsOfChannels(x)));
        Tensor count = sums.slice(0, 0, 1).detach();
        Tensor mean = sums.slice(0, 1, sums.size()).divide(count);
        Tensor deviation = x.subtract(perChannel(x, mean.cast(x.dtype())));
        Tensor squares = allReduce.apply(sumsOfChannels(deviation.multiply(deviation)));
        try (var scratch = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            track(mean, squares.divide(count.subtract(1)));
        }
        Tensor factor = squares.divide(count).add(epsilon).rsqrt().multiply(weight.cast(DType.FLOAT64));
        return deviation.multiply(perChannel(x, factor.cast(x.dtype()))).add(perChannel(x, bias.cast(x.dtype())));
    }

    private static Tensor sumsOfChannels(Tensor x) {
        return x.sum(Arrays.copyOf(ALL_BUT_CHANNELS, x.rank() - 1)).cast(DType.FLOAT64);
    }

    /// Returns a vector of channels that broadcasts with x.
    private static Tensor perChannel(Tensor x, Tensor vector) {
        if (x.rank() == 2) {
            return vector;
        }
        long[] shape = new long[x.rank()];
        Arrays.fill(shape, 1);
        shape[1] = vector.size();
        return vector.reshape(shape);
    }

    private void track(Tensor mean, Tensor unbiasedVariance) {
        follow(runningMean, mean);
        follow(runningVariance, unbiasedVariance);
        batches.copyFrom(batches.add(1));
    }

    /// In the dtype of the batch's statistics, which may be wider.
    private void follow(Tensor running, Tensor ofBatch) {
        Tensor before = running.cast(ofBatch.dtype());
        Tensor now = before.multiply(1 - momentum).add(ofBatch.multiply(momentum));
        running.copyFrom(now.cast(running.dtype()));
    }

    @Override
    public String toString() {
        return name() + "(" + weight.size() + ", epsilon=" + epsilon + ", momentum=" + momentum + ")";
    }
}
