package org.toydiff.internal.convolution;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Workers;

/// A convolution whose groups have one channel each, and its gradients: one pass over a row of patches for each weight,
/// in place of products of one row. A part is one map of one image, or all that a weight's gradient is a sum of.
final class DepthwiseWork extends ConvolutionWork {
    /// The result to compute.
    enum Result {
        FEATURES,
        IMAGE,
        WEIGHT
    }

    /// The most positions of a tile: a row of patches and a row of the result stay in a first-level cache.
    private static final long MOST = 2048;

    private final Result result;
    private ContiguousKernels kernels;

    DepthwiseWork(Result result) {
        super(false);
        this.result = result;
    }

    @Override
    void run() {
        kernels = ContiguousKernels.of(wide);
        tiling.of(window, MOST);
        long parts =
                switch (result) {
                    case FEATURES -> window.images * window.filters;
                    case IMAGE -> window.images * window.channels;
                    case WEIGHT -> window.filters;
                };
        Workers.run(this, parts);
    }

    @Override
    protected void part(long index) {
        MemorySegment scratch = Scratch.take();
        try {
            switch (result) {
                case FEATURES -> map(index / window.filters, index % window.filters, scratch);
                case IMAGE -> channel(index / window.channels, index % window.channels, scratch);
                case WEIGHT -> weights(index, scratch);
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    private void map(long number, long filter, MemorySegment scratch) {
        long from = imageAt(number, filter / window.filtersOfGroup());
        for (long tile = 0; tile < tiling.count; tile++) {
            long at = featuresAt(number, filter) + tiling.first(tile);
            for (long tap = 0; tap < window.taps(); tap++) {
                patches.gather(image, from, tap, tap + 1, tile, scratch, 0, tiling.size(tile));
                double factor = weight(filter, tap);
                if (tap == 0) {
                    kernels.affine(scratch, 0, tiling.size(tile), 0, factor, 0, features, at);
                } else {
                    kernels.addMultiple(scratch, 0, tiling.size(tile), factor, features, at);
                }
            }
            finish(features, at, filter, 1, tiling.size(tile), tiling.size(tile));
        }
    }

    private void channel(long number, long channel, MemorySegment scratch) {
        long at = imageAt(number, channel);
        kernels.fill(image, at, window.plane(), 0);
        for (long filter = channel * window.filtersOfGroup();
                filter < (channel + 1) * window.filtersOfGroup();
                filter++) {
            for (long tile = 0; tile < tiling.count; tile++) {
                long from = featuresAt(number, filter) + tiling.first(tile);
                for (long tap = 0; tap < window.taps(); tap++) {
                    kernels.affine(features, from, tiling.size(tile), 0, weight(filter, tap), 0, scratch, 0);
                    patches.scatter(image, at, tap, tap + 1, tile, scratch, 0, tiling.size(tile));
                }
            }
        }
        finish(image, at, channel, 1, window.plane(), window.plane());
    }

    private void weights(long filter, MemorySegment scratch) {
        for (long tap = 0; tap < window.taps(); tap++) {
            double sum = 0;
            for (long number = 0; number < window.images; number++) {
                sum += dot(number, filter, tap, scratch);
            }
            long at = weightAt(filter) + tap;
            if (wide) {
                weight.setAtIndex(JAVA_DOUBLE, at, sum);
            } else {
                weight.setAtIndex(JAVA_FLOAT, at, (float) sum);
            }
        }
    }

    private double dot(long number, long filter, long tap, MemorySegment scratch) {
        double sum = 0;
        for (long tile = 0; tile < tiling.count; tile++) {
            patches.gather(
                    image,
                    imageAt(number, filter / window.filtersOfGroup()),
                    tap,
                    tap + 1,
                    tile,
                    scratch,
                    0,
                    tiling.size(tile));
            long from = featuresAt(number, filter) + tiling.first(tile);
            sum += kernels.dot(scratch, 0, features, from, tiling.size(tile));
        }
        return sum;
    }

    private double weight(long filter, long tap) {
        long at = weightAt(filter) + tap;
        return wide ? weight.getAtIndex(JAVA_DOUBLE, at) : weight.getAtIndex(JAVA_FLOAT, at);
    }
}
