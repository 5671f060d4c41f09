package org.toydiff.internal.fusion;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;

/// A fused loop in scalar form: the rows around generated arithmetic. Rows that are not short pass through Java arrays
/// block by block, if their operands are contiguous or repeated elements: an access to an array is one bytecode, one to
/// a memory segment a dozen calls until C2 has compiled them.
public final class FusedRows implements Kernel.Fused {
    /// Elements of an array.
    private static final int LENGTH = 512;

    /// Rows shorter than this are computed in memory: copies would cost more than they save.
    private static final int SHORTEST = 64;

    private static final int MAX_IDLE = 16;

    /// The generated arithmetic, without fields.
    public interface Body {
        /// Computes a row of n elements in memory; element j of operand k lies at `places[k] + j·steps[k]`.
        void row(MemorySegment[] operands, long[] places, long[] steps, long n);

        /// Computes the first elements of the operands' arrays.
        void block(Object[] arrays, int count);
    }

    private final Body body;
    private final ValueLayout[] layouts;
    private final int inputs;
    private final boolean adjacent;

    /// The buffers of calls that do not run. One that is not given back, because the body threw an exception, is left
    /// to the garbage collector.
    private final AtomicReferenceArray<Buffer> idle = new AtomicReferenceArray<>(MAX_IDLE);

    FusedRows(LoopProgram program, Columns[] columns, Body body) {
        this.body = body;
        inputs = program.inputs().size();
        adjacent = Columns.adjacent(columns);
        layouts = new ValueLayout[program.operandCount()];
        Arrays.setAll(layouts, k -> layout(program.element(k)));
    }

    /// {@return the layout in which a loop reads elements: an integer as the number with its bits}
    private static ValueLayout layout(Element element) {
        return element == Element.BOOL ? JAVA_BYTE : element.bytes == Double.BYTES ? JAVA_DOUBLE : JAVA_FLOAT;
    }

    /// The memory of a call: a block's elements by operand, and the place of a row.
    private static final class Buffer {
        final Object[] arrays;
        final long[] places;

        Buffer(ValueLayout[] layouts) {
            arrays = new Object[layouts.length];
            Arrays.setAll(arrays, k -> Array.newInstance(layouts[k].carrier(), LENGTH));
            places = new long[layouts.length];
        }
    }

    private Buffer take() {
        for (int i = 0; i < MAX_IDLE; i++) {
            Buffer buffer = idle.getAndSet(i, null);
            if (buffer != null) {
                return buffer;
            }
        }
        return new Buffer(layouts);
    }

    private void give(Buffer buffer) {
        for (int i = 0; i < MAX_IDLE; i++) {
            if (idle.compareAndSet(i, null, buffer)) {
                return;
            }
        }
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
        Buffer buffer = take();
        long[] places = buffer.places;
        for (long i = i0; i < i0 + n1; i++) {
            for (int k = 0; k < places.length; k++) {
                places[k] = starts[k] + i * rowSteps[k] + j0 * steps[k];
            }
            if (adjacent && n2 >= SHORTEST) {
                inBlocks(operands, buffer, steps, n2);
            } else {
                body.row(operands, places, steps, n2);
            }
        }
        give(buffer);
    }

    private void inBlocks(MemorySegment[] operands, Buffer buffer, long[] steps, long n) {
        for (int k = 0; k < inputs; k++) {
            if (steps[k] == 0) {
                repeat(operands[k], k, buffer);
            }
        }
        for (long j = 0; j < n; j += LENGTH) {
            int count = (int) Math.min(LENGTH, n - j);
            for (int k = 0; k < inputs; k++) {
                if (steps[k] != 0) {
                    MemorySegment.copy(operands[k], layouts[k], offset(k, buffer, j), buffer.arrays[k], 0, count);
                }
            }
            body.block(buffer.arrays, count);
            for (int k = inputs; k < operands.length; k++) {
                MemorySegment.copy(buffer.arrays[k], 0, operands[k], layouts[k], offset(k, buffer, j), count);
            }
        }
    }

    /// Fills an operand's array with one element.
    private void repeat(MemorySegment operand, int k, Buffer buffer) {
        Object array = buffer.arrays[k];
        MemorySegment.copy(operand, layouts[k], offset(k, buffer, 0), array, 0, 1);
        for (int n = 1; n < LENGTH; n *= 2) {
            System.arraycopy(array, 0, array, n, n);
        }
    }

    private long offset(int operand, Buffer buffer, long j) {
        return (buffer.places[operand] + j) * layouts[operand].byteSize();
    }
}
