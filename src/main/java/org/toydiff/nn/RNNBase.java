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
/// in `_reverse`. An LSTM that projects h to P elements has also `weight_hr_lk` `[P, H]`; `weight_hh_lk` is
/// `[gates·H, P]` then, and output and later layers have directions·P elements. Names, layouts and the order of
/// gates are PyTorch's, so its state dicts load as they are.
/// **Initial values** all uniform on ±1/√H, as PyTorch's.
/// **Memory** see [org.toydiff.RecurrenceOps].
public abstract sealed class RNNBase extends Layer permits RNN, LSTM, GRU {
    private final DType dtype;
    private final long in;
    private final long units;

    /// The elements of h: `units` unless it is projected.
    private final long width;

    private final RecurrentOptions options;

    /// Layer by layer, the reverse direction second.
    private final List<RecurrentWeights> weights = new ArrayList<>();

    RNNBase(DType dtype, int gates, long in, long units, RecurrentOptions options) {
        RecurrentWeights.require(this, dtype, gates, in, units);
        requireProjection(options.projSize(), units);
        this.dtype = dtype;
        this.in = in;
        this.units = units;
        this.width = options.projSize() == 0 ? units : options.projSize();
        this.options = options;
        for (int layer = 0; layer < options.layers(); layer++) {
            long inputs = layer == 0 ? in : options.directions() * width;
            for (int direction = 0; direction < options.directions(); direction++) {
                String suffix = "_l" + layer + (direction == 0 ? "" : "_reverse");
                weights.add(RecurrentWeights.of(
                        this, dtype, gates, inputs, units, options.projSize(), options.bias(), suffix));
            }
        }
    }

    private void requireProjection(long size, long units) {
        if (size > 0 && !(this instanceof LSTM)) {
            throw new IllegalArgumentException(
                    className() + ": projSize " + size + " does not apply; LSTM alone has a projection");
        }
        if (size >= units) {
            throw new IllegalArgumentException(className() + ": projSize " + size + " must be less than the " + units
                    + " hidden units; give 0 for no projection");
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
        Tensor noHidden = hidden == null ? Tensor.zeros(dtype, x.size(1), width) : null;
        Tensor noCell = cell == null && this instanceof LSTM ? noCell(x.size(1), noHidden) : null;
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
                        hidden == null ? noHidden : hidden.get(at),
                        cell == null ? noCell : cell.get(at),
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

    /// Zeros for c, those of h where they have the same shape.
    private Tensor noCell(long batch, Tensor noHidden) {
        return noHidden != null && width == units ? noHidden : Tensor.zeros(dtype, batch, units);
    }

    private static Tensor joined(List<Tensor> states) {
        return states.size() == 1 ? states.getFirst().unsqueeze(0) : Tensor.stack(0, states.toArray(Tensor[]::new));
    }

    private void requireShapes(Tensor x, Tensor hidden, Tensor cell) {
        if (x.rank() != 2 && x.rank() != 3 || x.size(-1) != in) {
            throw new IllegalArgumentException(className() + ": " + Arrays.toString(x.shape()) + " must be "
                    + (options.batchFirst() ? "[B, T, " : "[T, B, ") + in + "], or [T, " + in + "] of one sequence");
        }
        requireState("hidden", hidden, x, width);
        requireState("cell", cell, x, units);
    }

    private void requireState(String name, Tensor state, Tensor x, long elements) {
        long[] shape = x.rank() == 2
                ? new long[] {weights.size(), elements}
                : new long[] {weights.size(), x.size(options.batchFirst() ? 0 : 1), elements};
        if (state != null && !Arrays.equals(state.shape(), shape)) {
            throw new IllegalArgumentException(className() + ": the initial " + name + " state is "
                    + Arrays.toString(state.shape()) + " and must be " + Arrays.toString(shape) + ": layers times"
                    + " directions, " + (shape.length == 2 ? "" : "sequences ") + "and "
                    + (elements == units ? "hidden units" : "projSize"));
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
                .when(options.bidirectional(), "bidirectional", () -> true)
                .unless(0, "projSize", options.projSize());
    }

    @Override
    public String toString() {
        return text().toString();
    }
}
