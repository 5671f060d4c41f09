package org.toydiff.internal.recurrence;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.launch.ProductWork;
import org.toydiff.internal.launch.Shape;

/// The steps of a recurrent layer over a sequence in progress. One object per thread, reused; it allocates nothing
/// when it runs.
///
/// Sizes: T steps, B rows of the batch, H hidden units, G gates, P elements of h: H unless an LSTM projects it. All
/// blocks are contiguous. Set those that the cell has, then call [#forward] or [#backward].
public final class SequenceWork {
    /// `[T, B, G·H]`: the inputs' share of the gates before [#forward], the gates after it. An RNN has none: its share
    /// is in [#hidden].
    public final SequenceOperand gates = new SequenceOperand();

    /// `[G·H, P]`: the weight of the hidden state.
    public final SequenceOperand weight = new SequenceOperand();

    /// `[G·H]`: a GRU's bias of the hidden state, if it has one.
    public final SequenceOperand bias = new SequenceOperand();

    /// The transpose of [#weight] in the panels of a [PanelProduct]; unset if it is multiplied as it is.
    public final SequenceOperand panels = new SequenceOperand();

    /// `[P, H]`: the weight of an LSTM's projection.
    public final SequenceOperand projection = new SequenceOperand();

    /// `[B, P]`: h before the first step.
    public final SequenceOperand initialHidden = new SequenceOperand();

    /// `[B, H]`: an LSTM's c before the first step.
    public final SequenceOperand initialCell = new SequenceOperand();

    /// `[T, B]`, bytes: whether a step of a row belongs to the padding; unset if none does.
    public final SequenceOperand padding = new SequenceOperand();

    /// `[T, B, P]`: h after each step; behind it, an LSTM's last c `[B, H]`.
    public final SequenceOperand hidden = new SequenceOperand();

    /// `[T, B, H]`: an LSTM's c after each step, or a GRU's share of h in its gate n; `[1, B, H]` where they are not
    /// kept.
    public final SequenceOperand saved = new SequenceOperand();

    /// `[T, B, H]`: the factors of an LSTM's projections, `[1, B, H]` where they are not kept.
    public final SequenceOperand unprojected = new SequenceOperand();

    /// `[B, G·H]`: a GRU's share of h in all gates of a step.
    public final SequenceOperand share = new SequenceOperand();

    /// The gradient of [#hidden].
    public final SequenceOperand gradient = new SequenceOperand();

    /// `[T, B, G·H]`: the gradients of the gates' sums.
    public final SequenceOperand gateGradients = new SequenceOperand();

    /// `[T, B, H]`: the gradients of a GRU's shares of h in its gate n.
    public final SequenceOperand shareGradients = new SequenceOperand();

    /// `[T, B, P]`: the gradients of an LSTM's projections.
    public final SequenceOperand projectionGradients = new SequenceOperand();

    /// `[B, H]`: the gradient of a projection's factor in one step.
    public final SequenceOperand unprojectedGradient = new SequenceOperand();

    /// `[B, P]`: the gradient of h as a state, at the end that of the initial one.
    public final SequenceOperand hiddenGradient = new SequenceOperand();

    /// `[B, H]`: the gradient of c, at the end that of the initial one.
    public final SequenceOperand cellGradient = new SequenceOperand();

    private final SequenceOperand[] blocks = {
        gates,
        weight,
        panels,
        projection,
        bias,
        initialHidden,
        initialCell,
        padding,
        hidden,
        saved,
        unprojected,
        share,
        gradient,
        gateGradients,
        shareGradients,
        projectionGradients,
        unprojectedGradient,
        hiddenGradient,
        cellGradient
    };

    private static final StepLoops PROJECTION = new StepLoops(CellExpressions::projection);

    private final ProductWork products = new ProductWork();
    private final PanelProduct panelProduct = new PanelProduct();
    private final CellWork cells = new CellWork();

    private Cell cell;
    private boolean wide;
    private long steps;
    private long batch;
    private long units;
    private long width;
    private boolean reverse;

    /// Whether [#saved] and [#unprojected] have a place for each step.
    private boolean keeps;

    // The step that runs, and the one before it in the order of the walk forward, or −1 for the initial state.
    private long now;
    private long before;

    /// Creates a work for one thread.
    public SequenceWork() {}

    /// {@return the columns of the panels to which the transpose of the weight is to be copied for [#forward], or 0 if
    /// it takes the weight as it is} Panels are `[units / columns, gates, width, columns]`.
    public static int panelColumns(Cell cell, long steps, long batch, long units, long width) {
        return PanelProduct.columns(cell.gates, steps, batch, units, width);
    }

