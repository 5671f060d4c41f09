package org.toydiff.internal.fusion;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.launch.Shape;

/// A fused loop whose one result, a matrix, a launch reads piece by piece: a reduction, softmax or dropout. The launch
/// computes the bits that it computes from memory, because it reads equal elements in the same order. An instance
/// serves one launch at a time.
public final class FusedSource extends FusedPieces implements ElementSource {
    private final long columns;

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
        super(program, operands(program, inputs, matrix), inputs.size(), matrix, loops);
        this.columns = columns;
    }

    /// {@return the inputs and the result}
    private static List<BlockView> operands(LoopProgram program, List<BlockView> inputs, long[] matrix) {
        List<BlockView> operands = new ArrayList<>(inputs);
        operands.add(new BlockView(-1, program.element(inputs.size()), 0, Shape.strides(matrix)));
        return operands;
    }

    @Override
    public MemorySegment compute(long i, long j, long rows, long columns) {
        MemorySegment y = Scratch.take();
        try {
            if (columns == this.columns || rows == 1) {
                run(y, 0, i * this.columns + j, rows * columns);
            } else {
                run(y, i, j, rows, columns);
            }
        } catch (Throwable e) {
            Scratch.give(y);
            throw e;
        }
        return y;
    }
}
