package org.toydiff.nn;

import org.toydiff.Activation;
import org.toydiff.Tensor;

/// Applies layers one after another, each to the output of the one before it. Their names are `0`, `1`, ….
///
/// A [Linear] with a [ReLU], [Tanh] or [Sigmoid] after it runs as one op.
public final class Sequential extends Layer {
    private final Layer[] layers;

    /// Creates a chain of layers.
    ///
    /// @param layers the layers in the order in which they are applied
    public Sequential(Layer... layers) {
        this.layers = layers.clone();
        for (int i = 0; i < layers.length; i++) {
            child(Integer.toString(i), layers[i]);
        }
    }

    @Override
    protected Tensor compute(Tensor x) {
        Tensor y = x;
        for (int i = 0; i < layers.length; i++) {
            Activation activation = i + 1 < layers.length && !Summary.isRecording() ? activation(layers[i + 1]) : null;
            if (activation != null && layers[i] instanceof Linear linear) {
                y = linear.forward(y, activation);
                i++;
            } else if (activation != null && layers[i] instanceof PaddedConvolution<?> convolution) {
                y = convolution.forward(y, activation);
                i++;
            } else {
                y = layers[i].forward(y);
            }
        }
        return y;
    }

    /// Returns the activation that a preceding linear layer or convolution can apply in place of this layer, or null.
    private static Activation activation(Layer layer) {
        if (layer instanceof ReLU) {
            return Activation.RELU;
        }
        if (layer instanceof Tanh) {
            return Activation.TANH;
        }
        return layer instanceof Sigmoid ? Activation.SIGMOID : null;
    }
}
