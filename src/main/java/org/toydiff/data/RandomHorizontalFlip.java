package org.toydiff.data;

import java.util.random.RandomGenerator;

/// Flips each image left to right with a given probability.
///
/// Inputs are FLOAT32 `[n, …, height, width]`.
public final class RandomHorizontalFlip implements Transform {
    private final double probability;

    /// Makes a transform with probability ½.
    public RandomHorizontalFlip() {
        this(0.5);
    }

    /// Makes a transform with a given probability.
    ///
    /// @param probability the probability that an image is flipped, 0 to 1
    /// @throws IllegalArgumentException if it is not within 0 to 1
    public RandomHorizontalFlip(double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException(
                    "RandomHorizontalFlip: probability " + probability + " must be within 0 to 1");
        }
        this.probability = probability;
    }

    @Override
    public Batch apply(Batch batch, RandomGenerator random) {
        ImagePlanes from = ImagePlanes.of("RandomHorizontalFlip", batch.x());
        ImagePlanes to = from.resized(from.height, from.width);
        long n = batch.size();
        for (long i = 0; i < n; i++) {
            boolean flipped = random.nextDouble() < probability;
            for (long plane = i * from.perExample; plane < (i + 1) * from.perExample; plane++) {
                if (flipped) {
                    to.flip(from, plane);
                } else {
                    to.copy(from, plane);
                }
            }
        }
        return new Batch(to.tensor, batch.y());
    }
}
