package org.toydiff.internal.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
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

    private static int size(SplittableRandom random, int log) {
        return (int) Math.pow(2, random.nextDouble(0, log));
    }

    @Test
    void aPlanCoversTheProductWithinItsMemory() {
        var random = new SplittableRandom(1);
        var plan = new ProductPlan();
        for (int round = 0; round < 20_000; round++) {
            ProductTable table = random.nextBoolean() ? ProductTable.AVX512 : ProductTable.PACKED;
            boolean wide = random.nextBoolean();
            long room = Scratch.BYTES / (wide ? Double.BYTES : Float.BYTES);
            long most = random.nextInt(3) == 0 ? room : 0;
            long batches = size(random, 6);
            int m = size(random, 20);
            int n = size(random, 20);
            int k = random.nextInt(20) == 0 ? 0 : size(random, 24);
            plan.of(table, wide, random.nextBoolean(), random.nextBoolean(), m, n, k, batches, most, room);
            String product = m + "×" + n + ", k = " + k + ", " + batches + " of them, " + table;
            assertTrue(plan.rows > 0 && plan.rows <= m && plan.columns > 0 && plan.columns <= n, product);
            assertEquals(ceil(m, plan.rows) * ceil(n, plan.columns), plan.tiles, product);
            assertEquals(k == 0 ? 1 : ceil(k, plan.depth), plan.chunks, product);
            assertTrue(plan.pieceRows > 0 && plan.pieceColumns > 0 && plan.pieceDepth >= Math.min(1, k), product);
            assertTrue(most == 0 || (long) plan.rows * plan.columns <= most, product);
            if (plan.chunks > 1) {
                assertTrue(most == 0 && batches == 1 && (long) m * n <= room, product);
                assertTrue(ceil(plan.chunks - 1, room / ((long) m * n)) < 8, product);
            }
            long piece = (long) plan.pieceRows * plan.pieceColumns * plan.pieceDepth;
            boolean divided = plan.pieceRows < plan.rows || plan.pieceDepth < plan.depth;
            assertTrue(!divided || piece <= table.unpacked(), product);
        }
    }

    private static long ceil(long all, long each) {
        return (all + each - 1) / each;
    }

    /// The products of a step of 784-512-256-10 at batch 8,192: none is one part alone, and the thin ones are
    /// unpacked.
    @Test
    void theProductsOfAStepAreShared() {
        var plan = new ProductPlan();
        long room = Scratch.BYTES / Float.BYTES;
        plan.of(ProductTable.AVX512, false, true, false, 512, 784, 8192, 1, 0, room);
        assertEquals(2, plan.chunks);
        assertEquals(1, plan.tiles);
        plan.of(ProductTable.AVX512, false, true, false, 10, 256, 8192, 1, 0, room);
        assertEquals(8, plan.chunks);
        assertEquals(256, plan.pieceDepth);
        plan.of(ProductTable.AVX512, false, false, true, 8192, 10, 256, 1, 0, room);
        assertEquals(10, plan.tiles);
        assertTrue(plan.pieceRows * plan.pieceColumns <= 1_200);
        plan.of(ProductTable.AVX512, false, false, true, 8192, 512, 784, 1, 0, room);
        assertEquals(8, plan.tiles);
        assertEquals(plan.rows, plan.pieceRows);
    }
}
