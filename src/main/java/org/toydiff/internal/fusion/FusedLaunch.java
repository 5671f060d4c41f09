package org.toydiff.internal.fusion;

import java.util.List;
import org.toydiff.internal.fusion.LoopProgram.Names;

/// A launch that the [Fuser] returns.
public sealed interface FusedLaunch {
    /// A launch as it was recorded.
    ///
    /// @param launch its place in the list
    record Unchanged(int launch) implements FusedLaunch {}

    /// Several launches as one loop, which a [FusedWork] runs unless it is part of a [Streamed].
    ///
    /// @param launches their places in the list, ascending
    /// @param operands those that are read, then those that are written
    /// @param shape the shape of all operands
    record Loop(List<Integer> launches, LoopProgram program, List<BlockView> operands, long[] shape)
            implements FusedLaunch {}

    /// A launch that reads its first operand from a loop, a [FusedSource], or writes its result to one, a [FusedSink],
    /// instead of memory. Either loop, whose shape is a matrix, may be null.
    ///
    /// @param launch its place in the list
    /// @param source the loop that computes the operand, its one output
    /// @param columns the columns of the matrix as which the launch asks for its operand: those of the loop, or all
    /// @param sink the loop that reads the result, its first operand
    /// @param keepsResult whether the launch also stores its result
    record Streamed(int launch, Loop source, long columns, Loop sink, boolean keepsResult) implements FusedLaunch {
        /// {@return the operands that the source reads}
        public List<BlockView> inputs() {
            return source.operands().subList(0, source.operands().size() - 1);
        }

        /// {@return readable pseudo-code} Values that exist piece by piece are `r0` and `r1`; a reduction's result is
        /// left out.
        ///
        /// @param op the name of the launch
        public String code(String op) {
            if (sink == null) {
                return source.program().toString();
            }
            String y = keepsResult ? "y0" : source == null ? "r0" : "r1";
            int results = keepsResult ? 1 : 0;
            if (source == null) {
                return y + " = " + op + "(…)\n" + sink.program().text(new Names(0, 0, results, y, null));
            }
            LoopProgram before = source.program();
            var after = new Names(before.inputs().size(), before.calls().size(), results, y, null);
            return String.join(
                    "\n",
                    before.text(new Names(0, 0, 0, null, "r0")),
                    y + " = " + op + "(r0)",
                    sink.program().text(after));
        }
    }
}
