package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.MemoryPlan;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Checkpoint;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// Frozen layers keep their parameters, their statistics and their evaluation mode while the others train.
class FreezingTest extends ArenaTest {
    private Sequential backbone;
    private Linear head;
    private Sequential net;

    FreezingTest() {
        super(TensorArena::ofShared);
    }

    @BeforeEach
    void makeNet() {
        Tensor.manualSeed(7);
        backbone = new Sequential(new Linear(3, 8), new BatchNorm1d(8), new Dropout(0.5));
        head = new Linear(8, 2);
        net = new Sequential(backbone, new ReLU(), head);
    }

    private static Map<String, double[]> numbers(Layer layer) {
        Map<String, double[]> numbers = new LinkedHashMap<>();
        layer.stateDict().forEach((name, tensor) -> numbers.put(name, tensor.toDoubleArray()));
        return numbers;
    }

    private static void assertUnchanged(Map<String, double[]> before, Layer layer) {
        numbers(layer).forEach((name, now) -> assertArrayEquals(before.get(name), now, name));
    }

    private static void assertChanged(Map<String, double[]> before, Layer layer, String name) {
        assertFalse(Arrays.equals(before.get(name), numbers(layer).get(name)), name + " is unchanged");
    }

    private static DataLoader loader() {
        Tensor x = Tensor.randn(40, 3);
        return DataLoader.of(new TensorDataset(x, x.sum(1).greater(0).cast(DType.INT64)), 10);
    }

    private static Trainer trainer(Layer net, Optimizer optimizer) {
        return Trainer.of(net, optimizer, Functional::crossEntropyLoss);
    }

    @Test
    void theTrainerTrainsTheOtherLayersAlone() throws IOException {
        Map<String, BiFunction<List<Tensor>, Double, Optimizer>> optimizers = Map.of(
                "SGD", (p, lr) -> new SGD(p, lr, 0.9).weightDecay(0.1),
                "Adam", (p, lr) -> new Adam(p, lr).weightDecay(0.1),
                "LAMB", (p, lr) -> new LAMB(p, lr));
        backbone.freeze();
        for (var made : optimizers.entrySet()) {
            Map<String, double[]> frozen = numbers(backbone);
            Map<String, double[]> free = numbers(head);
            boolean[] training = {true, false};
            trainer(net, made.getValue().apply(net.parameters(), 0.01))
                    .epochs(2)
                    .clipNorm(1)
                    .callbacks(new Callback() {
                        @Override
                        public void onStepEnd(Training state) {
                            training[0] &= net.isTraining() && head.isTraining();
                            training[1] |= backbone.isTraining();
                        }
                    })
                    .fit(loader(), loader());
            assertUnchanged(frozen, backbone);
            assertChanged(free, head, "weight");
            assertArrayEquals(new boolean[] {true, false}, training, made.getKey());
        }
    }

    @Test
    void unfrozenLayersTrainAgainAndTheMemoryOfTheirStepsIsPredicted() throws IOException {
        backbone.freeze();
        Map<String, double[]> before = numbers(backbone);
        long[] first = {0, 0};
        Training training = trainer(net, new SGD(net.parameters(), 0.1, 0.9))
                .epochs(2)
                .callbacks(new Callback() {
                    @Override
                    public void onEpochEnd(Training state) {
                        if (state.epoch() == 1) {
                            assertUnchanged(before, backbone);
                            first[0] = state.predictedStepBytes();
                            first[1] = state.measuredStepBytes();
                            backbone.unfreeze();
                        }
                    }
                })
                .fit(loader());
        assertChanged(before, backbone, "0.weight");
        assertTrue(backbone.isTraining());
        assertNotEquals(
                before.get("1.running_mean")[0], numbers(backbone).get("1.running_mean")[0], "statistics go on");
        assertEquals(first[0], first[1]);
        assertEquals(training.predictedStepBytes(), training.measuredStepBytes());
        assertTrue(training.predictedStepBytes() > first[0], "a frozen layer keeps nothing for backward");
    }

    @Test
    void anotherFrozenLayerOfAsManyParametersHasAnotherPrediction() throws IOException {
        var first = new Sequential(new Linear(3, 64), new BatchNorm1d(64));
        var last = new Sequential(new Linear(64, 2), new BatchNorm1d(2));
        var chain = new Sequential(first, new ReLU(), last);
        first.freeze();
        long[] predicted = {0};
        Training training = trainer(chain, new SGD(chain.parameters(), 0.1))
                .epochs(2)
                .callbacks(new Callback() {
                    @Override
                    public void onEpochEnd(Training state) {
                        if (state.epoch() == 1) {
                            predicted[0] = state.predictedStepBytes();
                            assertEquals(state.measuredStepBytes(), predicted[0]);
                            first.unfreeze();
                            last.freeze();
                        }
                    }
                })
                .fit(loader());
        assertTrue(training.predictedStepBytes() > predicted[0], "the first layers are wider");
        assertEquals(training.measuredStepBytes(), training.predictedStepBytes());
    }

