package org.toydiff.nn;

import org.toydiff.Tensor;

/// x where it is positive, else `slope·x`: [Functional#leakyRelu(Tensor, double)].
public final class LeakyReLU extends Layer {
    private final double slope;

    /// With slope 0.01.
    public LeakyReLU() {
        this(0.01);
    }

    /// With a slope of one's own.
    ///
    /// @param slope the slope below 0
    public LeakyReLU(double slope) {
        this.slope = slope;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.leakyRelu(x, slope);
    }

    @Override
    public String toString() {
        return "LeakyReLU(slope=" + slope + ")";
    }
}
