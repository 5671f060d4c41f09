package org.toydiff.internal.fusion;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiFunction;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.ElementSink;

/// A fused loop that reads the result of a launch, its first operand, piece by piece as the launch computes it: a
/// normalisation, softmax or dropout, or a gradient. An instance serves one launch at a time.
public final class FusedSink extends FusedPieces implements ElementSink {
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
        super(program, operands, 0, matrix, loops);
    }

    @Override
    public void take(long from, long count, MemorySegment y, long at) {
        run(y, at, from, count);
    }
}