    /// Sets what the next walk is over.
    ///
    /// @param wide whether the elements are FLOAT64
    /// @param width the elements of h, as many as there are units unless it is projected
    /// @param reverse whether the last step comes first
    public void over(Cell cell, boolean wide, long steps, long batch, long units, long width, boolean reverse) {
        this.cell = cell;
        this.wide = wide;
        this.steps = steps;
        this.batch = batch;
        this.units = units;
        this.width = width;
        this.reverse = reverse;
    }

    private long rowOfGates() {
        return cell.gates * units;
    }

    private boolean isProjected() {
        return cell == Cell.PROJECTED_LSTM;
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
    /// @param keep whether [#saved] and [#unprojected] have a place for each step, else they have one
    public void forward(boolean keep) {
        keeps = keep;
        if (cell.isLstm() && !keep) {
            copy(initialCell, 0, saved, 0);
        }
        var loop = cell.loop(wide, isPadded(), false);
        boolean inPanels = panels.memory != null;
        if (inPanels) {
            beginPanels();
        }
        try {
            for (long i = 0; i < steps; i++) {
                go(i);
                if (inPanels) {
                    nameProduct();
                    nameForward();
                    cells.run(panelProduct, loop, batch);
                } else {
                    multiplyHidden();
                    nameForward();
                    cells.run(loop, batch, units);
                }
                if (isProjected()) {
                    project();
                }
            }
        } finally {
            products.plain();
        }
        if (cell.isLstm()) {
            copy(saved, kept(now) * batch * units, hidden, steps * batch * width);
        }
        forget();
    }

    private void beginPanels() {
        panelProduct.wide = wide;
        panelProduct.gates = cell.gates;
        panelProduct.units = (int) units;
        panelProduct.width = (int) width;
        panelProduct.columns = PanelProduct.columns(cell.gates, steps, batch, units, width);
        panelProduct.depth = PanelProduct.depth(panelProduct.columns, width);
        panelProduct.panels = panels;
        panelProduct.bias = bias;
        panelProduct.y = sums();
        panelProduct.beta = betaOfSums();
    }

    /// Names the operands of the product of one step.
    private void nameProduct() {
        panelProduct.h = blockBefore();
        panelProduct.hAt = placeBefore();
        panelProduct.yAt = placeOfSums();
    }

    /// {@return the block that has the previous h}
    private SequenceOperand blockBefore() {
        return before < 0 ? initialHidden : hidden;
    }

    /// {@return where it is there}
    private long placeBefore() {
        return Math.max(before, 0) * batch * width;
    }

    /// {@return the sums to which the product with the previous h is added; a GRU keeps the two apart}
    private SequenceOperand sums() {
        return cell == Cell.GRU ? share : cell.isPlain() ? hidden : gates;
    }

    private long placeOfSums() {
        return cell == Cell.GRU ? 0 : now * batch * rowOfGates();
    }

    private double betaOfSums() {
        return cell == Cell.GRU ? 0 : 1;
    }

    /// {@return the place of a step in a block that may have one for all}
    private long kept(long step) {
        return keeps ? step : 0;
    }

    /// Adds the product of the previous h, and a GRU's bias, to the gates' sums.
    private void multiplyHidden() {
        SequenceOperand h = blockBefore();
        products.left(h.memory, h.offset + placeBefore(), batch, width, width, false, (int) width, 1);
        products.right(weight.memory, weight.offset, rowOfGates(), width, true, (int) width, 1);
        if (bias.memory != null) {
            products.addBias(BinaryKernel.ADD.of(wide), bias.memory, bias.offset, 1);
        }
        multiply(sums(), placeOfSums(), betaOfSums());
    }

    private void multiply(SequenceOperand y, long at, double beta) {
        products.run(wide, beta, y.memory, y.offset + at, Shape.SCALAR, Shape.SCALAR, Shape.SCALAR);
    }

    /// Computes h from the factor that the cell gave; in padding, h stays as it is.
    private void project() {
        long at = unprojected.offset + kept(now) * batch * units;
        products.left(unprojected.memory, at, batch, units, units, false, (int) units, 1);
        products.right(projection.memory, projection.offset, width, units, true, (int) units, 1);
        multiply(hidden, now * batch * width, 0);
        if (isPadded()) {
            hidden(hidden, now);
            hiddenBefore();
            cells.perRow(padding, now * batch);
            hidden(hidden, now);
            cells.run(PROJECTION.get(wide, true, false), batch, width);
        }
    }

    // The operands of a cell, in the order of [CellExpressions].

    private void nameForward() {
        switch (cell) {
            case RNN_TANH, RNN_RELU -> hidden(hidden, now);
            case LSTM, PROJECTED_LSTM -> {
                gates(gates, now);
                cellBefore();
            }
            case GRU -> {
                gates(gates, now);
                gates(share, 0);
                hiddenBefore();
            }
        }
        if (isPadded()) {
            if (cell != Cell.GRU && !isProjected()) {
                hiddenBefore();
            }
            cells.perRow(padding, now * batch);
        }
        if (!cell.isPlain()) {
            gates(gates, now);
            units(saved, kept(now));
        }
        if (isProjected()) {
            units(unprojected, kept(now));
        } else {
            hidden(hidden, now);
        }
    }

    private void nameBackward() {
        switch (cell) {
            case RNN_TANH, RNN_RELU -> hidden(hidden, now);
            case LSTM, PROJECTED_LSTM -> {
                gates(gates, now);
                units(saved, now);
                cellBefore();
            }
            case GRU -> {
                gates(gates, now);
                units(saved, now);
                hiddenBefore();
            }
        }
        if (isProjected()) {
            units(unprojectedGradient, 0);
        } else {
            hidden(gradient, now);
            hidden(hiddenGradient, 0);
        }
        if (cell.isLstm()) {
            units(cellGradient, 0);
        }
        if (isPadded()) {
            cells.perRow(padding, now * batch);
        }
        gates(gateGradients, now);
        if (cell.isLstm()) {
            units(cellGradient, 0);
        } else if (cell == Cell.GRU) {
            units(shareGradients, now);
        }
        if (addsToProduct() && !isProjected()) {
            hidden(hiddenGradient, 0);
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

    /// Adds an operand with an element for each unit.
    private void units(SequenceOperand block, long step) {
        cells.operand(block, step * batch * units, units);
    }

    /// Adds an operand with an element for each of h.
    private void hidden(SequenceOperand block, long step) {
        cells.operand(block, step * batch * width, width);
    }

    private void hiddenBefore() {
        hidden(blockBefore(), Math.max(before, 0));
    }

    /// Adds the previous c; where c has one place, it is there from the beginning.
    private void cellBefore() {
        if (before < 0 && keeps) {
            units(initialCell, 0);
        } else {
            units(saved, kept(before));
        }
    }

    /// Computes the gradients of the gates' sums of all steps, and those of the initial state. Nothing is empty.
    public void backward() {
        keeps = true;
        ContiguousKernels.of(wide).fill(hiddenGradient.memory, hiddenGradient.offset, batch * width, 0);
        if (cell.isLstm()) {
            copy(gradient, steps * batch * width, cellGradient, 0);
        }
        var loop = cell.loop(wide, isPadded(), true);
        for (long i = steps - 1; i >= 0; i--) {
            go(i);
            if (isProjected()) {
                unproject();
            }
            nameBackward();
            cells.run(loop, batch, units);
            multiplyGradients();
        }
        forget();
    }

    /// The gradients of a step's projection and of its factor.
    private void unproject() {
        hidden(gradient, now);
        hidden(hiddenGradient, 0);
        if (isPadded()) {
            cells.perRow(padding, now * batch);
        }
        hidden(projectionGradients, now);
        if (isPadded()) {
            hidden(hiddenGradient, 0);
        }
        cells.run(PROJECTION.get(wide, isPadded(), true), batch, width);
        long at = projectionGradients.offset + now * batch * width;
        products.left(projectionGradients.memory, at, batch, width, width, false, (int) width, 1);
        products.right(projection.memory, projection.offset, units, 1, false, (int) units, (int) units);
        multiply(unprojectedGradient, 0, 0);
    }

    /// The gradient of the previous h, from those of the gates.
    private void multiplyGradients() {
        long at = now * batch * rowOfGates();
        double beta = addsToProduct() ? 1 : 0;
        if (cell == Cell.GRU) {
            multiplyGradients(gateGradients, at, rowOfGates(), 0, 2 * units, beta);
            multiplyGradients(shareGradients, now * batch * units, units, 2 * units, units, 1);
        } else {
            multiplyGradients(gateGradients, at, rowOfGates(), 0, rowOfGates(), beta);
        }
    }

    private void multiplyGradients(SequenceOperand g, long at, long rowStep, long firstRow, long rows, double beta) {
        products.left(g.memory, g.offset + at, batch, rows, rowStep, false, (int) rowStep, 1);
        products.right(weight.memory, weight.offset + firstRow * width, width, 1, false, (int) width, (int) width);
        multiply(hiddenGradient, 0, beta);
    }

    /// Copies a c.
    private void copy(SequenceOperand from, long at, SequenceOperand to, long toAt) {
        long bytes = bytes();
        MemorySegment.copy(
                from.memory, (from.offset + at) * bytes, to.memory, (to.offset + toAt) * bytes, batch * units * bytes);
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
