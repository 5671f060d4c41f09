package org.toydiff.internal.fusion;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiFunction;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.ElementSink;

/// A fused loop that reads the result of a launch, its first operand, piece by piece as the launch computes it: a
/// normalisation, softmax or dropout, or a gradient. An instance serves one launch at a time.
public final class FusedSink implements ElementSink {
    private final FusedPieces pieces;

    /// Creates the sink of a program.
    ///
    /// @param operands the launch's result, the other operands that are read, then those that are written, all of the
    ///     shape `matrix`
    public FusedSink(LoopProgram program, List<BlockView> operands, long[] matrix) {
        this(program, operands, matrix, FusedLoops::of);
    }

    /// Creates a sink whose loop `loops` makes, by program and layout.
    FusedSink(
            LoopProgram program,
            List<BlockView> operands,
            long[] matrix,
            BiFunction<LoopProgram, Columns[], Kernel.Fused> loops) {
        pieces = new FusedPieces(program, operands, 0, matrix, loops);
    }

    /// Lets an operand begin elsewhere in its memory from now on, the launch's result not counted.
    public void place(int operand, long offset) {
        pieces.place(operand, offset);
    }

    /// Sets the memory of each operand's block, but for the launch's result.
    public void bind(MemorySegment[] memory) {
        pieces.bind(memory);
    }

    @Override
    public void take(long from, long count, MemorySegment y, long at) {
        pieces.run(y, at, from, count);
    }
}
