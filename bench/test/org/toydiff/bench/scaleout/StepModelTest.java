package org.toydiff.bench.scaleout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepModelTest {
    private static final double EXACT = 1e-12;
    private static final double BYTES = 2e6;
    private static final Network IDEAL = new Network("ideal", 0, 0);
    private static final Network ETHERNET = Network.of("10 Gb/s", 10, 30);

    /// No cost but the passes and the update, which divide evenly.
    private static final NodeCost DIVISIBLE = new NodeCost(0.030, 0.060, 0.004, 0, 0);

    private static final NodeCost COST = new NodeCost(0.030, 0.060, 0.004, 0.05, 1e-10);

    private static StepModel strong(NodeCost node, double bucketBytes) {
        return new StepModel(node, BYTES, bucketBytes, 0, false);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 64})
    void efficiencyIs1WithoutLatencyOnInfiniteBandwidth(int nodes) {
        assertEquals(1, strong(DIVISIBLE, 1e5).efficiency(IDEAL, nodes), EXACT);
        NodeCost noUpdate = new NodeCost(0.030, 0.060, 0, 0, 0);
        assertEquals(1, new StepModel(noUpdate, BYTES, 1e5, 0, true).efficiency(IDEAL, nodes), EXACT);
    }

    @Test
    void oneNodeNeitherCommunicatesNorLosesEfficiency() {
        for (boolean weak : new boolean[] {false, true}) {
            var model = new StepModel(COST, BYTES, 1e5, 8, weak);
            assertEquals(1, model.efficiency(ETHERNET, 1), EXACT);
            assertEquals(0, model.time(ETHERNET, 1).communication(), 0);
            assertEquals(0, model.time(ETHERNET, 1).exposed(), EXACT);
        }
    }

    /// The oracle is the sum written out for two nodes and one bucket, which nothing can hide.
    @Test
    void aStepOfTwoNodesWithOneBucketIsTheSumOfItsParts() {
        double alpha = 30e-6;
        double half = BYTES / 2;
        double passes = (0.030 + 0.060) * (0.05 + 0.95 / 2);
        double exchange = alpha + half * 0.8e-9;
        double sum = half * 1e-10;
        StepModel.Time time = strong(COST, BYTES).time(ETHERNET, 2);
        assertEquals(passes, time.passes(), EXACT);
        assertEquals(2 * exchange + sum, time.communication(), EXACT);
        assertEquals(2 * exchange + sum, time.exposed(), EXACT);
        assertEquals(0.002, time.update(), EXACT);
        assertEquals(passes + 2 * exchange + sum + 0.002, time.step(), EXACT);
    }

    @Test
    void bucketsHideAllButTheLastReductionBehindALongBackwardPass() {
        int buckets = 10;
        StepModel.Time time = strong(COST, BYTES / buckets).time(ETHERNET, 4);
        double collective = ETHERNET.collective(4, BYTES / buckets);
        double reduction = collective + BYTES / buckets * 3 / 4 * 1e-10;
        assertEquals(buckets * (reduction + collective), time.communication(), EXACT);
        assertEquals(reduction + buckets * collective, time.exposed(), EXACT);
    }

    @Test
    void aSlowNetworkStartsWithTheFirstBucketAndThenNeverWaits() {
        int buckets = 10;
        var slow = Network.of("slow", 0.01, 0);
        StepModel.Time time = strong(DIVISIBLE, BYTES / buckets).time(slow, 4);
        double backward = 0.060 / 4;
        double first = backward / buckets;
        assertEquals(time.communication() - (backward - first), time.exposed(), EXACT);
    }

    @Test
    void trafficIsThatOfARingWhateverTheBuckets() {
        var bandwidth = new Network("bandwidth", 0, 1e-9);
        for (double bucket : new double[] {BYTES, BYTES / 7, 1e4}) {
            assertEquals(
                    2 * 15 / 16.0 * BYTES * 1e-9,
                    strong(DIVISIBLE, bucket).time(bandwidth, 16).communication(),
                    EXACT);
        }
    }

    @Test
    void onlyTheLastShardOfANodeHidesCommunication() {
        double bucket = BYTES / 10;
        StepModel.Time one = new StepModel(DIVISIBLE, BYTES, bucket, 2, false).time(ETHERNET, 2);
        StepModel.Time four = new StepModel(DIVISIBLE, BYTES, bucket, 64, false).time(ETHERNET, 2);
        assertEquals(one.passes(), four.passes(), EXACT);
        assertEquals(one.communication(), four.communication(), EXACT);
        assertTrue(four.exposed() > one.exposed(), one + " and " + four);
    }

    @Test
    void nodesThatDoNotDivideTheShardsWaitForTheOneWithMost() {
        var model = new StepModel(DIVISIBLE, BYTES, BYTES, 8, false);
        assertEquals(3 / 8.0 * 0.090, model.time(IDEAL, 3).passes(), EXACT);
    }

    @Test
    void aStepIsNeverFasterOnASlowerNetwork() {
        for (int nodes : List.of(2, 5, 64)) {
            double step = 0;
            for (double gigabits : new double[] {100, 25, 10, 1, 0.1}) {
                double slower = strong(COST, 1e5)
                        .time(Network.of("", gigabits, 10), nodes)
                        .step();
                assertTrue(slower > step, gigabits + " Gb/s");
                step = slower;
            }
            for (double micros : new double[] {11, 20, 100, 10_000}) {
                double slower = strong(COST, 1e5)
                        .time(Network.of("", 0.1, micros), nodes)
                        .step();
                assertTrue(slower > step, micros + " µs");
                step = slower;
            }
        }
    }

    @Test
    void efficiencyFallsWithTheNodesAndWeakScalingIsAboveStrongScaling() {
        double above = 1;
        var strong = strong(COST, 1e5);
        var weak = new StepModel(COST, BYTES, 1e5, 0, true);
        for (int nodes = 2; nodes <= 64; nodes *= 2) {
            double efficiency = strong.efficiency(ETHERNET, nodes);
            assertTrue(efficiency < above, nodes + " nodes: " + efficiency + " and " + above);
            assertTrue(efficiency < weak.efficiency(ETHERNET, nodes), nodes + " nodes");
            assertEquals(nodes * efficiency, strong.speedUp(ETHERNET, nodes), EXACT);
            above = efficiency;
        }
    }

    @Test
    void costsThatCannotBeAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new NodeCost(1, 1, -1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new NodeCost(1, 1, 1, 1.5, 0));
        assertThrows(IllegalArgumentException.class, () -> new NodeCost(Double.NaN, 1, 1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new StepModel(COST, 0, 1, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new Network("negative", -1, 0));
    }
}
