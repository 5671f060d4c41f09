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
}
