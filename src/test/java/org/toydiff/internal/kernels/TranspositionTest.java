package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Copies whose rows are the columns of what is copied.
class TranspositionTest {
    private static final int UNTOUCHED = -1;

    /// Rows and columns around those that are read together, and around a tile; with gaps between rows of both.
    @ParameterizedTest
    @CsvSource({"1, 5", "2, 1", "7, 9", "8, 8", "9, 3", "64, 2", "65, 65", "130, 17", "3, 200"})
    void eachElementGoesToItsPlaceAndNoOtherChanges(int rows, int columns) {
        int xi = columns + 2;
        int yj = rows + 3;
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(JAVA_INT, (long) rows * xi + 1);
            for (int k = 0; k < (long) rows * xi + 1; k++) {
                x.setAtIndex(JAVA_INT, k, k);
            }
            MemorySegment y = arena.allocate(JAVA_INT, (long) columns * yj + 2);
            y.fill((byte) UNTOUCHED);
            CopyKernels.of(Integer.BYTES).copy.run(x, 1, 1, xi, y, 2, yj, 1, columns, rows);
            for (int k = 0; k < (long) columns * yj + 2; k++) {
                int i = (k - 2) % yj;
                int j = (k - 2) / yj;
                int expected = k < 2 || i >= rows ? UNTOUCHED : 1 + i * xi + j;
                assertEquals(expected, y.getAtIndex(JAVA_INT, k), "element " + k);
            }
        }
    }
}
