package org.toydiff.internal.launch;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/// The division of a product into tiles.
class ProductPlanTest {
    @Test
    void anAxisOfAnyLengthIsCutIntoTilesThatCoverIt() {
        for (int all : new int[] {1, 15, 16, 17, 1024, 1025, 1 << 30, Integer.MAX_VALUE - 1, Integer.MAX_VALUE}) {
            for (int most : new int[] {1, 16, 512, 1024, Integer.MAX_VALUE / 2 + 1}) {
                int tile = ProductPlan.even(all, most);
                assertTrue(tile > 0 && tile <= all, tile + " of " + all);
                assertTrue(tile < most + 16L, tile + " where " + most + " are the most");
            }
        }
    }
}
