package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The base of [RNN], [LSTM] and [GRU]: their layers, directions and parameters.
///
/// `forward` returns the output alone, from initial states of zeros; `run` takes states and lengths and returns the
/// last states too.
///
/// **Shapes** `[T, B, in] → [T, B, directions·H]` with T ≥ 1, or both with B first; an input without the axis B is one
/// sequence, and neither states nor output have that axis then.
/// **Parameters** of layer k: `weight_ih_lk` `[gates·H, in]`, where the input of later layers has directions·H
/// elements, `weight_hh_lk` `[gates·H, H]`, `bias_ih_lk` and `bias_hh_lk` `[gates·H]`; those of the other direction end
/// in `_reverse`. Names, layouts and the order of gates are PyTorch's, so its state dicts load as they are.
/// **Initial values** all uniform on ±1/√H, as PyTorch's.
/// **Memory** see [org.toydiff.RecurrenceOps].
public abstract sealed class RNNBase extends Layer permits RNN, LSTM, GRU {
    private final DType dtype;
    private final long in;
    private final long units;
    private final RecurrentOptions options;

    /// Layer by layer, the reverse direction second.
    private final List<RecurrentWeights> weights = new ArrayList<>();

    RNNBase(DType dtype, int gates, long in, long units, RecurrentOptions options) {
        RecurrentWeights.require(this, dtype, gates, in, units);
        this.dtype = dtype;
        this.in = in;
        this.units = units;
        this.options = options;
        for (int layer = 0; layer < options.layers(); layer++) {
            long width = layer == 0 ? in : options.directions() * units;
            for (int direction = 0; direction < options.directions(); direction++) {
                String suffix = "_l" + layer + (direction == 0 ? "" : "_reverse");
                weights.add(RecurrentWeights.of(this, dtype, gates, width, units, options.bias(), suffix));
            }
        }
    }

    /// Runs one direction of one layer.
    ///
    /// @param cell c before the first step, null unless this is an LSTM
    /// @return h after each step, the last h and an LSTM's last c
    abstract List<Tensor> run(
            Tensor x, RecurrentWeights weights, Tensor hidden, Tensor cell, Tensor lengths, boolean reverse);

    @Override
    protected final Tensor compute(Tensor x) {
        return results(x, null, null, null).output();
    }

    /// As `results`, naming this layer in errors.
    final RecurrentOutput named(Tensor x, Tensor hidden, Tensor cell, Tensor lengths) {
        try {
            return results(x, hidden, cell, lengths);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private RecurrentOutput results(Tensor x, Tensor hidden, Tensor cell, Tensor lengths) {
        requireShapes(x, hidden, cell);
        if (x.rank() == 2) {
            RecurrentOutput batch = ofSequences(x.unsqueeze(1), unsqueezed(hidden), unsqueezed(cell), lengths);
            return new RecurrentOutput(batch.output().squeeze(1), batch.hidden().squeeze(1), squeezed(batch.cell()));
        }
        if (!options.batchFirst()) {
            return ofSequences(x, hidden, cell, lengths);
        }
        RecurrentOutput stepsFirst = ofSequences(x.transpose(1, 0, 2), hidden, cell, lengths);
        return new RecurrentOutput(stepsFirst.output().transpose(1, 0, 2), stepsFirst.hidden(), stepsFirst.cell());
    }

    private static Tensor unsqueezed(Tensor state) {
        return state == null ? null : state.unsqueeze(1);
    }

    private static Tensor squeezed(Tensor state) {
        return state == null ? null : state.squeeze(1);
    }

    /// All layers, of sequences `[T, B, in]`.
    private RecurrentOutput ofSequences(Tensor x, Tensor hidden, Tensor cell, Tensor lengths) {
        boolean drops = isTraining() && options.dropout() > 0;
        boolean starts = hidden == null || cell == null && this instanceof LSTM;
        Tensor zeros = starts ? Tensor.zeros(dtype, x.size(1), units) : null;
        List<Tensor> lastHidden = new ArrayList<>();
        List<Tensor> lastCell = new ArrayList<>();
        Tensor y = x;
        for (int layer = 0; layer < options.layers(); layer++) {
            Tensor input = layer > 0 && drops ? Functional.dropout(y, options.dropout()) : y;
            Tensor[] outputs = new Tensor[options.directions()];
            for (int direction = 0; direction < outputs.length; direction++) {
                int at = layer * outputs.length + direction;
                List<Tensor> results = run(
                        input,
                        weights.get(at),
                        hidden == null ? zeros : hidden.get(at),
                        cell == null ? zeros : cell.get(at),
                        lengths,
                        direction == 1);
                outputs[direction] = results.get(0);
                lastHidden.add(results.get(1));
                lastCell.add(results.getLast());
            }
            y = outputs.length == 1 ? outputs[0] : Tensor.concat(2, outputs);
        }
        return new RecurrentOutput(y, joined(lastHidden), this instanceof LSTM ? joined(lastCell) : null);
    }

    private static Tensor joined(List<Tensor> states) {
        return states.size() == 1 ? states.getFirst().unsqueeze(0) : Tensor.stack(0, states.toArray(Tensor[]::new));
    }

    private void requireShapes(Tensor x, Tensor hidden, Tensor cell) {
        if (x.rank() != 2 && x.rank() != 3 || x.size(-1) != in) {
            throw new IllegalArgumentException(className() + ": " + Arrays.toString(x.shape()) + " must be "
                    + (options.batchFirst() ? "[B, T, " : "[T, B, ") + in + "], or [T, " + in + "] of one sequence");
        }
        long[] shape = x.rank() == 2
                ? new long[] {weights.size(), units}
                : new long[] {weights.size(), x.size(options.batchFirst() ? 0 : 1), units};
        requireState("hidden", hidden, shape);
        requireState("cell", cell, shape);
    }

    private void requireState(String name, Tensor state, long[] shape) {
        if (state != null && !Arrays.equals(state.shape(), shape)) {
            throw new IllegalArgumentException(className() + ": the initial " + name + " state is "
                    + Arrays.toString(state.shape()) + " and must be " + Arrays.toString(shape) + ": layers times"
                    + " directions, " + (shape.length == 2 ? "" : "sequences ") + "and hidden units");
        }
    }

    /// Returns the settings that all recurrent layers have, for [#toString()].
    final SettingText text() {
        return new SettingText(this)
                .add("in", in)
                .add("hidden", units)
                .unless(1, "layers", options.layers())
                .when(!options.bias(), "bias", () -> false)
                .when(options.batchFirst(), "batchFirst", () -> true)
                .when(options.dropout() > 0, "dropout", options::dropout)
                .when(options.bidirectional(), "bidirectional", () -> true);
    }

    @Override
    public String toString() {
        return text().toString();
    }
}
