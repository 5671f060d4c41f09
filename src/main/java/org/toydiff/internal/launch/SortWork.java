package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Sorts the runs along an axis: y has the positions, INT64, of their elements in order; equal elements keep their
/// order.
///
/// Each element becomes a record of two longs, its [ElementKind#key] and its position. A few records are sorted by
/// insertion, many by their keys' bytes from the lowest up, skipping bytes in which all keys agree (D. Knuth, The Art
/// of Computer Programming 3, 5.2.1 and 5.2.5).
public final class SortWork extends AxisWork {
    private static final int FEW = 32;
    private static final int DIGITS = 256;

    /// Longs of a record that is being moved from one half of the memory to the other.
    private static final int LONGS_PER_ELEMENT = 4;

    private static final long MAX_IN_SCRATCH = (Scratch.BYTES / Long.BYTES - DIGITS) / LONGS_PER_ELEMENT;

    private final ElementKind kind;
    private final boolean descending;

    private MemorySegment records;
    private long records0;
    private MemorySegment values;
    private long values0;

    /// @param kind the type of the elements
    /// @param descending whether the largest come first
    /// @param shape the shape, not empty
    /// @param axis the axis to sort along
    public SortWork(ElementKind kind, boolean descending, long[] shape, int axis) {
        super(shape, axis);
        this.kind = kind;
        this.descending = descending;
    }

    /// {@return the longs that sorting runs of n elements needs besides [Scratch]} Runs that need any are sorted one
    /// after another.
    public static long longs(long n) {
        return n <= MAX_IN_SCRATCH ? 0 : LONGS_PER_ELEMENT * n;
    }

    /// Sets memory of [#longs] longs, or null where those are none, and its first long.
    public void records(MemorySegment records, long records0) {
        this.records = records;
        this.records0 = records0;
    }

    /// Asks for the elements in order too, in an array with the strides of y. The offset is in elements.
    public void values(MemorySegment values, long values0) {
        this.values = values;
        this.values0 = values0;
    }

    @Override
    void start() {
        if (records == null) {
            super.start();
        } else {
            process(0, runs);
        }
    }

    @Override
    void process(long from, long to) {
        MemorySegment piece = Scratch.take();
        try {
            for (long run = from; run < to; run++) {
                if (records == null) {
                    sort(run, piece, DIGITS, piece);
                } else {
                    sort(run, records, records0, piece);
                }
            }
        } finally {
            Scratch.give(piece);
        }
    }

    /// Sorts a run with records in `memory` from `first` on.
    private void sort(long run, MemorySegment memory, long first, MemorySegment counters) {
        long from = x0 + begin(run, xs);
        for (long i = 0; i < n; i++) {
            long key = kind.key(x, from + i * xs[axis]);
            memory.setAtIndex(JAVA_LONG, first + 2 * i, descending ? ~key : key);
            memory.setAtIndex(JAVA_LONG, first + 2 * i + 1, i);
        }
        long sorted = n <= FEW ? insert(memory, first) : distribute(memory, first, counters);
        long to = begin(run, ys);
        for (long i = 0; i < n; i++) {
            long position = memory.getAtIndex(JAVA_LONG, sorted + 2 * i + 1);
            long at = to + i * ys[axis];
            y.setAtIndex(JAVA_LONG, y0 + at, position);
            if (values != null) {
                kind.copy(x, from + position * xs[axis], values, values0 + at);
            }
        }
    }

    /// {@return the first of the sorted records: `first`}
    private long insert(MemorySegment memory, long first) {
        for (long i = 1; i < n; i++) {
            long key = memory.getAtIndex(JAVA_LONG, first + 2 * i);
            long position = memory.getAtIndex(JAVA_LONG, first + 2 * i + 1);
            long j = i;
            for (; j > 0 && Long.compareUnsigned(memory.getAtIndex(JAVA_LONG, first + 2 * j - 2), key) > 0; j--) {
                move(memory, first + 2 * j - 2, first + 2 * j);
            }
            memory.setAtIndex(JAVA_LONG, first + 2 * j, key);
            memory.setAtIndex(JAVA_LONG, first + 2 * j + 1, position);
        }
        return first;
    }

    private static void move(MemorySegment memory, long from, long to) {
        memory.setAtIndex(JAVA_LONG, to, memory.getAtIndex(JAVA_LONG, from));
        memory.setAtIndex(JAVA_LONG, to + 1, memory.getAtIndex(JAVA_LONG, from + 1));
    }

    /// {@return the first of the sorted records, in either half of the memory}
    private long distribute(MemorySegment memory, long first, MemorySegment counters) {
        long from = first;
        long to = first + 2 * n;
        for (int shift = 0; shift < kind.bytes * Byte.SIZE; shift += Byte.SIZE) {
            if (countDigits(memory, from, counters, shift)) {
                for (long i = 0; i < n; i++) {
                    int digit = digit(memory, from + 2 * i, shift);
                    long place = counters.getAtIndex(JAVA_LONG, digit);
                    counters.setAtIndex(JAVA_LONG, digit, place + 1);
                    move(memory, from + 2 * i, to + 2 * place);
                }
                long other = from;
                from = to;
                to = other;
            }
        }
        return from;
    }

    /// Sets each counter to the number of records with a smaller digit.
    ///
    /// @return whether the records differ in this digit
    private boolean countDigits(MemorySegment memory, long from, MemorySegment counters, int shift) {
        for (int digit = 0; digit < DIGITS; digit++) {
            counters.setAtIndex(JAVA_LONG, digit, 0);
        }
        for (long i = 0; i < n; i++) {
            int digit = digit(memory, from + 2 * i, shift);
            counters.setAtIndex(JAVA_LONG, digit, counters.getAtIndex(JAVA_LONG, digit) + 1);
        }
        if (counters.getAtIndex(JAVA_LONG, digit(memory, from, shift)) == n) {
            return false;
        }
        long smaller = 0;
        for (int digit = 0; digit < DIGITS; digit++) {
            long count = counters.getAtIndex(JAVA_LONG, digit);
            counters.setAtIndex(JAVA_LONG, digit, smaller);
            smaller += count;
        }
        return true;
    }

    private static int digit(MemorySegment memory, long at, int shift) {
        return (int) (memory.getAtIndex(JAVA_LONG, at) >>> shift) & DIGITS - 1;
    }
}
