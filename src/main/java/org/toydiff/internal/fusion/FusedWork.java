package org.toydiff.internal.fusion;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiFunction;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// A fused loop over operands of given layouts. An instance serves one thread at a time, and allocates nothing when
/// it runs.
public final class FusedWork extends Work implements OperandPlaces {
    /// Elements per part, as in [org.toydiff.internal.launch.ElementWork].
    private static final long PART = 1 << 15;

    private final LoopProgram program;
    private final Kernel.Fused loop;
    private final OperandGrid grid;
    private final boolean empty;

    /// The place of each operand's first element.
    private final long[] offsets;

    /// The same in the part of the grid under the current positions along the outer axes.
    private final long[] starts;

    // The size of a part, and the number of parts in a row.
    private final long rows;
    private final long columns;
    private final long across;

    private MemorySegment[] memory;

    /// Creates the work of a program on a shape.
    ///
    /// @param operands the operands that are read, then those that are written
    public FusedWork(LoopProgram program, List<BlockView> operands, long[] shape) {
        this(program, operands, shape, FusedLoops::of);
    }

    /// Creates a work whose loop `loops` makes, by program and layout.
    FusedWork(
            LoopProgram program,
            List<BlockView> operands,
            long[] shape,
            BiFunction<LoopProgram, Columns[], Kernel.Fused> loops) {
        this.program = program;
        grid = OperandGrid.of(shape, operands);
        loop = loops.apply(program, Columns.of(grid.steps));
        empty = Shape.empty(shape);
        offsets = operands.stream().mapToLong(BlockView::offset).toArray();
        starts = new long[offsets.length];
        columns = Math.max(1, Math.min(grid.columns, PART));
        rows = PART / columns;
        across = parts(grid.columns, columns);
    }

    @Override
    public void place(int operand, long offset) {
        offsets[operand] = offset;
    }

    /// Runs the loop, on several threads if it is long.
    ///
    /// @param memory the memory of each operand's block
    public void run(MemorySegment[] memory) {
        if (empty) {
            return;
        }
        System.arraycopy(offsets, 0, starts, 0, starts.length);
        this.memory = memory;
        try {
            walk(0);
        } finally {
            this.memory = null;
        }
    }

    private void walk(int axis) {
        if (axis == grid.outer.length) {
            if (grid.rows * grid.columns <= PART) {
                loop.run(memory, starts, grid.rowSteps, grid.steps, 0, 0, grid.rows, grid.columns);
            } else {
                Workers.run(this, parts(grid.rows, rows) * across);
            }
            return;
        }
        for (long i = 0; i < grid.outer[axis]; i++) {
            walk(axis + 1);
            move(axis, 1);
        }
        move(axis, -grid.outer[axis]);
    }

    private void move(int axis, long distance) {
        for (int k = 0; k < starts.length; k++) {
            starts[k] += distance * grid.outerSteps[axis][k];
        }
    }

    @Override
    protected void part(long index) {
        long i = index / across * rows;
        long j = index % across * columns;
        loop.run(
                memory,
                starts,
                grid.rowSteps,
                grid.steps,
                i,
                j,
                Math.min(rows, grid.rows - i),
                Math.min(columns, grid.columns - j));
    }

    /// {@return the program as readable pseudo-code}
    @Override
    public String toString() {
        return program.toString();
    }
}
