package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// Java arrays through which loops in scalar form pass contiguous operands, some hundred elements at a time.
///
/// An access to a memory segment is a dozen calls, which only C2 reduces to one instruction: a training step whose
/// loops accessed segments took a hundred times as long in the interpreter and C1 as it did later. An access to an
/// array is one bytecode, and a copy between an array and a segment costs little wherever it runs.
///
/// A thread takes a staging for the duration of a loop; those given back serve other threads. One that is not given
/// back, because the loop threw an exception, is left to the garbage collector.
public final class Staging {
    /// Elements of an array: those of four operands stay in a first-level cache. A multiple of a virtual vector.
    public static final int LENGTH = 512;

    /// Rows or runs shorter than this are computed in memory: copies would cost more than they save.
    public static final int SHORTEST = 64;

    /// The most operands of a loop.
    public static final int MAX_OPERANDS = 16;

    /// The place of the array with the lanes of a virtual vector, after those of the operands.
    static final int LANES = MAX_OPERANDS;

    private static final int MAX_IDLE = 16;
    private static final AtomicReferenceArray<Staging> IDLE = new AtomicReferenceArray<>(MAX_IDLE);

    private final Map<Class<?>, Object[]> known = new HashMap<>();

    // The operands in use.
    private final Object[] arrays = new Object[MAX_OPERANDS];
    private final ValueLayout[] layouts = new ValueLayout[MAX_OPERANDS];
    private final MemorySegment[] segments = new MemorySegment[MAX_OPERANDS];
    private final long[] starts = new long[MAX_OPERANDS];

    private Staging() {}

    /// {@return a staging that no other thread uses}
    public static Staging take() {
        for (int i = 0; i < MAX_IDLE; i++) {
            Staging idle = IDLE.getAndSet(i, null);
            if (idle != null) {
                return idle;
            }
        }
        return new Staging();
    }

    /// Lets other loops use it.
    public void giveBack() {
        Arrays.fill(segments, null);
        for (int i = 0; i < MAX_IDLE; i++) {
            if (IDLE.compareAndSet(i, null, this)) {
                return;
            }
        }
    }

    /// {@return whether operands with these steps, that of the result first, can be staged} Inputs with step 0 are
    /// single repeated elements.
    static boolean fits(long n, long resultStep, long step, long otherStep) {
        return n >= SHORTEST && resultStep == 1 && ((step | otherStep) & -2) == 0;
    }

    /// {@return the layout of FLOAT64 (`wide`) or FLOAT32}
    static ValueLayout layout(boolean wide) {
        return wide ? ValueLayout.JAVA_DOUBLE : ValueLayout.JAVA_FLOAT;
    }

    /// {@return an array for an operand or for the lanes} Its elements are undefined.
    Object array(int operand, ValueLayout layout) {
        Object[] ofType = known.get(layout.carrier());
        if (ofType == null) {
            ofType = new Object[LANES + 1];
            known.put(layout.carrier(), ofType);
        }
        if (ofType[operand] == null) {
            ofType[operand] = Array.newInstance(layout.carrier(), LENGTH);
        }
        return ofType[operand];
    }

    /// Sets an operand, of which element 0 is at `start`, and returns its array.
    public Object set(int operand, ValueLayout layout, MemorySegment x, long start) {
        if (layouts[operand] != layout) {
            arrays[operand] = array(operand, layout);
            layouts[operand] = layout;
        }
        segments[operand] = x;
        starts[operand] = start;
        return arrays[operand];
    }

    /// {@return the starts of the operands, which may be changed before they are set}
    public long[] starts() {
        return starts;
    }

    /// {@return the arrays of the operands that are set, by operand}
    public Object[] arrays() {
        return arrays;
    }

    /// Fills an operand's array with its first element.
    public void repeat(int operand) {
        load(1 << operand, 0, 1);
        for (int n = 1; n < LENGTH; n *= 2) {
            System.arraycopy(arrays[operand], 0, arrays[operand], n, n);
        }
    }

    // Operands are read and written in a loop over a set of them, of which bit k stands for operand k: a copy makes
    // much code, and so there is one of each kind.

    /// Reads n elements from an index on into the arrays of these operands.
    public void load(int operands, long index, int n) {
        for (int left = operands; left != 0; left &= left - 1) {
            int k = Integer.numberOfTrailingZeros(left);
            MemorySegment.copy(segments[k], layouts[k], offset(k, index), arrays[k], 0, n);
        }
    }

    /// Writes n elements of the arrays of these operands from an index on.
    public void store(int operands, long index, int n) {
        for (int left = operands; left != 0; left &= left - 1) {
            int k = Integer.numberOfTrailingZeros(left);
            MemorySegment.copy(arrays[k], 0, segments[k], layouts[k], offset(k, index), n);
        }
    }

    private long offset(int operand, long index) {
        return (starts[operand] + index) * layouts[operand].byteSize();
    }

    /// {@return the number of elements of the block that begins at an index}
    public static int blockLength(long index, long end) {
        return (int) Math.min(LENGTH, end - index);
    }
}
