package org.toydiff.data;

import java.util.random.RandomGenerator;

/// Mirrors some of the images left to right, each with the same probability.
///
/// Inputs are FLOAT32 `[n, …, height, width]`.
public final class RandomHorizontalFlip implements Transform {
    private final double probability;

    /// With probability ½.
    public RandomHorizontalFlip() {
        this(0.5);
    }

    /// With a probability of one's own.
    ///
    /// @param probability how often an image is mirrored, 0 to 1
    /// @throws IllegalArgumentException if it is not within 0 to 1
    public RandomHorizontalFlip(double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException(
                    "RandomHorizontalFlip: probability " + probability + " is not within 0 to 1");
        }
        this.probability = probability;
    }

    @Override
    public Batch apply(Batch batch, RandomGenerator random) {
        ImagePlanes from = ImagePlanes.of("RandomHorizontalFlip", batch.x());
        ImagePlanes to = from.resized(from.height, from.width);
        long n = batch.size();
        for (long i = 0; i < n; i++) {
            boolean mirrored = random.nextDouble() < probability;
            for (long plane = i * from.perExample; plane < (i + 1) * from.perExample; plane++) {
                if (mirrored) {
                    to.mirror(from, plane);
                } else {
                    to.copy(from, plane);
                }
            }
        }
        return new Batch(to.tensor, batch.y());
    }
}
