package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.Memory;
import org.toydiff.MemoryLimitException;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Loss;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;
import org.toydiff.train.metrics.Accuracy;
import org.toydiff.train.metrics.ConfusionMatrix;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.report.History;

/// A run of the trainer against a loop written by hand, and everything that may end one.
class TrainerTest extends ArenaTest {
    private static final int CLASSES = 3;

    @TempDir
    private Path folder;

    TrainerTest() {
        super(TensorArena::ofShared);
    }

    @BeforeEach
    void seed() {
        Tensor.manualSeed(7);
    }

    /// Three clouds of points in the plane, which a straight line cannot separate.
    private static Dataset clouds(long seed, int n) {
        var random = new Random(seed);
        float[] x = new float[2 * n];
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = random.nextInt(CLASSES);
            double angle = labels[i] * 2 * Math.PI / CLASSES;
            x[2 * i] = (float) (2 * Math.cos(angle) + 0.5 * random.nextGaussian());
            x[2 * i + 1] = (float) (2 * Math.sin(angle) + 0.5 * random.nextGaussian());
        }
        return new TensorDataset(Tensor.of(x, n, 2), Tensor.of(labels));
    }

    private static Sequential net() {
        return new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, CLASSES));
    }

    /// With layers that draw random numbers and that keep statistics.
    private static Sequential statefulNet() {
        return new Sequential(
                new Linear(2, 16), new BatchNorm1d(16), new Tanh(), new Dropout(0.2), new Linear(16, CLASSES));
    }

    private static Trainer trainer(Layer net) {
        return Trainer.of(net, new SGD(net.parameters(), 0.1, 0.9), Functional::crossEntropyLoss);
    }

    @Test
    void aProblemIsLearnt() throws IOException {
        Sequential net = net();
        Training training = Trainer.of(net, new Adam(net.parameters(), 0.01), Functional::crossEntropyLoss)
                .metrics(new Accuracy(), new ConfusionMatrix(CLASSES))
                .epochs(10)
                .fit(DataLoader.of(clouds(1, 600), 32).shuffle(1), DataLoader.of(clouds(2, 300), 64));
        History history = training.history();
        double[] accuracy = history.epochValues("validation_accuracy");
        assertTrue(accuracy[9] > 0.97, "accuracy " + accuracy[9]);
        double[] losses = history.epochValues("loss");
        assertTrue(losses[9] < losses[0] / 3);
        assertEquals(10, training.epoch());
        assertEquals(10 * 19, training.step());
        assertNull(training.stopReason());
        assertTrue(net.isTraining());
    }

    @Test
    void itMatchesALoopWrittenByHand() throws IOException {
        Dataset data = clouds(1, 100);
        Tensor.manualSeed(3);
        Sequential expected = statefulNet();
        var optimizer = new SGD(expected.parameters(), 0.1, 0.9);
        List<Double> losses = new ArrayList<>();
        DataLoader loader = DataLoader.of(data, 32).shuffle(5);
        for (int epoch = 0; epoch < 3; epoch++) {
            for (Batch batch : loader) {
                try (var step = TensorArena.ofConfined()) {
                    Tensor loss = Functional.crossEntropyLoss(expected.forward(batch.x()), batch.y());
                    losses.add(loss.item());
                    loss.backward(Release.EAGER);
                    optimizer.step();
                    optimizer.zeroGradients();
                }
            }
        }
        Tensor.manualSeed(3);
        Sequential actual = statefulNet();
        Training training =
                trainer(actual).epochs(3).fit(DataLoader.of(data, 32).shuffle(5));
        assertArrayEquals(
                losses.stream().mapToDouble(x -> x).toArray(),
                training.history().stepValues("loss"));
        assertSameParameters(expected, actual);
    }

    private static void assertSameParameters(Layer expected, Layer actual) {
        actual.stateDict()
                .forEach((name, tensor) ->
                        assertArrayEquals(expected.stateDict().get(name).toFloatArray(), tensor.toFloatArray(), name));
    }

    @Test
    void historyHasARowForEveryStepAndEpoch() throws IOException {
        Training training = trainer(net())
                .metrics(new Accuracy())
                .epochs(2)
                .fit(DataLoader.of(clouds(1, 100), 32), DataLoader.of(clouds(2, 50), 50));
        History history = training.history();
        assertArrayEquals(new double[] {1, 1, 1, 1, 2, 2, 2, 2}, history.stepValues("epoch"));
        assertArrayEquals(new double[] {1, 2, 3, 4, 5, 6, 7, 8}, history.stepValues("step"));
        assertArrayEquals(new double[] {32, 32, 32, 4, 32, 32, 32, 4}, history.stepValues("examples"));
        assertArrayEquals(new double[] {1, 2}, history.epochValues("epoch"));
        assertArrayEquals(new double[] {4, 8}, history.epochValues("step"));
        assertArrayEquals(new double[] {100, 100}, history.epochValues("examples"));
        double[] losses = history.stepValues("loss");
        double mean = (32 * (losses[4] + losses[5] + losses[6]) + 4 * losses[7]) / 100;
        assertEquals(mean, history.epochValues("loss")[1], 1e-15);
        assertEquals(history.stepValues("accuracy")[7], history.epochValues("accuracy")[1]);
        double[] seconds = history.epochValues("seconds");
        double[] validation = history.epochValues("validation_seconds");
        double steps = DoubleStream.concat(
                        DoubleStream.of(history.stepValues("seconds")),
                        DoubleStream.of(history.stepValues("wait_seconds")))
                .sum();
        assertEquals(seconds[0] + seconds[1], steps + validation[0] + validation[1], 1e-9);
        assertTrue(history.stepValues("live_bytes")[7] > 0);
        assertTrue(history.stepValues("peak_bytes")[7] > history.stepValues("live_bytes")[7]);
        assertArrayEquals(new double[] {0.1, 0.1}, history.epochValues("learning_rate"));
    }

    @Test
    void peakBytesAreThoseOfTheProcess() throws IOException {
        DataLoader loader = DataLoader.of(clouds(1, 64), 64);
        var peaks = new ArrayList<Long>();
        Training training = trainer(net())
                .epochs(3)
                .callbacks(new Callback() {
                    @Override
                    public void onEpochBegin(Training training) {
                        Memory.resetPeak();
                    }

                    @Override
                    public void onStepEnd(Training training) {
                        peaks.add(Memory.peakBytes());
                    }
                })
                .fit(loader);
        assertEquals((double) peaks.get(2), training.history().stepValues("peak_bytes")[2]);
    }

    // Micro-batches.

    @Test
    void microBatchesGiveTheGradientOfTheWholeBatch() throws IOException {
        Dataset data = clouds(1, 100);
        double[][] losses = new double[3][];
        List<Sequential> nets = new ArrayList<>();
        long[] parts = {1000, 32, 7};
        for (int i = 0; i < parts.length; i++) {
            Tensor.manualSeed(3);
            nets.add(net());
            losses[i] = trainer(nets.get(i))
                    .metrics(new Accuracy())
                    .microBatch(parts[i])
                    .epochs(3)
                    .fit(DataLoader.of(data, 64), DataLoader.of(data, 64))
                    .history()
                    .stepValues("loss");
        }
        for (int i = 1; i < parts.length; i++) {
            // Sums of 64 floats in another order, over 6 steps: some 10 units in the last place.
            assertArrayEquals(losses[0], losses[i], 2e-6);
            Sequential part = nets.get(i);
            nets.get(0)
                    .namedParameters()
                    .forEach((name, tensor) -> assertArrayEquals(
                            tensor.toFloatArray(),
                            part.namedParameters().get(name).toFloatArray(),
                            2e-6f,
                            name));
        }
    }

    @Test
    void microBatchesTakeLessMemory() throws IOException {
        double[] peaks = new double[2];
        for (int i = 0; i < 2; i++) {
            Sequential net = net();
            peaks[i] = trainer(net)
                    .microBatch(i == 0 ? 1024 : 64)
                    .epochs(2)
                    .fit(DataLoader.of(clouds(1, 1024), 1024))
                    .history()
                    .stepValues("peak_bytes")[1];
        }
        assertTrue(peaks[1] < peaks[0] - 60_000, peaks[0] + " and " + peaks[1]);
    }

    // Ends.

    /// A model with a given validation loss for each epoch.
    private static final class Scripted extends Layer {
        private final Tensor weight = parameter("weight", Tensor.zeros(1));
        private final double[] validation;
        private int epoch;

        Scripted(double... validation) {
            this.validation = validation;
        }

        @Override
        protected Tensor compute(Tensor x) {
            return isTraining()
                    ? x.multiply(0).add(weight)
                    : x.multiply(0).add(weight).multiply(0).add(validation[epoch++]);
        }
    }

    private static Tensor mean(Tensor output, Tensor target) {
        return output.mean();
    }

    private static DataLoader one() {
        return DataLoader.of(new TensorDataset(Tensor.ones(1), Tensor.ones(1)), 1);
    }

    private Training scripted(Trainer trainer) throws IOException {
        return trainer.epochs(8).fit(one(), one());
    }

    private static Trainer scripted(Scripted model) {
        return Trainer.of(model, new SGD(model.parameters(), 1), TrainerTest::mean);
    }

    @Test
    void stopsWhenPatienceIsOver() throws IOException {
        Training training =
                scripted(scripted(new Scripted(5, 4, 3, 3, 3.5, 2, 2, 2)).earlyStopping(2));
        assertEquals(5, training.epoch());
        assertEquals("validation_loss has not improved for 2 epochs", training.stopReason());
        assertEquals(OptionalInt.of(3), training.bestEpoch());
    }

    @Test
    void aSmallImprovementIsNone() throws IOException {
        Training training =
                scripted(scripted(new Scripted(5, 4.9, 4.8, 4.7, 1, 1, 1, 1)).earlyStopping(3, 0.5));
        assertEquals(4, training.epoch());
        assertEquals(OptionalInt.of(4), training.bestEpoch(), "it is the best nevertheless");
        assertEquals(
                8,
                scripted(scripted(new Scripted(5, 4, 3, 2, 1, 0, -1, -2)).earlyStopping(1, 0.5))
                        .epoch());
    }

    @Test
    void theBestEpochIsPutBack() throws IOException {
        var model = new Scripted(5, 4, 3, 9, 9, 9, 9, 9);
        Training training = scripted(scripted(model).restoreBest());
        // Each step takes 1 off the weight.
        assertEquals(-3, model.weight.item());
        assertEquals(8, training.epoch());
        var last = new Scripted(5, 4, 3, 9, 9, 9, 9, 9);
        scripted(scripted(last));
        assertEquals(-8, last.weight.item());
    }

    @Test
    void aMetricCanBeMonitored() throws IOException {
        Sequential net = net();
        Training training = trainer(net)
                .metrics(new Accuracy())
                .monitor("validation_accuracy")
                .epochs(5)
                .fit(DataLoader.of(clouds(1, 100), 32), DataLoader.of(clouds(2, 50), 50));
        double[] values = training.history().epochValues("validation_accuracy");
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        assertEquals(OptionalInt.of(best + 1), training.bestEpoch());
    }

    @Test
    void aLossThatIsNoNumberEndsTrainingBeforeItDoesHarm() throws IOException {
        float[] x = new float[200];
        x[65 * 2] = Float.NaN;
        Dataset data = new TensorDataset(Tensor.of(x, 100, 2), Tensor.of(new int[100]));
        Sequential net = net();
        var before = new ArrayList<float[]>();
        var trainer = trainer(net).callbacks(new Callback() {
            @Override
            public void onStepEnd(Training training) {
                before.clear();
                net.parameters().forEach(parameter -> before.add(parameter.toFloatArray()));
            }
        });
        var failure = assertThrows(ArithmeticException.class, () -> trainer.historyJson(folder.resolve("h.json"))
                .microBatch(16)
                .fit(DataLoader.of(data, 32)));
        assertEquals(
                "fit: the loss is NaN in epoch 1, step 3 (step 3 of the epoch); the parameters are unchanged by the step. Lower"
                        + " the learning rate, clip gradients or check the data; onNonFinite(NonFinite.SKIP) leaves such steps out",
                failure.getMessage());
        for (int i = 0; i < before.size(); i++) {
            assertArrayEquals(before.get(i), net.parameters().get(i).toFloatArray());
            assertFalse(net.parameters().get(i).hasGradient());
        }
        assertEquals(2, History.readJson(folder.resolve("h.json")).steps(), "the steps before it are written");
        Training training = trainer.onNonFinite(NonFinite.ALLOW).fit(DataLoader.of(data, 32));
        assertEquals(4, training.step());
        assertEquals(Double.NaN, training.history().stepValues("loss")[3]);
    }

    @Test
    void anInterruptedThreadEndsAfterTheStep() throws IOException {
        for (int ahead = 0; ahead < 2; ahead++) {
            Training training = trainer(net())
                    .epochs(5)
                    .callbacks(new Callback() {
                        @Override
                        public void onStepEnd(Training training) {
                            if (training.step() == 6) {
                                Thread.currentThread().interrupt();
                            }
                        }
                    })
                    .fit(DataLoader.of(clouds(1, 100), 32).prefetch(ahead));
            assertTrue(Thread.interrupted(), "the interrupt is left to the caller");
            assertEquals(6, training.step());
            assertEquals("interrupted", training.stopReason());
            assertEquals(1, training.history().epochs());
        }
    }

    @Test
    void aCallbackIsCalledInOrderAndCanStop() throws IOException {
        List<String> calls = new ArrayList<>();
        Training training = trainer(net())
                .epochs(5)
                .callbacks(new Callback() {
                    @Override
                    public void onTrainBegin(Training training) {
                        calls.add("train");
                    }

                    @Override
                    public void onEpochBegin(Training training) {
                        calls.add("epoch " + training.epoch());
                    }

                    @Override
                    public void onStepEnd(Training training) {
                        calls.add("step " + training.step() + " " + training.stepOfEpoch() + "/"
                                + training.stepsPerEpoch());
                        if (training.step() == 3) {
                            training.stop("enough");
                        }
                    }

                    @Override
                    public void onEpochEnd(Training training) {
                        calls.add("end " + training.history().epochs());
                    }

                    @Override
                    public void onTrainEnd(Training training) {
                        calls.add("over");
                    }
                })
                .fit(DataLoader.of(clouds(1, 64), 32));
        assertEquals(
                List.of("train", "epoch 1", "step 1 1/2", "step 2 2/2", "end 1", "epoch 2", "step 3 1/2", "over"),
                calls);
        assertEquals("enough", training.stopReason());
    }

    @Test
    void aFailureIsNotHiddenByLaterOnes() {
        Trainer trainer = trainer(net()).callbacks(new Callback() {
            @Override
            public void onStepEnd(Training training) {
                throw new IllegalStateException("mine");
            }

            @Override
            public void onTrainEnd(Training training) {
                throw new IllegalStateException("later");
            }
        });
        var failure = assertThrows(IllegalStateException.class, () -> trainer.fit(DataLoader.of(clouds(1, 64), 32)));
        assertEquals("mine", failure.getMessage());
        assertEquals("later", failure.getSuppressed()[0].getMessage());
    }

    @Test
    void aLastBatchOfOneExampleIsRefusedByBatchNormalization() {
        for (long microBatch : new long[] {Long.MAX_VALUE, 32}) {
            Trainer trainer = trainer(statefulNet()).microBatch(microBatch);
            DataLoader loader = DataLoader.of(clouds(1, 65), microBatch == 32 ? 65 : 32);
            String message = assertThrows(IllegalArgumentException.class, () -> trainer.fit(loader))
                    .getMessage();
            assertTrue(message.contains("DataLoader.dropLast()"), message);
        }
    }

    // Memory.

    @Test
    void aStepThatDoesNotFitIsRefused() throws IOException {
        long rows = Memory.limitBytes() / (1024 * 4);
        var wide = new Sequential(new Linear(1, 2), new Tanh(), new Linear(2, CLASSES));
        Loss huge = (output, target) -> Functional.crossEntropyLoss(
                output.sum(1, true).broadcastTo(output.shape()[0], rows).exp().slice(1, 0, 3), target);
        Trainer trainer = Trainer.of(wide, new SGD(wide.parameters(), 0.1), huge);
        Dataset data = new TensorDataset(Tensor.ones(2048, 1), Tensor.of(new int[2048]));
        String message = assertThrows(MemoryLimitException.class, () -> trainer.fit(DataLoader.of(data, 2048)))
                .getMessage();
        assertTrue(message.startsWith("step: a batch of 2048 would take "), message);
        var largest = Pattern.compile("the largest micro-batch that fits has (\\d+) examples")
                .matcher(message);
        assertTrue(largest.find(), message);
        assertTrue(Long.parseLong(largest.group(1)) < 1024);
    }

    @Test
    void aModelThatReadsElementsTrainsWithoutAPlan() throws IOException {
        var reading = new Layer() {
            private final Linear linear = child("linear", new Linear(2, CLASSES));

            @Override
            protected Tensor compute(Tensor x) {
                return x.sum().item() > 1e9 ? x : linear.forward(x);
            }
        };
        assertThrows(IllegalStateException.class, () -> trainer(reading).fit(DataLoader.of(clouds(1, 64), 32)));
        Training training = trainer(reading).withoutMemoryPlan().fit(DataLoader.of(clouds(1, 64), 32));
        assertEquals(2, training.step());
        assertNotNull(training.schedule());
    }

    // Results.

    @Test
    void aReportAndHistoriesAreWritten() throws IOException {
        Training training = trainer(net())
                .metrics(new Accuracy(), new ConfusionMatrix(CLASSES))
                .epochs(2)
                .title("Clouds")
                .classNames("a", "b", "c")
                .fact("Data", "three clouds")
                .historyCsv(folder.resolve("csv"))
                .historyJson(folder.resolve("history.json"))
                .report(folder.resolve("out/report.html"))
                .fit(DataLoader.of(clouds(1, 100), 32), DataLoader.of(clouds(2, 50), 50));
        String page = Files.readString(folder.resolve("out/report.html"));
        for (String part : List.of(
                "<h1>Clouds</h1>", "three clouds", "\"schedule\":{", "validation in epoch", "[\"a\",\"b\",\"c\"]")) {
            assertTrue(page.contains(part), part);
        }
        History read = History.readJson(folder.resolve("history.json"));
        assertArrayEquals(training.history().stepValues("loss"), read.stepValues("loss"));
        assertEquals(8, History.readCsv(folder.resolve("csv")).steps());
    }

    // Bad settings.

    @Test
    void settingsCannotChangeWhileAFitIsUnderWay() throws IOException {
        Trainer trainer = trainer(net());
        List<Method> settings = Stream.of(Trainer.class.getMethods())
                .filter(method -> method.getReturnType() == Trainer.class && !Modifier.isStatic(method.getModifiers()))
                .toList();
        assertTrue(settings.size() > 20, settings.toString());
        DataLoader loader = DataLoader.of(clouds(1, 64), 64);
        List<String> accepted = new ArrayList<>();
        trainer.callbacks(new Callback() {
            @Override
            public void onStepEnd(Training training) {
                settings.forEach(setting -> {
                    if (!isRefused(trainer, setting)) {
                        accepted.add(setting.toString());
                    }
                });
                assertEquals(
                        "Trainer: fit cannot be called while fit is under way; call it before, or after fit has"
                                + " returned",
                        assertThrows(IllegalStateException.class, () -> trainer.fit(loader))
                                .getMessage());
            }
        });
        assertEquals(1, trainer.fit(loader).step());
        assertEquals(List.of(), accepted);
        assertEquals(2, trainer.epochs(2).fit(loader).step(), "they hold from the next fit on");
    }

    private static final Map<Class<?>, Object> VALUES =
            Map.of(int.class, 1, long.class, 1L, double.class, 1.0, boolean.class, true);

    /// Calls a setting with 1 for each number, true and null for each object.
    private static boolean isRefused(Trainer trainer, Method setting) {
        Object[] arguments = Stream.of(setting.getParameterTypes())
                .map(type -> VALUES.get(type))
                .toArray();
        var failure = assertThrows(InvocationTargetException.class, () -> setting.invoke(trainer, arguments));
        return failure.getCause() instanceof IllegalStateException;
    }

    @Test
    void badSettingsAreNamed() {
        Sequential net = net();
        Trainer trainer = trainer(net);
        rejected("Trainer: epochs 0 must be positive", () -> trainer.epochs(0));
        rejected("Trainer: microBatch -1 must be positive", () -> trainer.microBatch(-1));
        rejected("Trainer: earlyStopping patience 0 must be positive", () -> trainer.earlyStopping(0));
        rejected("Trainer: earlyStopping minDelta NaN must be 0 or more", () -> trainer.earlyStopping(1, Double.NaN));
        rejected(
                "Trainer: metrics: the name accuracy is taken; use distinct names that do not begin with validation_",
                () -> trainer.metrics(new Accuracy(), new Accuracy()));
        rejected(
                "Trainer: metrics: the name loss is taken; use distinct names that do not begin with validation_",
                () -> trainer.metrics(new Mean("loss", Functional::mseLoss)));
        DataLoader loader = DataLoader.of(clouds(1, 10), 32);
        rejected(
                "fit: the training loader has no batch: 10 examples; add examples, or do not drop the last batch",
                () -> trainer.fit(DataLoader.of(clouds(1, 10), 32).dropLast()));
        rejected(
                "monitor: validation_loss is not one of [loss]; use one of these",
                () -> trainer(net).monitor("validation_loss").fit(loader));
        rejected(
                "monitor: seconds is not one of [loss, validation_loss]; use one of these",
                () -> trainer(net).monitor("seconds").fit(loader, loader));
        Optimizer optimizer = new SGD(net.parameters(), 0.1);
        rejected("fit: the loss is [10] float32, not a scalar; reduce it to the mean over the batch", () -> Trainer.of(
                        net, optimizer, (output, target) -> output.sum(1))
                .withoutMemoryPlan()
                .fit(loader));
    }
}
