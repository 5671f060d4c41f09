package org.toydiff.internal.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OffsetPlanTest {
    private static OffsetPlan checked(long[] bytes, int[] first, int[] last) {
        OffsetPlan plan = OffsetPlan.of(bytes, first, last);
        long top = 0;
        for (int i = 0; i < bytes.length; i++) {
            assertEquals(0, plan.offset(i) % 64);
            top = Math.max(top, plan.offset(i) + bytes[i]);
            for (int j = 0; j < i; j++) {
                boolean together = first[i] <= last[j] && first[j] <= last[i];
                boolean apart =
                        plan.offset(i) + bytes[i] <= plan.offset(j) || plan.offset(j) + bytes[j] <= plan.offset(i);
                assertTrue(apart || !together, "blocks " + i + " and " + j + " overlap");
            }
        }
        assertEquals(top, plan.plannedBytes());
        assertEquals(mostAlive(bytes, first, last), plan.lowerBoundBytes());
        return plan;
    }

    private static long mostAlive(long[] bytes, int[] first, int[] last) {
        long most = 0;
        for (int at : first) {
            long alive = 0;
            for (int i = 0; i < first.length; i++) {
                alive += first[i] <= at && at <= last[i] ? bytes[i] : 0;
            }
            most = Math.max(most, alive);
        }
        return most;
    }

    @Test
    void aChainNeedsTwoBlocks() {
        OffsetPlan plan = checked(new long[] {128, 128, 128, 128}, new int[] {0, 1, 2, 3}, new int[] {1, 2, 3, 4});
        assertEquals(256, plan.plannedBytes());
        assertEquals(256, plan.lowerBoundBytes());
    }

    @Test
    void noBlocksAreNoBytes() {
        OffsetPlan plan = OffsetPlan.of(new long[0], new int[0], new int[0]);
        assertEquals(0, plan.plannedBytes());
        assertEquals(0, plan.lowerBoundBytes());
    }

    /// Random lifetimes are harder than those of graphs.
    @Test
    void plansOfRandomLifetimesAreCloseToTheBound() {
        int cases = 100;
        double sum = 0;
        for (int seed = 0; seed < cases; seed++) {
            OffsetPlan plan = ofRandomLifetimes(new Random(seed));
            double ratio = (double) plan.plannedBytes() / plan.lowerBoundBytes();
            requireTight(plan, "seed " + seed);
            sum += ratio;
        }
        double mean = sum / cases;
        assertTrue(mean < 1.01, () -> "mean " + mean);
    }

    private static OffsetPlan ofRandomLifetimes(Random random) {
        int n = 1 + random.nextInt(120);
        int steps = 2 + random.nextInt(2 * n);
        int longest = 1 + random.nextInt(steps);
        long largest = 1L << (1 + random.nextInt(20));
        long[] bytes = random.longs(n, 1, largest).map(each -> each * 64).toArray();
        int[] first = random.ints(n, 0, steps).toArray();
        int[] last = new int[n];
        Arrays.setAll(last, i -> first[i] + random.nextInt(longest));
        return checked(bytes, first, last);
    }

    /// The lifetimes of a training step: values live from forward to backward, gradients for a step or two.
    @Test
    void plansOfStepsAreAtMostFivePercentAboveTheBound() {
        for (int seed = 0; seed < 100; seed++) {
            var random = new Random(seed);
            int layers = 1 + random.nextInt(100);
            long[] bytes = new long[2 * layers];
            int[] first = new int[2 * layers];
            int[] last = new int[2 * layers];
            for (int i = 0; i < layers; i++) {
                bytes[i] = 64 * (1 + random.nextInt(2000));
                first[i] = i;
                last[i] = random.nextInt(3) == 0 ? i + 1 : 2 * layers - 1 - i;
                bytes[layers + i] = bytes[i];
                first[layers + i] = 2 * layers - 1 - i;
                last[layers + i] = 2 * layers - i;
            }
            requireTight(checked(bytes, first, last), "seed " + seed);
        }
    }

    private static void requireTight(OffsetPlan plan, String which) {
        assertTrue(
                plan.plannedBytes() <= 1.05 * plan.lowerBoundBytes(),
                () -> which + ": " + plan.plannedBytes() + " of " + plan.lowerBoundBytes());
    }

    @Test
    void thePlanIsTheSameEachTime() {
        var random = new Random(7);
        long[] bytes = random.longs(200, 1, 1 << 20).map(each -> each * 64).toArray();
        int[] first = random.ints(200, 0, 150).toArray();
        int[] last = Arrays.stream(first).map(at -> at + random.nextInt(40)).toArray();
        OffsetPlan plan = checked(bytes, first, last);
        OffsetPlan again = checked(bytes, first, last);
        for (int i = 0; i < bytes.length; i++) {
            assertEquals(plan.offset(i), again.offset(i));
        }
    }
}
