package org.toydiff.internal.fusion;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiFunction;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Workers;

/// A fused loop over a matrix that runs over any part of it at any time, and of which one operand exists piece by piece
/// only: its result, which a [FusedSource] computes, or the operand that a [FusedSink] takes. Several threads may run
/// parts at once, all of one launch.
public abstract sealed class FusedPieces implements OperandPlaces permits FusedSource, FusedSink {
    private static final int MAX_IDLE = 64;

    private final Kernel.Fused loop;
    private final long[] offsets;
    private final long[] rowSteps;
    private final long[] steps;

    /// The place among the operands of the one that comes in pieces.
    private final int pieced;

    /// The place of the first one of the others, which follow each other.
    private final int others;

    /// The columns of the loop's matrix: all elements if rows follow each other in all operands.
    private final long columns;

    /// The arguments of calls that do not run.
    private final AtomicReferenceArray<Call> idle = new AtomicReferenceArray<>(MAX_IDLE);

    private MemorySegment[] memory;

    /// The arguments of a call of the loop.
    private static final class Call {
        final MemorySegment[] operands;
        final long[] starts;
        final long[] rowSteps;

        Call(int operands) {
            this.operands = new MemorySegment[operands];
            starts = new long[operands];
            rowSteps = new long[operands];
        }
    }

    /// Creates the loop of a program, which `loops` makes, by program and layout.
    ///
    /// @param operands all operands of the program, as views of the shape `matrix`
    /// @param pieced the place of the one that comes in pieces, the first or the last
    FusedPieces(
            LoopProgram program,
            List<BlockView> operands,
            int pieced,
            long[] matrix,
            BiFunction<LoopProgram, Columns[], Kernel.Fused> loops) {
        this.pieced = pieced;
        others = pieced == 0 ? 1 : 0;
        offsets = operands.stream().mapToLong(BlockView::offset).toArray();
        OperandGrid grid = OperandGrid.of(matrix, operands);
        columns = grid.columns;
        steps = grid.steps;
        boolean isFlat = grid.rows == 1;
        rowSteps = isFlat ? Arrays.stream(steps).map(step -> step * matrix[1]).toArray() : grid.rowSteps;
        loop = loops.apply(program, Columns.of(steps));
        for (int i = 0; i < Math.min(Workers.threads(), MAX_IDLE); i++) {
            idle.set(i, new Call(offsets.length));
        }
    }

    @Override
    public final void place(int operand, long offset) {
        offsets[others + operand] = offset;
    }

    /// Sets the memory of each operand's block, of all but the one in pieces.
    public final void bind(MemorySegment[] memory) {
        this.memory = memory;
    }

    /// Runs over elements in row-major order from an index on; a piece has those of its operand from `at` on.
    final void run(MemorySegment piece, long at, long from, long count) {
        Call call = take(piece);
        long next = from;
        long end = from + count;
        while (next < end) {
            // The rest of a row, then whole rows, then the beginning of another.
            long i = next / columns;
            long j = next % columns;
            long rows = j == 0 ? Math.max(1, (end - next) / columns) : 1;
            long width = rows > 1 ? columns : Math.min(columns - j, end - next);
            run(call, at + next - from, i, j, rows, width);
            next += rows * width;
        }
        give(call);
    }

    /// Runs over a part of the matrix, of which a piece has the rows one after another from its beginning on.
    final void run(MemorySegment piece, long i, long j, long rows, long width) {
        Call call = take(piece);
        run(call, 0, i, j, rows, width);
        give(call);
    }

    private void run(Call call, long at, long i, long j, long rows, long width) {
        call.starts[pieced] = at - i * width - j;
        call.rowSteps[pieced] = width;
        loop.run(call.operands, call.starts, call.rowSteps, steps, i, j, rows, width);
    }

    /// Calls that fail are not given back.
    private Call take(MemorySegment piece) {
        Call call = idle();
        System.arraycopy(memory, 0, call.operands, others, memory.length);
        System.arraycopy(offsets, 0, call.starts, 0, offsets.length);
        System.arraycopy(rowSteps, 0, call.rowSteps, 0, rowSteps.length);
        call.operands[pieced] = piece;
        return call;
    }

    private Call idle() {
        for (int k = 0; k < MAX_IDLE; k++) {
            Call call = idle.get(k);
            if (call != null && idle.compareAndSet(k, call, null)) {
                return call;
            }
        }
        return new Call(offsets.length);
    }

    private void give(Call call) {
        for (int k = 0; k < MAX_IDLE; k++) {
            if (idle.get(k) == null && idle.compareAndSet(k, null, call)) {
                return;
            }
        }
    }
}
