package org.toydiff.internal.kernels;

/// Divides the rows of a loop in memory among calls of its method, which HotSpot compiles by the number of calls: with
/// C1 after 200, with C2 after 5,000 (`Tier4InvocationThreshold`), and never within a call (see [LoopCode#jumpBack]).
/// Until then an access to memory takes a hundred times as long; so the first calls are short.
///
/// Counts are written without synchronization: threads may lose some.
public final class Pieces {
    private static final int FIRST_CALLS = 6_000;
    private static final long LENGTH_OF_FIRST = 16;
    private static final long LENGTH = 512;

    private int calls;

    /// {@return the most elements of the next call}
    public long next() {
        if (calls == FIRST_CALLS) {
            return LENGTH;
        }
        calls++;
        return LENGTH_OF_FIRST;
    }
}
