package org.toydiff.bench.scaleout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CollectivesCommandTest {
    private static final long MIB = 1 << 20;

    private static SortedMap<Long, Double> micros(Map<Long, Double> times) {
        return new TreeMap<>(times);
    }

    @Test
    void eachSizeHasTheMedianOfItsRounds() {
        List<String> rounds = List.of("4 1.0 0\n16 5.0 0", "4 9.0 0\n16 5.5 0", "4 2.0 0\n16 4.0 0");
        assertEquals(Map.of(4L, 2.0, 16L, 5.0), CollectivesCommand.medians(rounds, CollectiveTable.ALL_REDUCE));
    }

    @Test
    void theRatioIsThatOfBandwidthsOfLargeSizesAlone() {
        SortedMap<Long, Double> reference = micros(Map.of(4L, 1.0, MIB, 200.0, 4 * MIB, 900.0));
        SortedMap<Long, Double> own = micros(Map.of(4L, 100.0, MIB, 400.0, 4 * MIB, 450.0));
        assertEquals(1, CollectivesCommand.ratio(reference, own), 1e-12);
        own.put(MIB, 200.0);
        assertEquals(Math.sqrt(2), CollectivesCommand.ratio(reference, own), 1e-12);
    }

    @Test
    void theTableComparesBandwidths() {
        String table = CollectivesCommand.table(
                4, micros(Map.of(MIB, 200.0)), micros(Map.of(MIB, 250.0)), micros(Map.of(MIB, 100.0)));
        assertEquals(
                "1048576 200.00 7.864 250.00 6.291 0.800 100.00 15.729",
                table.lines().skip(1).findFirst().orElseThrow().strip().replaceAll(" +", " "));
    }

    @Test
    void oneRankIsRefused() {
        var errors = new StringWriter();
        assertEquals(2, ScaleOut.commandLine().setErr(new PrintWriter(errors)).execute("collectives", "--ranks=1"));
        assertTrue(errors.toString().startsWith("--ranks must be 2 or more"), errors::toString);
    }
}
