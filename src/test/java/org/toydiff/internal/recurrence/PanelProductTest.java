package org.toydiff.internal.recurrence;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Products by panels against plain sums, whatever the library would choose.
class PanelProductTest {
    private static final int ROWS = 70;
    private static final int GATES = 3;
    private static final int UNITS = 10;
    private static final int WIDTH = 7;
    private static final int COLUMNS = 5;

    private static SequenceOperand random(Arena arena, Random random, int size) {
        MemorySegment memory = arena.allocate(JAVA_DOUBLE, size);
        for (int i = 0; i < size; i++) {
            memory.setAtIndex(JAVA_DOUBLE, i, random.nextGaussian());
        }
        var operand = new SequenceOperand();
        operand.set(memory, 0);
        return operand;
    }

    private static double at(SequenceOperand operand, long index) {
        return operand.memory.getAtIndex(JAVA_DOUBLE, index);
    }

    private static void check(double beta, boolean biased, int depth) {
        try (var arena = Arena.ofConfined()) {
            var random = new Random(5);
            int sums = ROWS * GATES * UNITS;
            SequenceOperand before = random(arena, random, sums);
            var product = new PanelProduct();
            product.wide = true;
            product.gates = GATES;
            product.units = UNITS;
            product.width = WIDTH;
            product.columns = COLUMNS;
            product.depth = depth;
            product.h = random(arena, random, 2 * ROWS * WIDTH);
            product.hAt = ROWS * WIDTH;
            product.panels = random(arena, random, GATES * UNITS * WIDTH);
            product.bias = biased ? random(arena, random, GATES * UNITS) : new SequenceOperand();
            product.y = random(arena, random, 2 * sums);
            product.yAt = sums;
            product.beta = beta;
            MemorySegment.copy(before.memory, 0, product.y.memory, 8L * sums, 8L * sums);
            for (int row = 0; row < ROWS; row += PanelProduct.ROWS) {
                for (int unit = 0; unit < UNITS; unit += COLUMNS) {
                    product.run(row, unit, Math.min(PanelProduct.ROWS, ROWS - row));
                }
            }
            for (int i = 0; i < sums; i++) {
                int row = i / (GATES * UNITS);
                int gate = i / UNITS % GATES;
                int unit = i % UNITS;
                double want = beta * at(before, i) + (biased ? at(product.bias, gate * UNITS + unit) : 0);
                for (int k = 0; k < WIDTH; k++) {
                    long panel = (long) (unit / COLUMNS * GATES + gate) * WIDTH * COLUMNS;
                    double weight = at(product.panels, panel + (long) k * COLUMNS + unit % COLUMNS);
                    want += at(product.h, product.hAt + (long) row * WIDTH + k) * weight;
                }
                assertEquals(want, at(product.y, product.yAt + i), 1e-12, "sum " + i);
            }
        }
    }

    @Test
    void theSumsAreThoseOfTheProduct() {
        check(1, false, WIDTH);
        check(0, true, WIDTH);
        check(0, false, 3);
        check(1, true, 3);
    }

    @Test
    void panelsDivideTheUnits() {
        for (long units = 1; units < 2_000; units++) {
            int columns = PanelProduct.columns(4, 100, 64, units, units);
            assertTrue(columns == 0 || units % columns == 0);
            if (columns > 0) {
                int depth = PanelProduct.depth(columns, units);
                assertTrue(depth > 0 && depth <= units);
                assertTrue((long) PanelProduct.ROWS * columns * depth <= 1_000_000);
            }
        }
    }

    @Test
    void shortAndSmallLayersMultiplyTheWeightAsItIs() {
        assertEquals(0, PanelProduct.columns(4, 15, 64, 256, 256));
        assertEquals(0, PanelProduct.columns(4, 100, 1, 1024, 1024));
        assertEquals(0, PanelProduct.columns(4, 100, 1_000, 256, 256));
        assertEquals(0, PanelProduct.columns(4, 100, 64, 32, 32));
        assertEquals(0, PanelProduct.columns(4, 100, 64, 257, 257));
    }
}
