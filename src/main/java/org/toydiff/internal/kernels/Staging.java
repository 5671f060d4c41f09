package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Array;
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
final class Staging {
    /// Elements of an array: those of four operands stay in a first-level cache. A multiple of a virtual vector.
    static final int LENGTH = 512;

    /// Rows or runs shorter than this are computed in memory: copies would cost more than they save.
    static final int SHORTEST = 64;

    /// The place of the array with the lanes of a virtual vector, after those of the operands.
    static final int LANES = 4;

    private static final int MAX_IDLE = 16;
    private static final AtomicReferenceArray<Staging> IDLE = new AtomicReferenceArray<>(MAX_IDLE);

    private final Map<Class<?>, Object[]> arrays = new HashMap<>();

    private Staging() {}

    /// {@return a staging that no other thread uses}
    static Staging take() {
        for (int i = 0; i < MAX_IDLE; i++) {
            Staging idle = IDLE.getAndSet(i, null);
            if (idle != null) {
                return idle;
            }
        }
        return new Staging();
    }

    void giveBack() {
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

    /// {@return the array of an operand} Its elements are undefined.
    Object array(ValueLayout layout, int operand) {
        Object[] ofType = arrays.get(layout.carrier());
        if (ofType == null) {
            ofType = new Object[LANES + 1];
            arrays.put(layout.carrier(), ofType);
        }
        if (ofType[operand] == null) {
            ofType[operand] = Array.newInstance(layout.carrier(), LENGTH);
        }
        return ofType[operand];
    }

    /// {@return the array of an operand with its next elements}
    Object load(ValueLayout layout, int operand, MemorySegment x, long index, int n) {
        Object array = array(layout, operand);
        MemorySegment.copy(x, layout, index * layout.byteSize(), array, 0, n);
        return array;
    }

    /// {@return the array of an operand, filled with one element}
    Object repeat(ValueLayout layout, int operand, MemorySegment x, long index) {
        Object array = load(layout, operand, x, index, 1);
        for (int n = 1; n < LENGTH; n *= 2) {
            System.arraycopy(array, 0, array, n, n);
        }
        return array;
    }

    /// Writes the first elements of an array.
    static void store(Object array, ValueLayout layout, MemorySegment y, long index, int n) {
        MemorySegment.copy(array, 0, y, layout, index * layout.byteSize(), n);
    }
}
