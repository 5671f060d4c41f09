package org.toydiff.internal.fusion;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Pieces;
import org.toydiff.internal.kernels.Staging;

/// A fused loop in scalar form: the rows around generated arithmetic. Rows that are not short pass through a [Staging]
/// block by block, if their operands are contiguous or repeated elements.
public final class FusedRows implements Kernel.Fused {
    /// The generated arithmetic, without fields.
    public interface Body {
        /// Computes n elements of a row in memory; element j of operand k lies at `places[k] + j·steps[k]`.
        void row(MemorySegment[] operands, long[] places, long[] steps, long n);

        /// Computes the first elements of the operands' arrays.
        void block(Object[] arrays, int count);
    }

    private final Body body;
    private final ValueLayout[] layouts;
    private final int inputs;
    private final boolean adjacent;
    private final Pieces pieces = new Pieces();

    FusedRows(LoopProgram program, Columns[] columns, Body body) {
        this.body = body;
        inputs = program.inputs().size();
        adjacent = Columns.adjacent(columns);
        layouts = new ValueLayout[program.operandCount()];
        Arrays.setAll(layouts, k -> layout(program.element(k)));
    }

    /// {@return the layout in which a loop reads elements: an integer as the number with its bits}
    private static ValueLayout layout(Element element) {
        return switch (element) {
            case BOOL -> JAVA_BYTE;
            case BFLOAT16 -> JAVA_SHORT;
            case FLOAT32, INT32 -> JAVA_FLOAT;
            case FLOAT64, INT64 -> JAVA_DOUBLE;
        };
    }

    @Override
    public void run(
            MemorySegment[] operands,
            long[] starts,
            long[] rowSteps,
            long[] steps,
            long i0,
            long j0,
            long n1,
            long n2) {
        Staging staging = Staging.take();
        long[] places = staging.starts();
        for (long i = i0; i < i0 + n1; i++) {
            for (int k = 0; k < layouts.length; k++) {
                places[k] = starts[k] + i * rowSteps[k] + j0 * steps[k];
            }
            if (adjacent && n2 >= Staging.SHORTEST) {
                inBlocks(operands, staging, steps, n2);
            } else {
                inPieces(operands, places, steps, n2);
            }
        }
        staging.giveBack();
    }

    private void inPieces(MemorySegment[] operands, long[] places, long[] steps, long n) {
        for (long j = 0, count; j < n; j += count) {
            count = Math.min(pieces.next(), n - j);
            body.row(operands, places, steps, count);
            for (int k = 0; k < layouts.length; k++) {
                places[k] += count * steps[k];
            }
        }
    }

    private void inBlocks(MemorySegment[] operands, Staging staging, long[] steps, long n) {
        int read = 0;
        for (int k = 0; k < layouts.length; k++) {
            staging.set(k, layouts[k], operands[k], staging.starts()[k]);
            if (k < inputs && steps[k] == 0) {
                staging.repeat(k);
            } else if (k < inputs) {
                read |= 1 << k;
            }
        }
        int written = (1 << layouts.length) - (1 << inputs);
        for (long j = 0; j < n; j += Staging.LENGTH) {
            int count = Staging.blockLength(j, n);
            staging.load(read, j, count);
            body.block(staging.arrays(), count);
            staging.store(written, j, count);
        }
    }
}
