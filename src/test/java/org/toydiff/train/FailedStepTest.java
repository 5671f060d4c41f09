package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.MemoryLimitException;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Loss;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// A step that fails leaves parameters, buffers and the optimizer's state as the step before it did.
class FailedStepTest extends ArenaTest {
    private static final int BATCH = 8;
    private static final int BAD = 3;

    FailedStepTest() {
        super(TensorArena::ofShared);
    }

    @BeforeEach
    void seed() {
        Tensor.manualSeed(7);
    }

    private static Map<String, double[]> numbers(Layer net, Optimizer optimizer) {
        Map<String, double[]> numbers = new LinkedHashMap<>();
        try (var scratch = TensorArena.ofConfined()) {
            net.stateDict().forEach((name, tensor) -> numbers.put(name, tensor.toDoubleArray()));
            optimizer.stateDict().forEach((name, tensor) -> numbers.put("optimizer." + name, tensor.toDoubleArray()));
        }
        return numbers;
    }

    private static void assertSame(Map<String, double[]> expected, Map<String, double[]> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, numbers) -> assertArrayEquals(numbers, actual.get(name), name));
    }

    /// Five batches, the third of which has `bad` as the input of its last example.
    private static DataLoader loader(float bad) {
        float[] x = new float[5 * BATCH * 2];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i);
        }
        x[BAD * BATCH * 2 - 1] = bad;
        int[] labels = new int[5 * BATCH];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = i % 2;
        }
        return DataLoader.of(new TensorDataset(Tensor.of(x, 5 * BATCH, 2), Tensor.of(labels)), BATCH);
    }

    /// Fits until it fails in the third step, and sees that nothing of this step is left.
    private static <E extends Throwable> E failure(
            Class<E> type, Layer net, Optimizer optimizer, Trainer trainer, float bad) {
        Map<String, double[]> before = new LinkedHashMap<>();
        trainer.callbacks(new Callback() {
            @Override
            public void onStepEnd(Training training) {
                before.clear();
                before.putAll(numbers(net, optimizer));
            }
        });
        E failure = assertThrows(type, () -> trainer.fit(loader(bad)));
        assertArrayEquals(new double[] {BAD - 1}, new double[] {before.get("optimizer.steps")[0]});
        assertSame(before, numbers(net, optimizer));
        for (Tensor parameter : net.parameters()) {
            assertFalse(parameter.hasGradient());
        }
        return failure;
    }

    private static Sequential normalized() {
        return new Sequential(new Linear(2, 4), new BatchNorm1d(4), new Linear(4, 2));
    }

    @Test
    void runningStatisticsAreThoseBeforeALossThatIsNoNumber() {
        for (long microBatch : new long[] {BATCH, 3}) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                Sequential net = normalized();
                var optimizer = new Adam(net.parameters(), 0.01);
                Trainer trainer =
                        Trainer.of(net, optimizer, Functional::crossEntropyLoss).microBatch(microBatch);
                String message = failure(ArithmeticException.class, net, optimizer, trainer, bad)
                        .getMessage();
                assertTrue(
                        message.startsWith("fit: the loss is NaN in epoch 1, step 3 (step 3 of the epoch); the"
                                + " parameters are unchanged by the step."),
                        message);
            }
        }
    }

    /// √(w·x), whose gradient is infinite or NaN at 0 where its value is a number.
    private static final class Root extends Layer {
        private final Linear linear = child("linear", new Linear(2, 2));
        private final BatchNorm1d norm = child("norm", new BatchNorm1d(2));
        private final Tensor weight;
        private final double power;

        Root(DType dtype, double weight, double power) {
            this.weight = parameter("weight", Tensor.full(dtype, weight, 1));
            this.power = power;
        }

        @Override
        protected Tensor compute(Tensor x) {
            Tensor last = x.slice(1, 1, 2).cast(weight.dtype());
            Tensor root = weight.multiply(last).abs().power(power).sum().cast(DType.FLOAT32);
            return linear.forward(norm.forward(x)).add(root);
        }
    }

    @Test
    void aGradientThatIsNoNumberUnderAFiniteLossEndsTrainingBeforeItDoesHarm() {
        for (double clip : new double[] {0, 1}) {
            var net = new Root(DType.FLOAT32, 1, 0.5);
            var optimizer = new SGD(net.parameters(), 0.1, 0.9);
            Trainer trainer = Trainer.of(net, optimizer, Functional::crossEntropyLoss);
            if (clip > 0) {
                trainer.clipNorm(clip);
            }
            String message = failure(ArithmeticException.class, net, optimizer, trainer, 0)
                    .getMessage();
            assertTrue(
                    message.matches(
                            "fit: the loss is \\d\\.\\d+(E-\\d+)? and the gradient of weight has NaN or infinite"
                                    + " elements in epoch 1, step 3 \\(step 3 of the epoch\\); the parameters are unchanged by the step\\."
                                    + " Lower the learning rate, clip gradients or check the data; onNonFinite\\(NonFinite\\.SKIP\\)"
                                    + " leaves such steps out"),
                    message);
        }
    }

    @Test
    void trainingContinuesIfNonFiniteLossesAreAllowed() throws IOException {
        var net = new Root(DType.FLOAT32, 1, 0.5);
        Training training = Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss)
                .onNonFinite(NonFinite.ALLOW)
                .fit(loader(0));
        assertEquals(5, training.step());
    }

    @Test
    void aFiniteGradientWhoseNormOverflowsIsNoFailure() throws IOException {
        var net = new Layer() {
            private final Linear linear = child("linear", new Linear(2, 2));
            private final Tensor weight = parameter("weight", Tensor.full(DType.FLOAT64, 1e-300, 2));

            @Override
            protected Tensor compute(Tensor x) {
                return linear.forward(x);
            }
        };
        var optimizer = new SGD(net.parameters(), 0);
        assertEquals(
                5,
                Trainer.of(net, optimizer, (y, t) -> Functional.crossEntropyLoss(y, t)
                                .add(net.weight.multiply(1e200).sum().cast(DType.FLOAT32)))
                        .fit(loader(1))
                        .step());
    }

    @Test
    void anExceptionOfTheModelUndoesTheOtherPartsOfTheStep() {
        Sequential inner = normalized();
        int[] parts = {0};
        var net = new Layer() {
            private final Sequential model = child("model", inner);

            @Override
            protected Tensor compute(Tensor x) {
                if (isTraining() && ++parts[0] == 6) {
                    throw new IllegalStateException("mine");
                }
                return model.forward(x);
            }
        };
        var optimizer = new SGD(net.parameters(), 0.1, 0.9);
        Trainer trainer = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
                .withoutMemoryPlan()
                .microBatch(4);
        assertEquals(
                "mine",
                failure(IllegalStateException.class, net, optimizer, trainer, 1).getMessage());
    }

    @Test
    void aStepThatDoesNotFitInMemoryIsForgotten() {
        Sequential net = normalized();
        var optimizer = new SGD(net.parameters(), 0.1, 0.9);
        int[] calls = {0};
        Loss greedy = (output, target) -> {
            if (++calls[0] == BAD) {
                Tensor.zeros(Memory.limitBytes());
            }
            return Functional.crossEntropyLoss(output, target);
        };
        failure(
                MemoryLimitException.class,
                net,
                optimizer,
                Trainer.of(net, optimizer, greedy).withoutMemoryPlan(),
                1);
    }
}
