package org.toydiff.nn;

import org.toydiff.DType;

/// Normalises each channel over the batch, `(x − mean) / √(variance + ε)·weight + bias`: S. Ioffe, C. Szegedy,
/// "Batch normalization", 2015.
///
/// In training, mean and variance are those of the batch, and the running statistics follow them:
/// `running ← (1 − momentum)·running + momentum·batch`, with the unbiased variance. In evaluation the running
/// statistics are used. Methods named after the settings change those; each takes effect with the next forward:
/// ```java
/// var norm = new BatchNorm1d(256).epsilon(1e-3).momentum(0.01);
/// ```
///
/// In a training of several processes, the batch is that of each process, or of all:
/// [org.toydiff.distributed.DataParallel#synchronizeBatchNorm()].
///
/// **Shapes** `[n, channels]` or `[n, channels, length]`; the output has the shape of the input.
/// **State** parameters `weight`, `bias`; buffers `running_mean`, `running_var` and `num_batches_tracked`, an INT64
/// scalar, all as PyTorch's. Settings are not saved.
public final class BatchNorm1d extends BatchNormLayer<BatchNorm1d> {
    /// Creates a FLOAT32 layer with ε = 1e-5 and momentum 0.1.
    ///
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if it is not positive
    public BatchNorm1d(long channels) {
        this(DType.FLOAT32, channels);
    }

    /// Creates a layer with ε = 1e-5 and momentum 0.1.
    ///
    /// @param dtype the floating dtype of input, output, parameters and running statistics
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if it is not positive or the dtype is not floating
    public BatchNorm1d(DType dtype, long channels) {
        super(dtype, channels);
    }

    @Override
    BatchNorm1d self() {
        return this;
    }

    @Override
    boolean takes(int rank) {
        return rank == 2 || rank == 3;
    }

    @Override
    String shapes(long channels) {
        return "[n, " + channels + "] or [n, " + channels + ", length]";
    }
}
