package org.toydiff.bench.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every function that is timed, at a small size.
class TimedFunctionsTest {
    private static final String SIZE = "2048";

    /// The last result and the change, as PyTorch 2.13 computes them: the answers of `bench/peers/torch_peer.py` to
    /// `check eager NAME 2048`.
    private static final Map<String, double[]> PYTORCH = Map.ofEntries(
            Map.entry("add", new double[] {1.3326652445393978, 0}),
            Map.entry("gelu-add", new double[] {1.1292827717702525, 0}),
            Map.entry("classifier", new double[] {2.302570343017578, 1.1858892340343985e-11}),
            Map.entry("softmax-regression", new double[] {2.301419258117676, 5.684264081651236e-08}),
            Map.entry("logistic-regression", new double[] {0.6970511674880981, 2.6552609710961406e-07}),
            Map.entry("gelu-mlp", new double[] {0.333071231842041, 6.903810162439683e-11}),
            Map.entry("gelu", new double[] {0.2935668122135987, 0.7866489291191101}),
            Map.entry("gelu-forward", new double[] {0.2935668122135987, 0}),
            Map.entry("layernorm", new double[] {1.9104135093239134, 0.33323538303375244}),
            Map.entry("softmax", new double[] {1.031868357367485e-06, 7.693068937442149e-08}),
            Map.entry("softmax-forward", new double[] {1.031868357367485e-06, 0}),
            Map.entry("layernorm-forward", new double[] {1.9104135093239134, 0}));

    static Set<String> names() {
        return TimedFunctions.names();
    }

    private static double[] numbers(String form, String name) {
        return (double[]) ToydiffPrograms.check(form, name, SIZE).get("numbers");
    }

    @ParameterizedTest
    @MethodSource("names")
    void aFunctionComputesThatOfPyTorchEagerAndCompiled(String name) {
        double[] numbers = numbers("eager", name);
        assertArrayEquals(numbers, numbers("compiled", name));
        double[] expected = PYTORCH.get(name);
        assertEquals(expected[0], numbers[2], 1e-5 * expected[0]);
        assertEquals(expected[1], numbers[3], 1e-3 * expected[1]);
    }

    @ParameterizedTest
    @MethodSource("names")
    void thePlannedMemoryOfAFunctionIsNotBelowTheLeastNorAboveThatOfAnEagerRun(String name) {
        Map<String, ?> bytes = ToydiffPrograms.temporaries(name, SIZE);
        long planned = (Long) bytes.get("planned_bytes");
        assertTrue((Long) bytes.get("lower_bound_bytes") <= planned, bytes::toString);
        assertTrue(planned <= (Long) bytes.get("eager_peak_bytes"), bytes::toString);
    }

    @Test
    void anUnknownFunctionIsNamedWithThoseThereAre() {
        var e = assertThrows(IllegalArgumentException.class, () -> TimedFunctions.create("nothing", 16));
        assertTrue(e.getMessage().startsWith("nothing is not one of ")
                && e.getMessage().contains("gelu-mlp"));
    }
}
