package org.toydiff.internal.convolution;

import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.workers.Workers;

/// Whole patch matrices, `[images, channels·taps, positions]` in place of features: gathered from an image, or added
/// back to one. A part is one channel of one image.
final class PatchWork extends ConvolutionWork {
    private final boolean back;

    /// Creates a work that adds patches up to images (`back`), or that gathers them.
    PatchWork(boolean back) {
        super(true);
        this.back = back;
    }

    @Override
    void run() {
        tiling.of(window, window.positions());
        Workers.run(this, window.images * window.channels);
    }

    @Override
    protected void part(long index) {
        long plane = image0 + index * window.plane();
        long matrix = features0 + index * window.taps() * window.positions();
        if (back) {
            ContiguousKernels.of(wide).fill(image, plane, window.plane(), 0);
            patches.scatter(image, plane, 0, window.taps(), 0, features, matrix, window.positions());
        } else {
            patches.gather(image, plane, 0, window.taps(), 0, features, matrix, window.positions());
        }
    }
}
