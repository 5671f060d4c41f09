package org.toydiff.nn;

import java.util.Arrays;
import java.util.Objects;
import org.toydiff.Tensor;

/// Resizes the axes after the first two:
/// [Functional#interpolate(Tensor, long\[\], Interpolation, boolean)].
///
/// **Shapes** `[n, c, l]` or `[n, c, h, w]`.
public final class Upsample extends Layer {
    private final long[] size;
    private final double[] scaleFactor;
    private Interpolation mode = Interpolation.NEAREST;
    private boolean alignCorners;

    /// Creates a layer that takes the nearest elements.
    ///
    /// @param size the new sizes: one number for all axes, or one for each, positive
    /// @throws IllegalArgumentException if there are none, or one is not positive
    public Upsample(long[] size) {
        if (size.length == 0 || Arrays.stream(size).anyMatch(each -> each < 1)) {
            throw new IllegalArgumentException(
                    "Upsample: size " + Arrays.toString(size) + " is out of range; give one positive number or two");
        }
        this.size = size.clone();
        this.scaleFactor = null;
    }

    /// Creates a layer that takes the nearest elements.
    ///
    /// @param scaleFactor the factor of all sizes, positive; new sizes are rounded down
    /// @throws IllegalArgumentException if it is not positive and finite
    public Upsample(double scaleFactor) {
        this(new double[] {scaleFactor});
    }

    /// Creates a layer that takes the nearest elements.
    ///
    /// @param scaleFactor the factors of the sizes: one number for all axes, or one for each, positive; new sizes
    ///     are rounded down
    /// @throws IllegalArgumentException if there are none, or one is not positive and finite
    public Upsample(double[] scaleFactor) {
        if (scaleFactor.length == 0 || !Arrays.stream(scaleFactor).allMatch(each -> each > 0 && each < 1 / 0.0)) {
            throw new IllegalArgumentException("Upsample: scaleFactor " + Arrays.toString(scaleFactor)
                    + " is out of range; give one positive number or two");
        }
        this.size = null;
        this.scaleFactor = scaleFactor.clone();
    }

    /// Sets the interpolation.
    ///
    /// @param mode the mode; [Interpolation#NEAREST] by default
    /// @return this
    public Upsample mode(Interpolation mode) {
        this.mode = Objects.requireNonNull(mode, "mode");
        settingChanged();
        return this;
    }

    /// Sets whether the first and the last elements of input and output coincide.
    ///
    /// @param alignCorners whether they do; must be false for [Interpolation#NEAREST]; false by default
    /// @return this
    public Upsample alignCorners(boolean alignCorners) {
        this.alignCorners = alignCorners;
        settingChanged();
        return this;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return size == null
                ? Functional.interpolate(x, scaleFactor, mode, alignCorners)
                : Functional.interpolate(x, size, mode, alignCorners);
    }

    @Override
    public String toString() {
        String by = size == null ? "scaleFactor=" + Arrays.toString(scaleFactor) : "size=" + Arrays.toString(size);
        return "Upsample(" + by + ", mode=" + mode + ", alignCorners=" + alignCorners + ")";
    }
}
