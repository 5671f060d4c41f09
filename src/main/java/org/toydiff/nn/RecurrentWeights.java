package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The parameters of one direction of a recurrent layer, or of a cell, under PyTorch's names.
///
/// @param biasIh the bias of the input, or null
/// @param biasHh the bias of the hidden state, or null
/// @param weightHr the weight of an LSTM's projection, or null
record RecurrentWeights(Tensor weightIh, Tensor weightHh, Tensor biasIh, Tensor biasHh, Tensor weightHr) {
    /// Registers parameters with a suffix in a layer, uniform on ±1/√units as PyTorch's.
    ///
    /// @param projSize the elements of the projected hidden state, 0 if it is not projected
    static RecurrentWeights of(
            Layer layer, DType dtype, int gates, long in, long units, long projSize, boolean bias, String suffix) {
        long rows = gates * units;
        long width = projSize == 0 ? units : projSize;
        Tensor weightIh = parameter(layer, "weight_ih" + suffix, units, Tensor.empty(dtype, rows, in));
        Tensor weightHh = parameter(layer, "weight_hh" + suffix, units, Tensor.empty(dtype, rows, width));
        Tensor biasIh = bias ? parameter(layer, "bias_ih" + suffix, units, Tensor.empty(dtype, rows)) : null;
        Tensor biasHh = bias ? parameter(layer, "bias_hh" + suffix, units, Tensor.empty(dtype, rows)) : null;
        Tensor weightHr =
                projSize == 0 ? null : parameter(layer, "weight_hr" + suffix, units, Tensor.empty(dtype, width, units));
        return new RecurrentWeights(weightIh, weightHh, biasIh, biasHh, weightHr);
    }

    private static Tensor parameter(Layer layer, String name, long units, Tensor tensor) {
        double bound = 1 / Math.sqrt(units);
        return layer.parameter(name, Initializers.uniform(tensor, -bound, bound));
    }

    /// Throws unless a layer can have such parameters.
    static void require(Layer layer, DType dtype, int gates, long in, long units) {
        if (dtype != DType.FLOAT32 && dtype != DType.FLOAT64) {
            throw new IllegalArgumentException(
                    layer.className() + ": parameters cannot be " + dtype + "; use FLOAT32 or FLOAT64");
        }
        if (in <= 0 || units <= 0) {
            throw new IllegalArgumentException(
                    layer.className() + ": sizes " + in + " and " + units + " must be positive");
        }
        if (units > Long.MAX_VALUE / gates) {
            throw new IllegalArgumentException(layer.className() + ": " + gates + " gates of " + units
                    + " hidden units are more rows than a long can count; give fewer units");
        }
    }

    /// Throws unless an input of a cell, and its states that are not null, fit.
    void requireStep(Layer cell, Tensor x, Tensor... states) {
        long in = weightIh.size(1);
        long units = weightHh.size(1);
        if (x.rank() == 0 || x.rank() > 2 || x.size(-1) != in) {
            throw new IllegalArgumentException(cell.className() + ": " + Arrays.toString(x.shape()) + " must be [B, "
                    + in + "], or [" + in + "] of one sequence");
        }
        long[] shape = x.rank() == 1 ? new long[] {units} : new long[] {x.size(0), units};
        for (Tensor state : states) {
            if (state != null && !Arrays.equals(state.shape(), shape)) {
                throw new IllegalArgumentException(cell.className() + ": the state "
                        + Arrays.toString(state.shape()) + " must be " + Arrays.toString(shape) + " for an input "
                        + Arrays.toString(x.shape()));
            }
        }
    }

    /// Returns a state `[H]` as one `[1, H]`.
    static Tensor row(Tensor state) {
        return state == null ? null : state.unsqueeze(0);
    }

    /// Returns a state, or zeros for the batch of inputs x `[B, in]`.
    Tensor stateOrZeros(Tensor state, Tensor x) {
        return state == null ? Tensor.zeros(weightHh.dtype(), x.size(0), weightHh.size(1)) : state;
    }

    /// Returns the settings of a cell, for its [Object#toString()].
    SettingText text(Layer cell) {
        return new SettingText(cell)
                .add("in", weightIh.size(1))
                .add("hidden", weightHh.size(1))
                .when(biasIh == null, "bias", () -> false);
    }
}
