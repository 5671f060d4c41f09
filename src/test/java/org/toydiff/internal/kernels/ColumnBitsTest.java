package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.arithmetic.Precision;

/// Sums of columns in scalar form, few or many, against a naive loop in double: the same bits.
class ColumnBitsTest {
    private static final int[] COLUMNS = {1, 7, 8, 63, 64, 65, 511, 512, 513, 1100};
    private static final int[] ROWS = {1, 2, 9};
    private static final int X0 = 3;
    private static final int Y0 = 2;

    private static void fill(MemorySegment memory, boolean wide, int count) {
        var random = new SplittableRandom(1);
        for (int i = 0; i < count; i++) {
            double value = random.nextInt(50) == 0 ? Double.NaN : random.nextDouble(-1e3, 1e3);
            if (wide) {
                memory.setAtIndex(JAVA_DOUBLE, i, value);
            } else {
                memory.setAtIndex(JAVA_FLOAT, i, (float) value);
            }
        }
    }

    private static double get(MemorySegment memory, boolean wide, int i) {
        return wide ? memory.getAtIndex(JAVA_DOUBLE, i) : memory.getAtIndex(JAVA_FLOAT, i);
    }

    @ParameterizedTest
    @EnumSource
    void scalarFormGivesTheBitsOfANaiveLoop(Precision precision) {
        boolean wide = precision == Precision.FLOAT64;
        Kernel.Columns kernel = ColumnLoop.scalar(precision);
        for (int n : COLUMNS) {
            for (int rows : ROWS) {
                try (var arena = Arena.ofShared()) {
                    int spacing = n + 1;
                    MemorySegment x = arena.allocate(8L * (X0 + rows * spacing), 64);
                    MemorySegment y = arena.allocate(8L * (Y0 + n + 1), 64);
                    fill(x, wide, X0 + rows * spacing);
                    kernel.run(x, X0, spacing, rows, y, Y0, n, rows);
                    for (int j = 0; j < n; j++) {
                        double sum = 0;
                        for (int i = 0; i < rows; i++) {
                            sum += get(x, wide, X0 + i * spacing + j);
                        }
                        double mean = wide ? sum / rows : (float) (sum / rows);
                        long bits = Double.doubleToLongBits(get(y, wide, Y0 + j));
                        assertEquals(Double.doubleToLongBits(mean), bits, rows + " rows, column " + j + " of " + n);
                    }
                    assertEquals(0, get(y, wide, Y0 + n), "written beyond the last of " + n + " columns");
                }
            }
        }
    }
}
