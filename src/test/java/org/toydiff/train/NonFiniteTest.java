package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Release;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Gradients;
import org.toydiff.optim.SGD;
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Accuracy;

/// Steps whose loss or gradients are not finite are skipped as if their batches did not exist, and counted.
class NonFiniteTest extends ArenaTest {
    private static final int BATCH = 8;
    private static final int BATCHES = 6;

    @TempDir
    private Path folder;

    NonFiniteTest() {
        super(TensorArena::ofShared);
    }

    /// Batches of which some have `bad` as an input of their last example.
    private static float[] inputs(float bad, int... badBatches) {
        float[] x = new float[BATCHES * BATCH * 2];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i);
        }
        for (int batch : badBatches) {
            x[(batch + 1) * BATCH * 2 - 1] = bad;
        }
        return x;
    }

    private static DataLoader loader(float[] x, int... batches) {
        int n = batches.length * BATCH;
        float[] chosen = new float[n * 2];
        int[] labels = new int[n];
        for (int i = 0; i < batches.length; i++) {
            System.arraycopy(x, batches[i] * BATCH * 2, chosen, i * BATCH * 2, BATCH * 2);
            for (int j = 0; j < BATCH; j++) {
                labels[i * BATCH + j] = (batches[i] * BATCH + j) % 2;
            }
        }
        return DataLoader.of(new TensorDataset(Tensor.of(chosen, n, 2), Tensor.of(labels)), BATCH);
    }

    private static DataLoader all(float[] x) {
        return loader(x, IntStream.range(0, BATCHES).toArray());
    }

    /// Everything of a run, with √(w·x) beside a net: its gradient is infinite at x = 0, where its value is finite.
    private static final class Run {
        final Layer net;
        final Adam optimizer;
        final Trainer trainer;

        Run(boolean root) {
            Tensor.manualSeed(3);
            net = root ? new Root() : new Sequential(new Linear(2, 4), new BatchNorm1d(4), new Linear(4, 2));
            optimizer = new Adam(net.parameters(), 0.01);
            trainer = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
                    .metrics(new Accuracy())
                    .everyStep(new Scheduler(optimizer, Schedule.step(2, 0.9)))
                    .onNonFinite(NonFinite.SKIP)
                    .epochs(2);
        }

        Map<String, double[]> numbers() {
            Map<String, double[]> numbers = new LinkedHashMap<>();
            for (Stateful part : List.of(net, optimizer)) {
                part.stateDict()
                        .forEach((name, tensor) ->
                                numbers.put(part.getClass().getSimpleName() + "." + name, tensor.toDoubleArray()));
            }
            return numbers;
        }
    }

    private static final class Root extends Layer {
        private final Linear linear = child("linear", new Linear(2, 2));
        private final Tensor weight = parameter("weight", Tensor.ones(1));

        @Override
        protected Tensor compute(Tensor x) {
            return linear.forward(x)
                    .add(weight.multiply(x.slice(1, 1, 2)).abs().power(0.5).sum());
        }
    }

    private static void assertSame(Run expected, Run actual) {
        Map<String, double[]> numbers = actual.numbers();
        expected.numbers().forEach((name, values) -> assertArrayEquals(values, numbers.get(name), name));
    }

    @Test
    void aSkippedBatchLeavesNoTraceButItsCount() throws IOException {
        for (boolean root : new boolean[] {false, true}) {
            for (boolean clip : new boolean[] {false, true}) {
                for (long microBatch : new long[] {BATCH, 3}) {
                    float[] x = inputs(root ? 0 : Float.NaN, 1, 4);
                    var without = new Run(root);
                    var with = new Run(root);
                    for (Run run : List.of(without, with)) {
                        run.trainer.microBatch(microBatch);
                        if (clip) {
                            run.trainer.clipNorm(0.5);
                        }
                    }
                    Training expected = without.trainer.fit(loader(x, 0, 2, 3, 5));
                    Training training = with.trainer.fit(all(x));
                    assertSame(without, with);
                    assertEquals(0, expected.skippedSteps());
                    assertEquals(4, training.skippedSteps());
                    assertArrayEquals(
                            new double[] {0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0},
                            training.history().stepValues("skipped_steps"));
                    assertArrayEquals(new double[] {2, 2}, training.history().epochValues("skipped_steps"));
                    if (clip) {
                        double norm = training.history().stepValue("gradient_norm", 1);
                        assertFalse(Double.isFinite(norm), "norm " + norm);
                    }
                    double[] losses = training.history().epochValues("loss");
                    if (root) {
                        assertTrue(Double.isFinite(losses[0]), "a finite loss counts");
                    } else if (microBatch == BATCH) {
                        assertArrayEquals(expected.history().epochValues("loss"), losses);
                        assertArrayEquals(
                                expected.history().epochValues("accuracy"),
                                training.history().epochValues("accuracy"));
                    }
                }
            }
        }
    }

    @Test
    void anEpochOfSkippedStepsAloneHasNoLossAndIsResumedToTheBit() throws IOException {
        float[] x = inputs(Float.POSITIVE_INFINITY, 0, 1, 2);
        var straight = new Run(false);
        Training expected = straight.trainer.fit(all(x));
        for (int stop : new int[] {2, 4, 7}) {
            Path run = folder.resolve("run" + stop);
            var first = new Run(false);
            first.trainer.checkpoints(run).callbacks(new Callback() {
                @Override
                public void onStepEnd(Training training) {
                    if (training.step() == stop) {
                        training.stop("for a test");
                    }
                }
            });
            first.trainer.fit(all(x));
            var second = new Run(false);
            Training resumed = second.trainer.checkpoints(run).resume().fit(all(x));
            assertSame(straight, second);
            for (String column : List.of("loss", "accuracy", "skipped_steps")) {
                assertArrayEquals(
                        expected.history().epochValues(column),
                        resumed.history().epochValues(column),
                        column);
            }
            assertEquals(6, resumed.skippedSteps());
        }
        var alone = new Run(false);
        Training none = alone.trainer.fit(loader(x, 0, 1, 2));
        assertTrue(Arrays.stream(none.history().epochValues("loss")).allMatch(Double::isNaN));
        assertTrue(none.bestEpoch().isEmpty());
    }

    @Test
    void theEpochsLineAndTheReportShowTheCount() throws IOException {
        var bytes = new ByteArrayOutputStream();
        var run = new Run(false);
        Path report = folder.resolve("report.html");
        run.trainer
                .callbacks(ConsoleProgress.lines(new PrintStream(bytes, true, StandardCharsets.UTF_8)))
                .report(report)
                .fit(all(inputs(Float.NaN, 2)));
        String[] lines = bytes.toString(StandardCharsets.UTF_8).split("\n");
        assertEquals(2, lines.length);
        for (String line : lines) {
            assertTrue(line.contains("1 step skipped"), line);
        }
        String data = Files.readString(report);
        assertTrue(
                data.contains("\"skipped_steps\":[1,1]") && data.contains("\"skipped_steps\":[0,0,1,0,0,0,"),
                () -> data.substring(
                        Math.max(0, data.indexOf("skipped_steps\":")), data.indexOf("skipped_steps\":") + 60));
        assertFalse(new Run(false)
                .trainer
                .onNonFinite(NonFinite.STOP)
                .fit(all(inputs(0)))
                .history()
                .epochColumns()
                .contains("skipped_steps"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 129, 1_021, 70_000})
    void oneElementThatIsNotFiniteIsFoundWhereverItIs(int n) {
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
            double largest = dtype == DType.FLOAT32 ? Float.MAX_VALUE : Double.MAX_VALUE;
            double[] values = new double[n];
            Arrays.setAll(values, i -> i % 2 == 0 ? largest : -largest);
            assertTrue(Updates.allFinite(Tensor.of(dtype, values, n)), "all are finite");
            for (int i = 0; i < n; i += Math.max(1, n / 97)) {
                double finite = values[i];
                values[i] = new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}[i % 3];
                try (var arena = TensorArena.ofConfined()) {
                    assertFalse(Updates.allFinite(Tensor.of(dtype, values, n)), dtype + " " + i + " of " + n);
                }
                values[i] = finite;
            }
        }
        assertTrue(Updates.allFinite(Tensor.zeros(0)));
    }

    @Test
    void gradientsAreCheckedWithoutATrainerAndWithoutHeap() {
        Tensor weight = Tensor.full(DType.FLOAT64, 1e300, 4).trackGradient();
        Tensor other = Tensor.ones(3).trackGradient();
        List<Tensor> parameters = List.of(other, weight);
        assertTrue(Gradients.areFinite(parameters), "there are no gradients");
        weight.multiply(Tensor.full(DType.FLOAT64, 1e300, 4)).sum().backward(Release.EAGER);
        assertTrue(Gradients.areFinite(parameters), "the norm alone is infinite");
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            weight.zeroGradient();
            weight.multiply(Tensor.of(DType.FLOAT64, new double[] {1, 2, bad, 3}, 4))
                    .sum()
                    .backward(Release.EAGER);
            assertFalse(Gradients.areFinite(parameters), "" + bad);
        }
        weight.zeroGradient();
        other.multiply(2).sum().backward(Release.EAGER);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < 20_000; i++) {
            Gradients.areFinite(parameters);
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1000; i++) {
            Gradients.areFinite(parameters);
        }
        long each = (threads.getCurrentThreadAllocatedBytes() - before) / 1000;
        assertTrue(each < 8, each + " bytes of heap for each check");
    }

    @Test
    void aLoopOfOnesOwnSkipsTheStep() {
        Tensor weight = Tensor.ones(2).trackGradient();
        var optimizer = new SGD(List.of(weight), 0.1, 0.9);
        for (float bad : new float[] {1, Float.NaN, 1}) {
            try (var step = TensorArena.ofConfined()) {
                weight.multiply(Tensor.of(1, bad)).sum().backward(Release.EAGER);
                if (Gradients.areFinite(optimizer.parameters())) {
                    optimizer.step();
                }
                optimizer.zeroGradients();
            }
        }
        assertArrayEquals(new float[] {0.71f, 0.71f}, weight.toFloatArray(), 1e-6f);
    }
}
