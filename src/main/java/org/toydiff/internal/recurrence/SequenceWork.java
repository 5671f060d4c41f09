package org.toydiff.internal.recurrence;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.launch.ProductWork;
import org.toydiff.internal.launch.Shape;

/// The steps of a recurrent layer over a sequence in progress. One object per thread, reused; it allocates nothing
/// when it runs.
///
/// Sizes: T steps, B rows of the batch, H hidden units, G gates. All blocks are contiguous. Set those that the cell
/// has, then call [#forward] or [#backward].
public final class SequenceWork {
    /// `[T, B, G·H]`: the inputs' share of the gates before [#forward], the gates after it. An RNN has none: its share
    /// is in [#hidden].
    public final SequenceOperand gates = new SequenceOperand();

    /// `[G·H, H]`: the weight of the hidden state.
    public final SequenceOperand weight = new SequenceOperand();

    /// `[G·H]`: a GRU's bias of the hidden state, if it has one.
    public final SequenceOperand bias = new SequenceOperand();

    /// `[B, H]`: h before the first step.
    public final SequenceOperand initialHidden = new SequenceOperand();

    /// `[B, H]`: an LSTM's c before the first step.
    public final SequenceOperand initialCell = new SequenceOperand();

    /// `[T, B]`, bytes: whether a step of a row belongs to the padding; unset if none does.
    public final SequenceOperand padding = new SequenceOperand();

    /// `[T, B, H]`: h after each step; with an LSTM `[T + 1, B, H]`, of which the last is the last c.
    public final SequenceOperand hidden = new SequenceOperand();

    /// `[T, B, H]`: an LSTM's c after each step, or a GRU's share of h in its gate n; `[1, B, H]` where they are not
    /// kept.
    public final SequenceOperand saved = new SequenceOperand();

    /// `[B, G·H]`: a GRU's share of h in all gates of a step.
    public final SequenceOperand share = new SequenceOperand();

    /// The gradient of [#hidden].
    public final SequenceOperand gradient = new SequenceOperand();

    /// `[T, B, G·H]`: the gradients of the gates' sums.
    public final SequenceOperand gateGradients = new SequenceOperand();

    /// `[T, B, H]`: the gradients of a GRU's shares of h in its gate n.
    public final SequenceOperand shareGradients = new SequenceOperand();

    /// `[B, H]`: the gradient of h as a state, at the end that of the initial one.
    public final SequenceOperand hiddenGradient = new SequenceOperand();

    /// `[B, H]`: the gradient of c, at the end that of the initial one.
    public final SequenceOperand cellGradient = new SequenceOperand();

    private final SequenceOperand[] blocks = {
        gates,
        weight,
        bias,
        initialHidden,
        initialCell,
        padding,
        hidden,
        saved,
        share,
        gradient,
        gateGradients,
        shareGradients,
        hiddenGradient,
        cellGradient
    };

    private final ProductWork products = new ProductWork();
    private final CellWork cells = new CellWork();

    private Cell cell;
    private boolean wide;
    private long steps;
    private long batch;
    private long units;
    private boolean reverse;

    /// The distance between steps of [#saved].
    private long savedStep;

    // The step that runs, and the one before it in the order of the walk forward, or −1 for the initial state.
    private long now;
    private long before;

    /// Creates a work for one thread.
    public SequenceWork() {}

    /// Sets what the next walk is over.
    ///
    /// @param wide whether the elements are FLOAT64
    /// @param reverse whether the last step comes first
    public void over(Cell cell, boolean wide, long steps, long batch, long units, boolean reverse) {
        this.cell = cell;
        this.wide = wide;
        this.steps = steps;
        this.batch = batch;
        this.units = units;
        this.reverse = reverse;
    }

    private long state() {
        return batch * units;
    }

    private long rowOfGates() {
        return cell.gates * units;
    }

    private boolean isPadded() {
        return padding.memory != null;
    }

    /// Goes to the step that comes as number `i` forward.
    private void go(long i) {
        now = reverse ? steps - 1 - i : i;
        before = i == 0 ? -1 : reverse ? now + 1 : now - 1;
    }

    /// Computes all steps. Nothing is empty.
    ///
    /// @param keep whether [#saved] has a place for each step, else it has one
    public void forward(boolean keep) {
        savedStep = keep ? state() : 0;
        if (cell == Cell.LSTM && !keep) {
            copy(initialCell, 0, saved, 0);
        }
        var loop = cell.loop(wide, isPadded(), false);
        try {
            for (long i = 0; i < steps; i++) {
                go(i);
                multiplyHidden();
                nameForward();
                cells.run(loop, batch, units);
            }
        } finally {
            products.plain();
        }
        if (cell == Cell.LSTM) {
            copy(saved, now * savedStep, hidden, steps * state());
        }
        forget();
    }

