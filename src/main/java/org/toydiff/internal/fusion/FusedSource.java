package org.toydiff.internal.fusion;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiFunction;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.workers.Workers;

/// A fused loop whose one result, a matrix, a launch reads piece by piece: a reduction, or softmax. The launch computes
/// the bits that it computes from memory, because it reads equal elements in the same order. An instance serves one
/// launch at a time.
public final class FusedSource implements ElementSource {
    private static final int MAX_IDLE = 64;

    private final LoopProgram program;
    private final Kernel.Fused loop;
    private final long columns;
    private final long[] offsets;
    private final long[] rowSteps;
    private final long[] steps;

    /// The place of the result among the operands.
    private final int result;

    /// The columns of the loop's matrix: all elements if rows follow each other in all operands.
    private final long loopColumns;

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

    /// Creates the source of a program with one output.
    ///
    /// @param inputs the operands that are read, of the shape `matrix`
    /// @param columns the columns of the matrix of which the launch asks for parts: those of `matrix`, or all
    public FusedSource(LoopProgram program, List<BlockView> inputs, long[] matrix, long columns) {
        this(program, inputs, matrix, columns, FusedLoops::of);
    }

    /// Creates a source whose loop `loops` makes, by program and layout.
    FusedSource(
            LoopProgram program,
            List<BlockView> inputs,
            long[] matrix,
            long columns,
            BiFunction<LoopProgram, Columns[], Kernel.Fused> loops) {
        this.program = program;
        this.columns = columns;
        result = inputs.size();
        List<BlockView> operands = new ArrayList<>(inputs);
        operands.add(new BlockView(-1, program.element(result), 0, Shape.strides(matrix)));
        offsets = operands.stream().mapToLong(BlockView::offset).toArray();
        OperandGrid grid = OperandGrid.of(matrix, operands);
        loopColumns = grid.columns;
        steps = grid.steps;
        boolean isFlat = grid.rows == 1;
        rowSteps = isFlat ? Arrays.stream(steps).map(step -> step * matrix[1]).toArray() : grid.rowSteps;
        loop = loops.apply(program, Columns.of(steps));
        for (int i = 0; i < Math.min(Workers.threads(), MAX_IDLE); i++) {
            idle.set(i, new Call(offsets.length));
        }
    }

    /// Lets an input begin elsewhere in its memory from now on.
    public void place(int input, long offset) {
        offsets[input] = offset;
    }

    /// Sets the memory of each input's block.
    public void bind(MemorySegment[] memory) {
        this.memory = memory;
    }

    @Override
    public MemorySegment compute(long i, long j, long rows, long columns) {
        MemorySegment y = Scratch.take();
        Call call = take();
        System.arraycopy(memory, 0, call.operands, 0, result);
        call.operands[result] = y;
        System.arraycopy(offsets, 0, call.starts, 0, result);
        System.arraycopy(rowSteps, 0, call.rowSteps, 0, result);
        try {
            if (columns == this.columns || rows == 1) {
                run(call, i * this.columns + j, rows * columns);
            } else {
                run(call, i, j, rows, columns, 0);
            }
        } catch (Throwable e) {
            Scratch.give(y);
            throw e;
        }
        give(call);
        return y;
    }

    /// Computes elements that follow each other: the rest of a row, then whole rows, then the beginning of another.
    private void run(Call call, long from, long count) {
        long at = from;
        long end = from + count;
        while (at < end) {
            long i = at / loopColumns;
            long j = at % loopColumns;
            long rows = j == 0 ? Math.max(1, (end - at) / loopColumns) : 1;
            long width = rows > 1 ? loopColumns : Math.min(loopColumns - j, end - at);
            run(call, i, j, rows, width, at - from);
            at += rows * width;
        }
    }

    /// Computes a part of the matrix, and writes its rows one after another to y from `to` on.
    private void run(Call call, long i, long j, long rows, long columns, long to) {
        call.starts[result] = to - i * columns - j;
        call.rowSteps[result] = columns;
        loop.run(call.operands, call.starts, call.rowSteps, steps, i, j, rows, columns);
    }

    private Call take() {
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

    /// {@return the program as readable pseudo-code}
    @Override
    public String toString() {
        return program.toString();
    }
}
