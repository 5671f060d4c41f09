package org.toydiff.bench.scaleout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PredictCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter errors = new StringWriter();

    /// Runs the command with all times given, so that nothing is measured.
    private int predict(String... options) {
        String[] times = {
            "predict", "--forward-ms=30", "--backward-ms=60", "--update-ms=4", "--fixed-part=0", "--sum-gbs=10"
        };
        return ScaleOut.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(errors))
                .execute(Stream.concat(Stream.of(times), Stream.of(options)).toArray(String[]::new));
    }

    /// By hand, in milliseconds, for four nodes, 8 MB of gradients in one bucket and 0.8 ns a byte: the passes take
    /// 90/4, each collective 3·0.1 + ¾·6.4, sums ¾·0.8, the update 1.
    @Test
    void theTableHasTheTimesOfEachNumberOfNodes() {
        assertEquals(
                0,
                predict("--network=10:100", "--nodes=1,4", "--parameters=2000000", "--bucket-kib=7812.5"),
                errors::toString);
        assertEquals("""
                one node: forward 30.00 ms, backward 60.00 ms, of which 0.0 % whatever the batch; update 4.00 ms; sums 10.0 GB/s
                8,000,000 B of gradients in buckets of 8,000,000 B; a shard for each node, the same batch on any number of nodes

                10 Gb/s: latency 100.00 us, 10.00 Gb/s
                nodes  passes ms  communication    exposed     update    step ms   speed-up efficiency
                    1     90.000          0.000      0.000      4.000     94.000       1.00      1.000
                    4     22.500         10.800     10.800      1.000     34.300       2.74      0.685
                """, out.toString());
    }

    @Test
    void theExampleOfTheReadmePrintsThis() throws IOException {
        String page = Files.readString(Path.of(System.getProperty("basedir", "bench"), "scaleout", "README.md"));
        Matcher example = Pattern.compile("    bench/run scaleout (predict --network=.*)\n\n```\n([^`]*)```")
                .matcher(page);
        assertTrue(example.find());
        assertEquals(
                0,
                ScaleOut.commandLine()
                        .setOut(new PrintWriter(out))
                        .execute(example.group(1).split(" ")));
        assertEquals(example.group(2), out.toString());
    }

    @Test
    void shardsAndWeakScalingReachTheModel() {
        assertEquals(0, predict("--network=10:100", "--nodes=4", "--shards=8", "--weak"), errors::toString);
        assertTrue(out.toString().contains("8 shards, a batch that grows with the nodes"), out::toString);
        assertTrue(out.toString().contains("    4     90.000"), out::toString);
    }

    @Test
    void theLayersHaveTheirWeightsAndBiases() {
        assertEquals(0, predict("--network=10:0", "--layers=784,512,256,10"), errors::toString);
        assertTrue(out.toString().contains("2,143,272 B of gradients"), out::toString);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--network=fast",
                "--network=10",
                "--network=0:10",
                "--network=10:-1",
                "--nodes=0",
                "--parameters=0",
                "--bucket-kib=0",
                "--shards=-1",
                "--layers=784",
                "--batch=7",
                "--fixed-part=1.5",
                "--sum-gbs=0",
                "--update-ms=-1"
            })
    void optionsThatCannotBeAreRefusedByName(String option) {
        boolean repeated = option.matches("--(fixed|sum|update).*");
        int code = repeated
                ? ScaleOut.commandLine().setErr(new PrintWriter(errors)).execute("predict", option)
                : predict(option);
        assertEquals(2, code, out::toString);
        String name = option.startsWith("--update") ? "times" : option.substring(0, option.indexOf('='));
        assertTrue(errors.toString().startsWith(name), errors::toString);
    }

    @Test
    void theFixedPartIsThatOfTheTwoMeasuredBatches() {
        double fixed = 0.2;
        assertEquals(fixed, NodeMeasurement.fixedPart(1, fixed + (1 - fixed) / 8, 1 / 8.0), 1e-12);
        assertEquals(0, NodeMeasurement.fixedPart(1, 0.1, 1 / 8.0));
        assertEquals(1, NodeMeasurement.fixedPart(1, 1.1, 1 / 8.0));
    }
}
