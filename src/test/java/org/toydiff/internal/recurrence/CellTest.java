package org.toydiff.internal.recurrence;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.toydiff.internal.arithmetic.Precision;

/// A loop that is too large is never compiled, and one with too many operands has no staging.
class CellTest {
    @Test
    void everyStepFitsIntoOneLoop() {
        for (Cell cell : Cell.values()) {
            for (Precision precision : Precision.values()) {
                for (int flags = 0; flags < 4; flags++) {
                    boolean padded = (flags & 1) != 0;
                    boolean backward = (flags & 2) != 0;
                    String name = cell + " " + precision + (padded ? " padded" : "") + (backward ? " backward" : "");
                    assertTrue(cell.program(precision, padded, backward).fits(), name);
                }
            }
        }
    }
}
