package org.toydiff;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.plan.PlanDrawing;

/// The launches of a recorded [CompiledFunction], in order, and the blocks of memory between them.
///
/// @param plannedBytes the bytes of the block in which all temporaries lie
/// @param lowerBoundBytes the most bytes of temporaries that live at one time, below which no plan can be
/// @param launches what a replay does, in order
/// @param blocks the temporaries
/// @param fusedLoops the number of launches that are several elementwise ops in one loop
public record ExecutionPlan(
        long plannedBytes, long lowerBoundBytes, List<Launch> launches, List<Block> blocks, int fusedLoops) {
    /// Copies the lists.
    public ExecutionPlan {
        launches = List.copyOf(launches);
        blocks = List.copyOf(blocks);
    }

    /// One step of a replay.
    ///
    /// @param step its number; numbers in between are changes of state without a launch
    /// @param op the name of the op
    /// @param dtype the dtype of the result; null for code of [CompiledFunction#onEachRun] and checks
    /// @param shape the shape of the result; null likewise
    /// @param loop the loop of several elementwise ops as readable pseudo-code; null for any other launch. Rows
    ///     that pass between a loop and another op are `r0`, `r1`: `r0 = layerNorm(…)`, then `y0 = add(x0, r0)`
    public record Launch(int step, String op, DType dtype, long[] shape, String loop) {
        /// Copies the shape.
        public Launch {
            shape = shape == null ? null : shape.clone();
        }

        /// {@return the shape of the result, a copy; null if there is none}
        @Override
        public long[] shape() {
            return shape == null ? null : shape.clone();
        }

        /// {@return whether all parts are equal}
        ///
        /// @param other the object to compare with
        @Override
        public boolean equals(Object other) {
            return other instanceof Launch that
                    && step == that.step
                    && op.equals(that.op)
                    && dtype == that.dtype
                    && Arrays.equals(shape, that.shape)
                    && Objects.equals(loop, that.loop);
        }

        @Override
        public int hashCode() {
            return 31 * step + op.hashCode();
        }

        /// {@return op, dtype and shape, and the loop in the lines below}
        @Override
        public String toString() {
            String head = dtype == null ? op : op + " " + dtype + " " + Shape.text(shape);
            return loop == null
                    ? head
                    : head + System.lineSeparator() + loop.indent(4).stripTrailing();
        }
    }

    /// A temporary in the planned memory. The result of an elementwise launch may take the place of an operand that is
    /// not read afterwards.
    ///
    /// @param op the name of the op that made it
    /// @param offset where it begins, in bytes
    /// @param bytes its size, rounded up to a multiple of 64
    /// @param first the step that writes it first
    /// @param last the step that reads it last; the number of steps for a result
    public record Block(String op, long offset, long bytes, int first, int last) {}

    /// {@return a table of the blocks under a line of totals}
    @Override
    public String toString() {
        var text = new StringBuilder(totals()).append(System.lineSeparator());
        text.append(
                String.format(Locale.ROOT, "%-20s %14s %14s %6s %6s%n", "block", "offset", "bytes", "first", "last"));
        for (Block block : blocks) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-20s %,14d %,14d %6d %6d%n",
                    block.op,
                    block.offset,
                    block.bytes,
                    block.first,
                    block.last));
        }
        return text.toString().stripTrailing();
    }

    private String totals() {
        return String.format(
                Locale.ROOT,
                "%,d launches, %,d of them fused loops; %,d B planned, at least %,d B",
                launches.size(),
                fusedLoops,
                plannedBytes,
                lowerBoundBytes);
    }

    /// Writes the picture of [#svg()].
    ///
    /// @param file the file to write or replace
    /// @throws IOException naming the file, if it cannot be written
    public void writeSvg(Path file) throws IOException {
        AtomicFile.writeText(file, text -> text.append(svg()));
    }

    /// Draws the memory: time across, address up, one rectangle for each block, whose name and bytes show under the
    /// pointer.
    ///
    /// @return an SVG picture
    public String svg() {
        int steps = launches.isEmpty() ? 0 : launches.getLast().step() + 1;
        var drawing = new PlanDrawing(totals(), steps, plannedBytes);
        for (Block block : blocks) {
            drawing.block(block.op, block.offset, block.bytes, block.first, block.last);
        }
        return drawing.end();
    }
}
