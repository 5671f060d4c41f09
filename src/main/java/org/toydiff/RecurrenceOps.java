package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.recurrence.Cell;

/// Recurrent layers over the sequences of a [Tensor] `[T, B, in]`: T steps of B sequences. Formulas, layouts and the
/// order of the gates are PyTorch's; [org.toydiff.nn] has the layers with several of these.
///
/// **Speed** The inputs' share of the gates is one product for all steps. A step is one product with the hidden state,
/// and one pass over the cell, which may follow part by part.
/// **Memory** With gradients, gates and states of all steps are kept for backward, and the factors of a projection.
/// Without, the states alone. An op of many steps may copy weightHh while it runs.
/// **Lengths** A sequence may be shorter than T. Its state stays as it is after its last step, the results there are
/// 0, and its padding has no gradient; but the padding must not be NaN or infinite, because the gradient of the input
/// weight is one product over all steps. The reverse direction begins at the last step of each sequence.
public sealed interface RecurrenceOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// One direction of an LSTM layer: `i, f, g, o = x·weightIhᵀ + biasIh + h·weightHhᵀ + biasHh`,
    /// `c ← σ(f)·c + σ(i)·tanh(g)`, `h ← σ(o)·tanh(c)`, or `h ← (σ(o)·tanh(c))·weightHrᵀ` with a projection.
    ///
    /// **Shapes** `[T, B, in]`, the states `[B, H]`, weights `[4·H, in]` and `[4·H, H]`, biases `[4·H]`. With a
    /// projection h is `[B, P]`, its weight `[4·H, P]`.
    /// **Gradient** to all floating operands, through all steps.
    ///
    /// @param hidden h before the first step, of this dtype, as all operands but the lengths
    /// @param cell c before the first step
    /// @param weightIh the weight of the input: i, f, g and o below each other
    /// @param weightHh the weight of h
    /// @param biasIh the bias of the input, or null if there are no biases
    /// @param biasHh the bias of h, or null if there are none
    /// @param weightHr the weight of a projection of h, `[P, H]`, not empty; null for none
    /// @param lengths the number of steps of each sequence, `[B]`, INT32 or INT64, from 1 to T; null if all have T
    /// @param reverse whether the last step comes first
    /// @return h after each step `[T, B, P]`, the last h `[B, P]` and the last c `[B, H]`; P is H without a projection
    /// @throws IllegalArgumentException if the shapes do not fit, T is 0, the dtype is neither FLOAT32 nor FLOAT64, or
    ///     a length is out of range
    default List<Tensor> lstm(
            Tensor hidden,
            Tensor cell,
            Tensor weightIh,
            Tensor weightHh,
            Tensor biasIh,
            Tensor biasHh,
            Tensor weightHr,
            Tensor lengths,
            boolean reverse) {
        Objects.requireNonNull(cell, "cell");
        Tensor[] operands = operands("lstm", self(), weightIh, weightHh, hidden, cell, biasIh, biasHh, weightHr);
        return run("lstm", weightHr == null ? Cell.LSTM : Cell.PROJECTED_LSTM, lengths, reverse, operands);
    }

    /// One direction of a GRU layer: `r = σ(xᵣ + hᵣ)`, `z = σ(x_z + h_z)`, `n = tanh(xₙ + r·hₙ)`,
    /// `h ← (1 − z)·n + z·h`, where `xᵣ, x_z, xₙ = x·weightIhᵀ + biasIh` and `hᵣ, h_z, hₙ = h·weightHhᵀ + biasHh`.
    ///
    /// **Shapes** `[T, B, in]`, the state `[B, H]`, weights `[3·H, in]` and `[3·H, H]`, biases `[3·H]`.
    /// **Gradient** to all floating operands, through all steps.
    ///
    /// @param hidden h before the first step, of this dtype, as all operands but the lengths
    /// @param weightIh the weight of the input: r, z and n below each other
    /// @param weightHh the weight of h
    /// @param biasIh the bias of the input, or null if there are no biases
    /// @param biasHh the bias of h, or null if there are none
    /// @param lengths the number of steps of each sequence, `[B]`, INT32 or INT64, from 1 to T; null if all have T
    /// @param reverse whether the last step comes first
    /// @return h after each step `[T, B, H]`, and the last h, `[B, H]`
    /// @throws IllegalArgumentException if the shapes do not fit, T is 0, the dtype is neither FLOAT32 nor FLOAT64, or
    ///     a length is out of range
    default List<Tensor> gru(
            Tensor hidden,
            Tensor weightIh,
            Tensor weightHh,
            Tensor biasIh,
            Tensor biasHh,
            Tensor lengths,
            boolean reverse) {
        Tensor[] operands = operands("gru", self(), weightIh, weightHh, hidden, null, biasIh, biasHh, null);
        return run("gru", Cell.GRU, lengths, reverse, operands);
    }

    /// One direction of an Elman RNN layer: `h ← activation(x·weightIhᵀ + biasIh + h·weightHhᵀ + biasHh)`.
    ///
    /// **Shapes** `[T, B, in]`, the state `[B, H]`, weights `[H, in]` and `[H, H]`, biases `[H]`.
    /// **Gradient** to all floating operands, through all steps.
    ///
    /// @param hidden h before the first step, of this dtype, as all operands but the lengths
    /// @param weightIh the weight of the input
    /// @param weightHh the weight of h
    /// @param biasIh the bias of the input, or null if there are no biases
    /// @param biasHh the bias of h, or null if there are none
    /// @param lengths the number of steps of each sequence, `[B]`, INT32 or INT64, from 1 to T; null if all have T
    /// @param reverse whether the last step comes first
    /// @param activation TANH or RELU
    /// @return h after each step `[T, B, H]`, and the last h, `[B, H]`
    /// @throws IllegalArgumentException if the shapes do not fit, T is 0, the dtype is neither FLOAT32 nor FLOAT64, a
    ///     length is out of range, or the activation is another
    default List<Tensor> rnn(
            Tensor hidden,
            Tensor weightIh,
            Tensor weightHh,
            Tensor biasIh,
            Tensor biasHh,
            Tensor lengths,
            boolean reverse,
            Activation activation) {
        Cell cell =
                switch (activation) {
                    case TANH -> Cell.RNN_TANH;
                    case RELU -> Cell.RNN_RELU;
                    default ->
                        throw new IllegalArgumentException("rnn: the activation is TANH or RELU, not " + activation);
                };
        Tensor[] operands = operands("rnn", self(), weightIh, weightHh, hidden, null, biasIh, biasHh, null);
        return run("rnn", cell, lengths, reverse, operands);
    }

    /// The operands that there are, in the order of a [RecurrentLayer].
    private static Tensor[] operands(
            String op,
            Tensor x,
            Tensor weightIh,
            Tensor weightHh,
            Tensor hidden,
            Tensor cell,
            Tensor biasIh,
            Tensor biasHh,
            Tensor weightHr) {
        if ((biasIh == null) != (biasHh == null)) {
            throw new IllegalArgumentException(op + ": there is one bias of two; give both, or null for both");
        }
        List<Tensor> operands =
                new ArrayList<>(List.of(Autocast.toFloat32(x), weightIh, weightHh, Autocast.toFloat32(hidden)));
        if (cell != null) {
            operands.add(Autocast.toFloat32(cell));
        }
        if (biasIh != null) {
            operands.add(biasIh);
            operands.add(biasHh);
        }
        if (weightHr != null) {
            operands.add(weightHr);
        }
        return operands.toArray(Tensor[]::new);
    }

    private static List<Tensor> run(String op, Cell cell, Tensor lengths, boolean reverse, Tensor[] given) {
        requireShapes(op, cell, given);
        long steps = given[0].shape[0];
        Tensor[] operands = given;
        if (lengths != null) {
            operands = Arrays.copyOf(given, given.length + 1);
            operands[given.length] = padding(op, lengths, steps, given[0].shape[1]);
        }
        boolean biased = given.length - (cell == Cell.PROJECTED_LSTM ? 1 : 0) >= (cell.isLstm() ? 7 : 6);
        var layer = new RecurrentLayer(op, cell, biased, lengths != null, reverse);
        List<Tensor> results = layer.results(layer.of(operands), operands);
        if (lengths == null) {
            return results;
        }
        List<Tensor> zeroed = new ArrayList<>(results);
        zeroed.set(0, results.getFirst().zeroWhere(operands[given.length].unsqueeze(2)));
        return List.copyOf(zeroed);
    }

    /// The steps of each sequence that are none of its own, `[T, B]`.
    private static Tensor padding(String op, Tensor lengths, long steps, long batch) {
        lengths.requireInteger(op);
        if (lengths.rank() != 1 || lengths.shape[0] != batch) {
            throw new IllegalArgumentException(op + ": lengths " + Shape.text(lengths.shape) + " do not fit " + batch
                    + " sequences; give one for each");
        }
        if (!lengths.storage.isAbstract()) {
            Recorder.check(op, lengths, each -> requireLengths(op, each, steps));
        }
        Tensor positions = Tensor.arange(lengths.dtype, 0, steps, 1).reshape(steps, 1);
        return positions.greaterOrEqual(lengths);
    }

    private static void requireLengths(String op, Tensor lengths, long steps) {
        for (long i = 0; i < lengths.shape[0]; i++) {
            long length = lengths.dtype.getLong(lengths.storage.segment(), lengths.offset + i * lengths.strides[0]);
            if (length < 1 || length > steps) {
                throw new IllegalArgumentException(op + ": length " + length + " of sequence " + i
                        + " is out of range; lengths are from 1 to " + steps + ", the steps of the input");
            }
        }
    }

    private static void requireShapes(String op, Cell cell, Tensor[] operands) {
        Tensor x = operands[0];
        for (Tensor operand : operands) {
            x.requireOperand(op, operand);
        }
        if (x.dtype == DType.BFLOAT16) {
            throw new IllegalArgumentException(op + ": takes FLOAT32 or FLOAT64, and " + Shape.text(x.shape) + " is "
                    + x.dtype + "; cast(DType.FLOAT32) first");
        }
        if (!fits(cell, operands)) {
            String gates = cell.isPlain() ? "" : cell.gates + "·";
            String width = cell == Cell.PROJECTED_LSTM ? "P" : "H";
            throw new IllegalArgumentException(op + ": x, weights, states and biases "
                    + Arrays.stream(operands).map(t -> Shape.text(t.shape)).toList()
                    + " do not fit; they are [T, B, in], [" + gates + "H, in], [" + gates + "H, " + width + "], [B, "
                    + width + "]" + (cell.isLstm() ? ", [B, H]" : "") + ", [" + gates + "H] twice or never"
                    + (cell == Cell.PROJECTED_LSTM ? ", and [P, H] with elements" : ""));
        }
        if (x.shape[0] == 0) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(x.shape) + " has no steps; a recurrent layer needs one or more");
        }
    }

    private static boolean fits(Cell cell, Tensor[] operands) {
        Tensor x = operands[0];
        Tensor hidden = operands[3];
        if (x.rank() != 3 || hidden.rank() != 2 || hidden.shape[0] != x.shape[1] || operands[2].rank() != 2) {
            return false;
        }
        long rows = operands[2].shape[0];
        long units = rows / cell.gates;
        long width = hidden.shape[1];
        boolean fits =
                rows == units * cell.gates && has(operands[1], rows, x.shape[2]) && has(operands[2], rows, width);
        int next = 4;
        int end = operands.length;
        if (cell.isLstm()) {
            fits &= has(operands[next++], x.shape[1], units);
        }
        if (cell == Cell.PROJECTED_LSTM) {
            fits &= has(operands[--end], width, units) && width > 0 && units > 0;
        } else {
            fits &= width == units;
        }
        while (next < end) {
            fits &= has(operands[next++], rows);
        }
        return fits;
    }

    private static boolean has(Tensor t, long... shape) {
        return Arrays.equals(t.shape, shape);
    }
}
