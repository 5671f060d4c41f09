package org.toydiff.internal.recurrence;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Staging;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One step of a batch of cells in progress, in parts of some rows; where the product of the step is one of panels, in
/// parts of some rows and units, each with its share of that product. Reused: allocates nothing when it runs.
final class CellWork extends Work {
    /// Elements per part: each costs several exponentials, some fifty times an addition.
    private static final long PART = 1 << 12;

    private final MemorySegment[] memory = new MemorySegment[Staging.MAX_OPERANDS];
    private final long[] starts = new long[Staging.MAX_OPERANDS];
    private final long[] rowSteps = new long[Staging.MAX_OPERANDS];
    private final long[] steps = new long[Staging.MAX_OPERANDS];
    private int operands;
    private Kernel.Fused loop;

    /// The product that comes before the loop in each part, or null.
    private PanelProduct product;

    private long rows;

    // The sizes of a part, and the number of parts beside each other.
    private long perPart;
    private long columns;
    private long across;

    /// Adds an operand of the next [#run]: those that are read come first.
    ///
    /// @param at the distance of its first element from the block's, in elements
    /// @param rowStep the distance between rows
    void operand(SequenceOperand block, long at, long rowStep) {
        operand(block, at, rowStep, 1);
    }

    /// Adds an operand with one element for each row.
    void perRow(SequenceOperand block, long at) {
        operand(block, at, 1, 0);
    }

    private void operand(SequenceOperand block, long at, long rowStep, long step) {
        memory[operands] = block.memory;
        starts[operands] = block.offset + at;
        rowSteps[operands] = rowStep;
        steps[operands++] = step;
    }

    /// Runs a loop over `rows` cells of `columns` hidden units each.
    void run(Kernel.Fused loop, long rows, long columns) {
        this.columns = columns;
        across = 1;
        perPart = Math.max(1, PART / columns);
        run(loop, rows);
    }

    /// Runs a product and a loop over `rows` cells of all its units.
    void run(PanelProduct product, Kernel.Fused loop, long rows) {
        this.product = product;
        columns = product.columns;
        across = product.units / product.columns;
        perPart = PanelProduct.ROWS;
        run(loop, rows);
    }

    private void run(Kernel.Fused loop, long rows) {
        this.loop = loop;
        this.rows = rows;
        try {
            Workers.run(this, parts(rows, perPart) * across);
        } finally {
            Arrays.fill(memory, 0, operands, null);
            operands = 0;
            product = null;
        }
    }

    @Override
    protected void part(long index) {
        long row = index / across * perPart;
        long column = index % across * columns;
        long height = Math.min(perPart, rows - row);
        if (product != null) {
            product.run(row, column, (int) height);
        }
        loop.run(memory, starts, rowSteps, steps, row, column, height, columns);
    }
}