    @Test
    void frozenLayersStayInEvaluationModeAndTheirChildrenToo() {
        backbone.freeze();
        net.train();
        assertTrue(net.isTraining() && head.isTraining());
        assertTrue(backbone.isFrozen() && !backbone.isTraining());
        Tensor x = Tensor.randn(5, 3);
        assertArrayEquals(
                backbone.forward(x).toFloatArray(), backbone.forward(x).toFloatArray(), "dropout does nothing");
        assertFalse(backbone.forward(x).tracksGradient());
        backbone.unfreeze();
        assertFalse(backbone.isTraining(), "until the next train()");
        net.train();
        assertTrue(backbone.isTraining() && backbone.forward(x).tracksGradient());
    }

    @Test
    void aRegionOfEvaluationRestoresTheModeOfEachLayer() {
        head.eval();
        try (var mode = net.evaluating()) {
            assertFalse(net.isTraining() || backbone.isTraining() || head.isTraining());
            try (var inner = net.evaluating()) {
                assertFalse(net.isTraining());
            }
            assertFalse(net.isTraining());
        }
        assertTrue(net.isTraining() && backbone.isTraining());
        assertFalse(head.isTraining());
        var mode = net.evaluating();
        backbone.freeze();
        mode.close();
        assertFalse(backbone.isTraining(), "frozen within the region");
        net.eval();
        mode.close();
        assertFalse(net.isTraining(), "closing again does nothing");
    }

    @Test
    void gradientsPassThroughFrozenLayersAndCheckpoints() {
        var first = new Linear(3, 4);
        var frozen = Checkpoint.of(new Sequential(new Linear(4, 4), new ReLU()));
        frozen.freeze();
        var chain = new Sequential(first, frozen, new Linear(4, 1));
        Tensor x = Tensor.randn(6, 3);
        chain.forward(x).sum().backward(Release.EAGER);
        assertTrue(first.parameters().stream().allMatch(Tensor::hasGradient));
        assertTrue(frozen.parameters().stream().noneMatch(Tensor::hasGradient));
        float[] expected = first.parameters().getFirst().gradient().toFloatArray();
        first.zeroGradients();
        frozen.unfreeze();
        chain.forward(x).sum().backward(Release.EAGER);
        assertArrayEquals(expected, first.parameters().getFirst().gradient().toFloatArray());
        assertTrue(frozen.parameters().stream().allMatch(Tensor::hasGradient));
    }

    @Test
    void freezingEmptiesGradientsAndKeepsTheirBlocks() {
        Tensor x = Tensor.randn(6, 8);
        head.forward(x).sum().backward(Release.EAGER);
        long live = TensorArena.innermost().liveBytes();
        float[] weight = head.parameters().getFirst().toFloatArray();
        for (int i = 0; i < 10; i++) {
            head.freeze();
            assertTrue(head.parameters().stream().noneMatch(p -> p.hasGradient() || p.tracksGradient()));
            new SGD(net.parameters(), 1).weightDecay(1).step();
            assertArrayEquals(weight, head.parameters().getFirst().toFloatArray());
            head.unfreeze();
            try (var step = TensorArena.ofConfined()) {
                head.forward(x).sum().backward(Release.EAGER);
            }
        }
        assertEquals(live, TensorArena.innermost().liveBytes());
    }

    @Test
    void anOptimizerOfFrozenParametersAloneIsRefusedAndALaterGroupOfThemIsNot() {
        net.freeze();
        assertEquals(
                "SGD: no parameter tracks a gradient; call trackGradient() on those to train, or unfreeze() their layer;"
                        + " frozen ones alone can be a later group",
                assertThrows(IllegalArgumentException.class, () -> new SGD(net.parameters(), 0.1))
                        .getMessage());
        head.unfreeze();
        var optimizer = new SGD(head.parameters(), 0.1, 0.9);
        optimizer.addGroup(backbone.parameters(), 0.01);
        backbone.unfreeze();
        backbone.forward(Tensor.randn(4, 3)).sum().backward(Release.EAGER);
        Map<String, double[]> before = numbers(backbone);
        optimizer.step();
        assertNotEquals(before.get("1.bias")[0], numbers(backbone).get("1.bias")[0]);
        assertEquals(
                "SGD: parameter 0 is int64; parameters are FLOAT32, FLOAT64 or BFLOAT16",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> optimizer.addGroup(List.of(Tensor.of(new long[] {1})), 0.1))
                        .getMessage());
    }

    @Test
    void aDryRunThatFreezesChangesNothing() {
        Tensor x = Tensor.randn(6, 3);
        MemoryPlan.dryRun(() -> {
            for (Tensor parameter : backbone.parameters()) {
                parameter.trackGradient(false);
            }
            assertFalse(backbone.forward(x).tracksGradient());
            head.parameters()
                    .forEach(parameter -> parameter.trackGradient(false).trackGradient());
        });
        assertTrue(net.parameters().stream().allMatch(Tensor::tracksGradient));
    }

    @Test
    void aResultCannotBeFrozen() {
        Tensor y = head.forward(Tensor.randn(2, 8));
        assertTrue(assertThrows(IllegalStateException.class, () -> y.trackGradient(false))
                .getMessage()
                .endsWith("was computed from a tensor that tracks gradients; detach() returns its elements outside"
                        + " the graph"));
        try (var off = Autograd.noGradient()) {
            assertFalse(head.forward(Tensor.randn(2, 8)).trackGradient(false).tracksGradient());
        }
    }
}
