package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.child.Collected;
import org.toydiff.child.DistributedSteps;
import org.toydiff.child.SynchronizedSteps;

/// Real processes, started by `mpirun`, compute what one does: skipped where there is none.
class MpiTest {
    @BeforeAll
    static void thereIsMpi() {
        MpiJob.requireMpi();
    }

    /// Shards of different numbers. `mvn -Pranks test` has 2, 4 and 8 too.
    static List<Integer> ranks() {
        return Arrays.stream(System.getProperty("toydiff.mpi.ranks", "3").split(","))
                .map(Integer::valueOf)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("ranks")
    void trainingHasTheBitsOfOneProcess(int ranks) throws Exception {
        List<String> expected;
        try (var group = ProcessGroup.single()) {
            expected = DistributedSteps.lines(group);
        }
        assertEquals("memory as planned: true", expected.getLast());
        MpiJob job = MpiJob.run(ranks, DistributedSteps.class);
        assertEquals(0, job.exit(), job::toString);
        for (int rank = 0; rank < ranks; rank++) {
            assertEquals(expected, job.out().get(rank), job::toString);
        }
    }

    /// The smallest batch has four examples.
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void synchronizedBatchNormalizationIsThatOfTheWholeBatchInOneProcess(int ranks) throws Exception {
        List<String> expected;
        try (var group = ProcessGroup.single()) {
            expected = SynchronizedSteps.lines(group);
        }
        MpiJob job = MpiJob.run(ranks, SynchronizedSteps.class);
        assertEquals(0, job.exit(), job::toString);
        List<String> actual = job.out().getFirst();
        assertEquals(expected.size(), actual.size(), job::toString);
        for (int i = 0; i < expected.size(); i++) {
            assertClose(expected.get(i), actual.get(i));
        }
        for (int rank = 1; rank < ranks; rank++) {
            assertEquals(actual, job.out().get(rank), "the same bits in every process");
        }
    }

    /// Asserts that lines of a dtype, a name and numbers are equal up to the rounding of sums in another order: about
    /// 50 ulp of numbers above 1, and 50 ulp of 1 for others.
    private static void assertClose(String expected, String actual) {
        String[] these = expected.split(" ");
        String[] those = actual.split(" ");
        assertEquals(these.length, those.length, expected);
        assertEquals(List.of(these[0], these[1]), List.of(those[0], those[1]));
        double tolerance = these[0].equals("float64") ? 1e-14 : 5e-6;
        for (int i = 2; i < these.length; i++) {
            double number = Double.parseDouble(these[i]);
            assertEquals(
                    number, Double.parseDouble(those[i]), tolerance * Math.max(1, Math.abs(number)), expected + actual);
        }
    }

    @Test
    void collectivesReachAllDTypes() throws Exception {
        MpiJob job = MpiJob.run(2, Collected.class, "collectives");
        assertEquals(0, job.exit(), job::toString);
        for (int rank = 0; rank < 2; rank++) {
            List<String> lines = job.out().get(rank);
            assertEquals(6, lines.size(), job::toString);
            assertEquals("left behind: 0", lines.getLast(), job::toString);
            for (String line : lines.subList(0, 5)) {
                assertEquals("[3.0, 3.0][2.0, 2.0][1.0, 1.0, 2.0, 2.0]", line.substring(line.indexOf(' ') + 1), line);
            }
        }
    }
}
