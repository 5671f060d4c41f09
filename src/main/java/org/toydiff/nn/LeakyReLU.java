package org.toydiff.nn;

import org.toydiff.Tensor;

/// x where it is positive, `slope·x` elsewhere: [Functional#leakyRelu(Tensor, double)].
public final class LeakyReLU extends Layer {
    private final double slope;

    /// Creates a layer with slope 0.01.
    public LeakyReLU() {
        this(0.01);
    }

    /// Creates a layer with the given slope.
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
