package org.toydiff.bench.scaleout;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class NetworkTest {
    private static final double EXACT = 1e-15;

    @Test
    void aCollectiveTakesAStepForEveryOtherNode() {
        var network = new Network("", 1e-5, 1e-9);
        assertEquals(0, network.collective(1, 1e6), 0);
        assertEquals(1e-5 + 0.5e-3, network.collective(2, 1e6), EXACT);
        assertEquals(7 * 1e-5 + 7 / 8.0 * 1e-3, network.collective(8, 1e6), EXACT);
    }

    @Test
    void bandwidthIsInBitsAndLatencyInMicroseconds() {
        assertEquals(new Network("10 Gb/s", 30e-6, 0.8e-9), Network.of("10 Gb/s", 10, 30));
    }

    @Test
    void theFitReturnsTheNetworkThatMadeTheTimes() {
        for (int ranks : new int[] {2, 5}) {
            var network = new Network("made", 3e-6, 0.25e-9);
            SortedMap<Long, Double> micros = new TreeMap<>();
            for (long bytes = 4; bytes <= 1 << 26; bytes *= 4) {
                micros.put(bytes, 2 * network.collective(ranks, bytes) * 1e6);
            }
            Network fitted = Network.fit("fitted", ranks, micros);
            assertEquals(3e-6, fitted.latency(), 1e-12);
            assertEquals(0.25e-9, fitted.secondsPerByte(), 1e-16);
        }
    }

    /// Absolute errors would follow the largest size alone, and lose the latency.
    @Test
    void theFitFollowsSmallSizesAsMuchAsLargeOnes() {
        SortedMap<Long, Double> micros =
                new TreeMap<>(Map.of(4L, 2.0, 16L, 2.0, 1L << 24, 20_000.0, 1L << 26, 70_000.0));
        Network fitted = Network.fit("fitted", 2, micros);
        assertEquals(1e-6, fitted.latency(), 0.02e-6);
    }

    @Test
    void aTableIsReadByColumnWithoutItsHeadingAndWarnings() {
        String table = """
                # Open MPI v4.1.4, 2 ranks
                #    bytes    allreduce     GB/s     exchange     GB/s        least
                         4         0.66    0.006         1.22    0.003         1.05
                A warning of 1 line.
                  67108864    168154.12    0.399     90107.34    0.745     80000.00
                """;
        assertEquals(
                Map.of(4L, 0.66, 67_108_864L, 168_154.12), CollectiveTable.micros(table, CollectiveTable.ALL_REDUCE));
        assertEquals(Map.of(4L, 1.22, 67_108_864L, 90_107.34), CollectiveTable.micros(table, CollectiveTable.EXCHANGE));
        assertEquals(
                Map.of(4L, 1.05, 67_108_864L, 80_000.0), CollectiveTable.micros(table, CollectiveTable.LEAST_EXCHANGE));
        assertEquals(0.399, CollectiveTable.busBandwidth(2, 67_108_864, 168_154.12), 5e-4);
        assertEquals(1.5, CollectiveTable.busBandwidth(4, 1000, 1), EXACT);
    }
}
