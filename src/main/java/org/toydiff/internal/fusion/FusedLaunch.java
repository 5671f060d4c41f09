package org.toydiff.internal.fusion;

import java.util.List;

/// A launch that the [Fuser] returns.
public sealed interface FusedLaunch {
    /// A launch as it was recorded.
    ///
    /// @param launch its place in the list
    record Unchanged(int launch) implements FusedLaunch {}

    /// Several launches as one loop, which a [FusedWork] runs.
    ///
    /// @param launches their places in the list, ascending
    /// @param operands those that are read, then those that are written
    /// @param shape the shape of all operands
    record Loop(List<Integer> launches, LoopProgram program, List<BlockView> operands, long[] shape)
            implements FusedLaunch {}

    /// A launch that reads its first operand from a loop, a [FusedSource], instead of memory.
    ///
    /// @param launch its place in the list
    /// @param producers the places of the launches of the loop, ascending
    /// @param program the loop, with one output
    /// @param inputs the operands that the loop reads
    /// @param shape the shape of the loop, a matrix
    /// @param columns the columns of the matrix as which the launch asks for its operand: those of the loop, or all
    record Fed(
            int launch,
            List<Integer> producers,
            LoopProgram program,
            List<BlockView> inputs,
            long[] shape,
            long columns)
            implements FusedLaunch {}
}
