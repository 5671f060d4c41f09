package org.toydiff.bench.scaleout;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.bench.peer.ToydiffTraining;
import org.toydiff.distributed.ProcessGroup;

class TrainingCommandTest {
    private static final int[] WIDTHS = {12, 8, 10};

    @Test
    void resultsAreReadFromTheLastLine() {
        assertEquals(new TrainingRank.Result(12.5, 2.25), TrainingRank.Result.parse("a warning\n12.5 2.25\n"));
        assertEquals(
                new NodeCost(0.03, 0.06, 1e-4, 0.25, 1e-10),
                NodeMeasurement.parse("a warning\n0.03 0.06 1.0E-4 0.25 1.0E-10"));
    }

    @Test
    void onlyRootAllowsRoot() {
        List<String> command = MpiRun.command(3, List.of("java", "Main"));
        assertEquals(List.of("-n", "3", "java", "Main"), command.subList(command.size() - 4, command.size()));
        assertEquals(System.getProperty("user.name").equals("root"), command.contains("--allow-run-as-root"));
    }

    @Test
    void otherLossesEndTheComparison() {
        assertDoesNotThrow(() -> TrainingCommand.requireEqualLosses(2, 2.001));
        assertThrows(IOException.class, () -> TrainingCommand.requireEqualLosses(2, 2.1));
        assertThrows(IOException.class, () -> TrainingCommand.requireEqualLosses(2, Double.NaN));
    }

    /// Shards whose rows are not those of the batch would change the loss in its first digits.
    @Test
    void theShardsOfABatchTrainAsTheWholeBatch() {
        int steps = 20;
        double[] whole = new double[steps];
        try (var training = new ToydiffTraining("sgd", WIDTHS)) {
            training.use(24);
            for (int i = 0; i < steps; i++) {
                whole[i] = training.step();
            }
        }
        try (var training = new ToydiffTraining("sgd", WIDTHS);
                var group = ProcessGroup.single();
                var parallel = training.parallel(group, 3)) {
            training.use(24);
            for (int i = 0; i < steps; i++) {
                assertEquals(whole[i], training.step(parallel, 3), 1e-5 * whole[i]);
            }
        }
        assertTrue(whole[steps - 1] < whole[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--ranks=1", "--ranks=0", "--rounds=0", "--batch=1025", "--batch=0", "--optimizer=lamb"})
    void optionsThatCannotBeAreRefused(String option) {
        var errors = new StringWriter();
        assertEquals(2, ScaleOut.commandLine().setErr(new PrintWriter(errors)).execute("training", option));
        assertTrue(errors.toString().startsWith("--ranks must be 2 or more"), errors::toString);
    }
}
