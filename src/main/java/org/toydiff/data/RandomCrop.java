package org.toydiff.data;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/// Crops each image to one size at a random position, after padding it with a border of zeros.
///
/// Inputs are FLOAT32 `[n, …, height, width]`. All positions are equally likely, and all channels of an image are
/// cropped at the same one.
public final class RandomCrop implements Transform {
    private final long height;
    private final long width;
    private final long padding;

    /// Makes a transform to squares.
    ///
    /// @param size height and width of the crop, positive
    /// @param padding the width of the border on each side, 0 or more
    /// @throws IllegalArgumentException if size or padding is out of range
    public RandomCrop(long size, long padding) {
        this(size, size, padding);
    }

    /// Makes a transform to rectangles.
    ///
    /// @param height rows of the crop, positive
    /// @param width columns of the crop, positive
    /// @param padding the width of the border on each side, 0 or more
    /// @throws IllegalArgumentException if a size or the padding is out of range
    public RandomCrop(long height, long width, long padding) {
        if (height <= 0 || width <= 0 || padding < 0 || padding > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("RandomCrop: " + height + " × " + width + " with padding " + padding
                    + " is out of range; use positive sizes and a padding of 0 or more");
        }
        this.height = height;
        this.width = width;
        this.padding = padding;
    }

    @Override
    public Batch apply(Batch batch, RandomGenerator random) {
        ImagePlanes from = ImagePlanes.of("RandomCrop", batch.x());
        long rows = from.height + 2 * padding - height;
        long columns = from.width + 2 * padding - width;
        if (rows < 0 || columns < 0) {
            throw new IllegalArgumentException(
                    "RandomCrop: " + height + " × " + width + " is larger than the images of "
                            + Arrays.toString(batch.x().shape()) + " with padding " + padding);
        }
        ImagePlanes to = from.resized(height, width);
        long n = batch.size();
        for (long i = 0; i < n; i++) {
            long top = random.nextLong(rows + 1) - padding;
            long left = random.nextLong(columns + 1) - padding;
            for (long plane = i * from.perExample; plane < (i + 1) * from.perExample; plane++) {
                crop(from, to, plane, top, left);
            }
        }
        return new Batch(to.tensor, batch.y());
    }

    /// Copies the crop that begins at (top, left), which may lie in the border.
    private void crop(ImagePlanes from, ImagePlanes to, long plane, long top, long left) {
        to.clear(plane);
        long first = Math.max(0, left);
        long count = Math.min(from.width, left + width) - first;
        for (long row = Math.max(0, -top); count > 0 && row < Math.min(height, from.height - top); row++) {
            to.copy(from, plane, top + row, first, row, first - left, count);
        }
    }
}