    /// Adds the product of the previous h to the gates' sums; a GRU keeps the two apart.
    private void multiplyHidden() {
        SequenceOperand h = before < 0 ? initialHidden : hidden;
        products.left(h.memory, h.offset + at(before), batch, units, units, false, (int) units, 1);
        products.right(weight.memory, weight.offset, rowOfGates(), units, true, (int) units, 1);
        if (cell == Cell.GRU) {
            if (bias.memory != null) {
                products.addBias(BinaryKernel.ADD.of(wide), bias.memory, bias.offset, 1);
            }
            multiply(share, 0, 0);
        } else {
            SequenceOperand sums = cell.isPlain() ? hidden : gates;
            multiply(sums, now * batch * rowOfGates(), 1);
        }
    }

    private void multiply(SequenceOperand y, long at, double beta) {
        products.run(wide, beta, y.memory, y.offset + at, Shape.SCALAR, Shape.SCALAR, Shape.SCALAR);
    }

    /// {@return the place of a step in a block of states; 0 in an initial one}
    private long at(long step) {
        return step < 0 ? 0 : step * state();
    }

    // The operands of a cell, in the order of [CellExpressions].

    private void nameForward() {
        switch (cell) {
            case RNN_TANH, RNN_RELU -> state(hidden, now);
            case LSTM -> {
                gates(gates, now);
                stateBefore(saved, savedStep, initialCell);
            }
            case GRU -> {
                gates(gates, now);
                gates(share, 0);
                stateBefore(hidden, state(), initialHidden);
            }
        }
        if (isPadded()) {
            if (cell != Cell.GRU) {
                stateBefore(hidden, state(), initialHidden);
            }
            cells.perRow(padding, now * batch);
        }
        if (!cell.isPlain()) {
            gates(gates, now);
            cells.operand(saved, now * savedStep, units);
        }
        state(hidden, now);
    }

    private void nameBackward() {
        switch (cell) {
            case RNN_TANH, RNN_RELU -> state(hidden, now);
            case LSTM -> {
                gates(gates, now);
                state(saved, now);
                stateBefore(saved, state(), initialCell);
            }
            case GRU -> {
                gates(gates, now);
                state(saved, now);
                stateBefore(hidden, state(), initialHidden);
            }
        }
        state(gradient, now);
        state(hiddenGradient, 0);
        if (cell == Cell.LSTM) {
            state(cellGradient, 0);
        }
        if (isPadded()) {
            cells.perRow(padding, now * batch);
        }
        gates(gateGradients, now);
        if (cell == Cell.LSTM) {
            state(cellGradient, 0);
        } else if (cell == Cell.GRU) {
            state(shareGradients, now);
        }
        if (addsToProduct()) {
            state(hiddenGradient, 0);
        }
    }

    /// Whether the gradient of a state has a part beside the product.
    private boolean addsToProduct() {
        return cell == Cell.GRU || isPadded();
    }

    private void gates(SequenceOperand block, long step) {
        for (int gate = 0; gate < cell.gates; gate++) {
            cells.operand(block, step * batch * rowOfGates() + gate * units, rowOfGates());
        }
    }

    private void state(SequenceOperand block, long step) {
        cells.operand(block, step * state(), units);
    }

    private void stateBefore(SequenceOperand block, long distance, SequenceOperand initial) {
        if (before < 0 && distance > 0) {
            cells.operand(initial, 0, units);
        } else {
            cells.operand(block, before * distance, units);
        }
    }

    /// Computes the gradients of the gates' sums of all steps, and those of the initial state. Nothing is empty.
    public void backward() {
        fill(hiddenGradient);
        if (cell == Cell.LSTM) {
            copy(gradient, steps * state(), cellGradient, 0);
        }
        var loop = cell.loop(wide, isPadded(), true);
        for (long i = steps - 1; i >= 0; i--) {
            go(i);
            nameBackward();
            cells.run(loop, batch, units);
            multiplyGradients();
        }
        forget();
    }

    /// The gradient of the previous h, from those of the gates.
    private void multiplyGradients() {
        long at = now * batch * rowOfGates();
        double beta = addsToProduct() ? 1 : 0;
        if (cell == Cell.GRU) {
            multiplyGradients(gateGradients, at, rowOfGates(), 0, 2 * units, beta);
            multiplyGradients(shareGradients, now * state(), units, 2 * units, units, 1);
        } else {
            multiplyGradients(gateGradients, at, rowOfGates(), 0, rowOfGates(), beta);
        }
    }

    private void multiplyGradients(SequenceOperand g, long at, long rowStep, long firstRow, long rows, double beta) {
        products.left(g.memory, g.offset + at, batch, rows, rowStep, false, (int) rowStep, 1);
        int increment = rows == 1 ? 1 : (int) units;
        products.right(weight.memory, weight.offset + firstRow * units, units, 1, false, (int) units, increment);
        multiply(hiddenGradient, 0, beta);
    }

    private void fill(SequenceOperand state) {
        ContiguousKernels.of(wide).fill(state.memory, state.offset, state(), 0);
    }

    private void copy(SequenceOperand from, long at, SequenceOperand to, long toAt) {
        long bytes = bytes();
        MemorySegment.copy(
                from.memory, (from.offset + at) * bytes, to.memory, (to.offset + toAt) * bytes, state() * bytes);
    }

    private long bytes() {
        return wide ? Double.BYTES : Float.BYTES;
    }

    private void forget() {
        for (SequenceOperand block : blocks) {
            block.set(null, 0);
        }
    }
}
