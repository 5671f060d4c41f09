package org.toydiff.nn;

import org.toydiff.Tensor;

/// [Tensor#softmax(int)] as a layer.
public final class Softmax extends Layer {
    private final int axis;

    /// Creates the layer.
    ///
    /// @param axis the axis that sums to 1; negative axes count from the back
    public Softmax(int axis) {
        this.axis = axis;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.softmax(axis);
    }

    @Override
    public String toString() {
        return "Softmax(axis=" + axis + ")";
    }
}
