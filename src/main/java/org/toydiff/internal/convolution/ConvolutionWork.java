package org.toydiff.internal.convolution;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Work;

/// A convolution or a gradient of one in progress, without its division into parts, which a subclass has. One object
/// per thread, reused for every op.
///
/// The image is `[images, channels, height, width]`, the weight `[filters, channels / groups, kernelHeight,
/// kernelWidth]`, the feature map `[images, filters, outHeight, outWidth]`, all contiguous.
public abstract class ConvolutionWork extends Work {
    /// A tile's patch matrix has about this many bytes. It stays in a second-level cache of 2 MiB; half as many make
    /// the gradient to an image a fifth slower, for the product packs the weight again for each tile.
    static final long TILE_BYTES = 1 << 20;

    /// The fewest positions of a tile, if there are so many: products with fewer columns are slow.
    private static final long FEWEST = 64;

    /// The most positions of a tile.
    private static final long MOST = 4096;

    /// As many parts as keep a large number of threads busy.
    static final long PARTS = 16;

    final Window window = new Window();
    final Tiling tiling = new Tiling();
    final Patches patches;
    boolean wide;
    MemorySegment image;
    MemorySegment weight;
    MemorySegment features;
    long image0;
    long weight0;
    long features0;

    // What follows a part of the result; null if absent.
    private Kernel.Binary withBias;
    private MemorySegment bias;
    private long bias0;
    private long biasStep;
    private Kernel.Unary activation;

    /// Creates a work. `keepsMatrix` means that patches to be added to an image belong to the caller.
    ConvolutionWork(boolean keepsMatrix) {
        patches = new Patches(window, tiling, keepsMatrix);
    }

    /// Sets the type of the elements, FLOAT32 or FLOAT64 (`wide`), and the sizes: see [Window#set].
    public final void of(boolean wide, long[] imageShape, long[] weightShape, long[] featureShape, long[] settings) {
        this.wide = wide;
        window.set(imageShape, weightShape, featureShape, settings);
        patches.of(wide);
    }

    /// Adds a bias, one element for each channel of the result, to the next result, by a kernel that may do more.
    public final void addBias(Kernel.Binary kernel, MemorySegment memory, long at, long step) {
        withBias = kernel;
        bias = memory;
        bias0 = at;
        biasStep = step;
    }

    /// Applies an activation to the next result.
    public final void activate(Kernel.Unary kernel) {
        activation = kernel;
    }

    /// Computes the result from the operands, at offsets in elements. Nothing is empty.
    public final void run(
            MemorySegment image, long imageAt, MemorySegment weight, long weightAt, MemorySegment features, long at) {
        this.image = image;
        image0 = imageAt;
        this.weight = weight;
        weight0 = weightAt;
        this.features = features;
        features0 = at;
        try {
            run();
        } finally {
            this.image = null;
            this.weight = null;
            this.features = null;
            withBias = null;
            bias = null;
            activation = null;
        }
    }

    /// Divides the work into parts and runs them.
    abstract void run();

    final int bytes() {
        return wide ? Double.BYTES : Float.BYTES;
    }

    /// Divides the feature map into tiles whose patch matrices, of `rows` rows, have [#TILE_BYTES] at most where that
    /// leaves enough positions.
    final void divide(long rows) {
        tiling.of(window, Math.clamp(TILE_BYTES / bytes() / rows, FEWEST, MOST));
    }

    /// {@return the first element of a channel of an image}
    final long imageAt(long number, long channel) {
        return image0 + (number * window.channels + channel) * window.plane();
    }

    /// {@return the first element of a filter's map of an image}
    final long featuresAt(long number, long filter) {
        return features0 + (number * window.filters + filter) * window.positions();
    }

    /// {@return the first weight of a filter}
    final long weightAt(long filter) {
        return weight0 + filter * window.depth();
    }

    /// Completes a block of the result, whose rows belong to the channels from `channel` on, `pitch` elements apart.
    final void finish(MemorySegment y, long at, long channel, long rows, long columns, long pitch) {
        if (withBias != null) {
            withBias.run(
                    y, at, pitch, 1, bias, bias0 + channel * biasStep, biasStep, 0, y, at, pitch, 1, rows, columns);
        }
        if (activation != null) {
            activation.run(y, at, pitch, 1, y, at, pitch, 1, rows, columns);
        }
    }

    /// Computes `c = op(a)·op(b) + beta·c` on the calling thread, at offsets in elements.
    final void multiply(
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            MemorySegment a,
            long aAt,
            long lda,
            MemorySegment b,
            long bAt,
            long ldb,
            double beta,
            MemorySegment c,
            long cAt,
            long ldc) {
        long size = bytes();
        CBlas.gemm(
                wide,
                transposeA,
                transposeB,
                (int) m,
                (int) n,
                (int) k,
                a,
                aAt * size,
                (int) lda,
                b,
                bAt * size,
                (int) ldb,
                beta,
                c,
                cAt * size,
                (int) ldc);
    }
}
