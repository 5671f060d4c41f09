package org.toydiff.data;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.toydiff.Tensor;

/// Normalizes the inputs, `(x − mean) / std`, with one mean and deviation for all elements or one for each channel.
public final class Normalize implements Transform {
    private final double[] mean;
    private final double[] std;

    /// Makes a transform with one mean and deviation for all elements.
    ///
    /// @param mean the mean, which is subtracted
    /// @param std the standard deviation, by which the difference is divided, not 0
    /// @throws IllegalArgumentException if a number is not finite or std is 0
    public Normalize(double mean, double std) {
        this(new double[] {mean}, new double[] {std});
    }

    /// Makes a transform with one mean and deviation for each channel of inputs `[n, channels, height, width]`.
    ///
    /// @param mean the mean of each channel, which is subtracted
    /// @param std the standard deviation of each channel, by which the difference is divided, not 0
    /// @throws IllegalArgumentException if the lengths differ, a number is not finite or a std is 0
    public Normalize(double[] mean, double[] std) {
        boolean valid = mean.length == std.length && mean.length > 0;
        for (int i = 0; valid && i < mean.length; i++) {
            valid = Double.isFinite(mean[i]) && Double.isFinite(std[i]) && std[i] != 0;
        }
        if (!valid) {
            throw new IllegalArgumentException("Normalize: mean " + Arrays.toString(mean) + " and std "
                    + Arrays.toString(std) + " must be equally many finite numbers, and no std 0");
        }
        this.mean = mean.clone();
        this.std = std.clone();
    }

    @Override
    public Batch apply(Batch batch, RandomGenerator random) {
        Tensor x = batch.x();
        boolean single = mean.length == 1;
        if (!single && (x.rank() < 3 || x.shape()[x.rank() - 3] != mean.length)) {
            throw new IllegalArgumentException("Normalize: " + Arrays.toString(x.shape()) + " does not have "
                    + mean.length + " channels on the third axis from the end");
        }
        Tensor normal = single
                ? x.subtract(mean[0]).divide(std[0])
                : x.subtract(channels(x, mean)).divide(channels(x, std));
        return new Batch(normal, batch.y());
    }

    private static Tensor channels(Tensor x, double[] values) {
        return Tensor.of(x.dtype(), values, values.length, 1, 1);
    }
}
