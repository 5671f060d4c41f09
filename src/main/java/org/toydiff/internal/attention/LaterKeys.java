package org.toydiff.internal.attention;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;

/// Leaves out the scores of keys that are too late for their queries. Each query sees one key more than the one before
/// it, so that the bytes of a mask lie in one run of ones and zeros, a place further to the front for each row.
final class LaterKeys {
    /// The most queries of a block.
    static final int MAX_ROWS = 256;

    /// A multiple of a vector's lanes.
    private static final int ALIGNMENT = 16;

    private static final int ONES = MAX_ROWS + ALIGNMENT;
    private static final MemorySegment RUN = Arena.global().allocate(ONES + MAX_ROWS);

    static {
        for (int i = 0; i < ONES; i++) {
            RUN.set(JAVA_BYTE, i, (byte) 1);
        }
    }

    private LaterKeys() {}

    /// Sets scores to −∞ where a key is too late.
    ///
    /// @param seen how many keys of the block the first query sees; negative, how many queries later the first one sees
    ///     a key. The last query sees all of the block's
    static void leaveOut(boolean wide, int seen, int rows, int columns, MemorySegment scores, long at) {
        if (seen >= columns) {
            return;
        }
        int first = Math.max(0, seen) & -ALIGNMENT;
        long x0 = at + first;
        long mask0 = ONES - seen + first;
        BinaryKernel.ATTENDED
                .of(wide)
                .run(scores, x0, columns, 1, RUN, mask0, -1, 1, scores, x0, columns, 1, rows, columns - first);
    }
}
