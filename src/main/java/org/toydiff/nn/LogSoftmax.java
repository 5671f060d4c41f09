package org.toydiff.nn;

import org.toydiff.Tensor;

/// [Tensor#logSoftmax(int)] as a layer.
public final class LogSoftmax extends Layer {
    private final int axis;

    /// Creates the layer.
    ///
    /// @param axis the axis of the softmax; negative axes count from the back
    public LogSoftmax(int axis) {
        this.axis = axis;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.logSoftmax(axis);
    }

    @Override
    public String toString() {
        return "LogSoftmax(axis=" + axis + ")";
    }
}
