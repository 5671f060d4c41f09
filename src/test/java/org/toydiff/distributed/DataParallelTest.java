package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.Autograd;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.MemoryLimitException;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Gradients;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.LARS;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.ParameterGroup;
import org.toydiff.optim.SGD;

/// One process with several shards, against the same steps composed of `gradients`, additions in the order of the tree
/// and an optimizer of whole parameters. Several processes are in [MpiTest].
@Tag("kernels")
class DataParallelTest {
    private static final int EXAMPLES = 24;
    private static final int INPUTS = 30;
    private static final int STEPS = 5;

    /// The bytes of the state that Adam keeps of the first parameter.
    private static final long FIRST_STATE = 2L * INPUTS * 200 * Float.BYTES;

    private static final Map<String, Function<List<Tensor>, Optimizer>> OPTIMIZERS = Map.of(
            "sgd", parameters -> new SGD(parameters, 0.1).momentum(0.9).weightDecay(0.01),
            "adam", parameters -> new Adam(parameters, 1e-3),
            "maximizing adam", parameters -> new Adam(parameters, 1e-3).maximize(),
            "lamb", parameters -> new LAMB(parameters, 1e-2),
            "maximizing lamb", parameters -> new LAMB(parameters, 1e-2).maximize(),
            "lars", parameters -> new LARS(parameters, 1).weightDecay(0.01));

    private static Layer net(DType dtype) {
        Tensor.manualSeed(3);
        return new Sequential(new Linear(dtype, INPUTS, 200), new Tanh(), new Linear(dtype, 200, 4));
    }

    private static Tensor inputs(DType dtype, int step) {
        return Tensor.randn(dtype, new SplittableRandom(step), EXAMPLES, INPUTS);
    }

    private static Tensor targets() {
        return Tensor.arange(DType.INT64, 0, EXAMPLES, 1).remainder(4);
    }

    private static Tensor loss(Layer net, Tensor x, Tensor y, int shard, int shards) {
        long each = EXAMPLES / shards;
        long from = shard * each;
        return Functional.crossEntropyLoss(net.forward(x.slice(0, from, from + each)), y.slice(0, from, from + each));
    }

    /// The sum of shards from `from` on, by halves: shards are a power of two here.
    private static Tensor sum(List<Tensor> shards) {
        int half = shards.size() / 2;
        return half == 0
                ? shards.getFirst()
                : sum(shards.subList(0, half)).add(sum(shards.subList(half, shards.size())));
    }

    /// A step by the composition; returns the mean loss.
    private static double composedStep(Layer net, Optimizer optimizer, Tensor x, int shards, double maxNorm) {
        try (var arena = TensorArena.ofConfined()) {
            List<List<Tensor>> gradients = new ArrayList<>();
            List<Tensor> losses = new ArrayList<>();
            for (int shard = 0; shard < shards; shard++) {
                Tensor loss = loss(net, x, targets(), shard, shards);
                losses.add(loss.detach().cast(DType.FLOAT64).multiply(1.0 / shards));
                gradients.add(Autograd.gradients(loss.multiply(1.0 / shards), net.parameters()));
            }
            for (int i = 0; i < net.parameters().size(); i++) {
                int parameter = i;
                Tensor sum =
                        sum(gradients.stream().map(all -> all.get(parameter)).toList());
                // Its gradient becomes the sum.
                net.parameters().get(i).multiply(sum).sum().backward();
            }
            Gradients.clipNorm(net.parameters(), maxNorm);
            optimizer.step();
            optimizer.zeroGradients();
            return sum(losses).item();
        }
    }

    private static void assertSameBits(Map<String, Tensor> expected, Map<String, Tensor> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, tensor) -> assertArrayEquals(
                tensor.cast(DType.FLOAT64).toDoubleArray(),
                actual.get(name).cast(DType.FLOAT64).toDoubleArray(),
                name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adam", "maximizing adam", "lamb", "maximizing lamb", "lars"})
    void aStepHasTheBitsOfItsComposition(String name) {
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
            for (int shards : new int[] {1, 2, 8}) {
                try (var arena = TensorArena.ofConfined();
                        var group = ProcessGroup.single()) {
                    Layer expected = net(dtype);
                    Layer actual = net(dtype);
                    Optimizer whole = OPTIMIZERS.get(name).apply(expected.parameters());
                    Optimizer divided = OPTIMIZERS.get(name).apply(actual.parameters());
                    try (var parallel = DataParallel.of(actual, divided, group, shards)) {
                        for (int step = 0; step < STEPS; step++) {
                            Tensor x = inputs(dtype, step);
                            double composed = composedStep(expected, whole, x, shards, 0.3);
                            int count = shards;
                            assertEquals(composed, parallel.backward(i -> loss(actual, x, targets(), i, count)));
                            parallel.clipNorm(0.3);
                            parallel.step();
                        }
                        assertSameBits(expected.stateDict(), actual.stateDict());
                        assertSameBits(whole.stateDict(), divided.stateDict());
                    }
                }
            }
        }
    }

    @Test
    void aCompiledPassHasTheBitsOfAnEagerOne() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Layer eager = net(DType.FLOAT32);
            Layer compiled = net(DType.FLOAT32);
            Optimizer first = new Adam(eager.parameters(), 1e-3);
            Optimizer second = new Adam(compiled.parameters(), 1e-3);
            Tensor quarter = Tensor.scalar(0.25);
            try (var a = DataParallel.of(eager, first, group, 4);
                    var b = DataParallel.of(compiled, second, group, 4);
                    var pass = CompiledFunction.of((x, y) -> {
                        Tensor loss = Functional.crossEntropyLoss(compiled.forward(x), y);
                        loss.backward(quarter, Release.EAGER);
                        return loss;
                    })) {
                for (int step = 0; step < STEPS; step++) {
                    Tensor x = inputs(DType.FLOAT32, step);
                    double expected = a.backward(shard -> loss(eager, x, targets(), shard, 4));
                    double actual = b.backwardBy(
                            shard -> pass.run(
                                            x.slice(0, 6 * shard, 6 * shard + 6),
                                            targets().slice(0, 6 * shard, 6 * shard + 6))
                                    .item(),
                            shard -> 0.25);
                    assertEquals(expected, actual);
                    a.step();
                    b.step();
                }
                assertSameBits(eager.stateDict(), compiled.stateDict());
                assertEquals(1, pass.recordings());
            }
        }
    }

    @Test
    void accumulatedGradientsAreAddedInTheOrderOfTheCallsForEachShard() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Layer expected = net(DType.FLOAT32);
            Layer actual = net(DType.FLOAT32);
            Optimizer whole = new SGD(expected.parameters(), 0.1);
            Optimizer divided = new SGD(actual.parameters(), 0.1);
            Tensor x0 = inputs(DType.FLOAT32, 0);
            Tensor x1 = inputs(DType.FLOAT32, 1);
            try (var parallel = DataParallel.of(actual, divided, group, 2)) {
                for (int step = 0; step < 2; step++) {
                    List<List<Tensor>> sums = new ArrayList<>();
                    for (int shard = 0; shard < 2; shard++) {
                        List<Tensor> first = halfGradients(expected, x0, shard);
                        List<Tensor> second = halfGradients(expected, x1, shard);
                        List<Tensor> sum = new ArrayList<>();
                        for (int i = 0; i < first.size(); i++) {
                            sum.add(first.get(i).add(second.get(i)));
                        }
                        sums.add(sum);
                    }
                    for (int i = 0; i < sums.getFirst().size(); i++) {
                        Tensor g = sums.get(0).get(i).add(sums.get(1).get(i));
                        expected.parameters().get(i).multiply(g).sum().backward();
                    }
                    whole.step();
                    whole.zeroGradients();

                    try (var local = parallel.noSync()) {
                        parallel.backward(shard -> loss(actual, x0, targets(), shard, 2));
                        assertThrows(IllegalStateException.class, parallel::step);
                        assertThrows(IllegalStateException.class, parallel::noSync);
                    }
                    parallel.backward(shard -> loss(actual, x1, targets(), shard, 2));
                    parallel.step();
                }
                assertSameBits(expected.stateDict(), actual.stateDict());
            }
        }
    }

    private static List<Tensor> halfGradients(Layer net, Tensor x, int shard) {
        return Autograd.gradients(loss(net, x, targets(), shard, 2).multiply(0.5), net.parameters());
    }

    @Test
    void buffersAreTheMeanOfWhatTheShardsMakeOfThem() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            var norm = new BatchNorm1d(INPUTS);
            var net = new Sequential(norm, new Linear(INPUTS, 4), new ReLU());
            Tensor x = inputs(DType.FLOAT32, 0);
            double[] expected = new double[INPUTS];
            for (int shard = 0; shard < 3; shard++) {
                double[] mean = x.slice(0, 8L * shard, 8L * shard + 8).mean(0).toDoubleArray();
                for (int i = 0; i < INPUTS; i++) {
                    expected[i] += 0.1 * mean[i] / 3;
                }
            }
            try (var parallel = DataParallel.of(net, new SGD(net.parameters(), 0.1), group, 3)) {
                parallel.backward(shard -> loss(net, x, targets(), shard, 3));
                parallel.step();
            }
            Map<String, Tensor> buffers = net.namedBuffers();
            assertArrayEquals(expected, buffers.get("0.running_mean").toDoubleArray(), 1e-8);
            assertEquals(1, buffers.get("0.num_batches_tracked").item());
        }
    }

    @Test
    void synchronizedBatchNormalizationInOneProcessHasTheBitsOfTheOrdinaryOne() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            List<Layer> nets = new ArrayList<>();
            for (boolean synchronizes : new boolean[] {false, true}) {
                var net = new Sequential(net(DType.FLOAT32), new BatchNorm1d(4));
                nets.add(net);
                try (var parallel = DataParallel.of(net, new SGD(net.parameters(), 0.1), group, 1)) {
                    if (synchronizes) {
                        parallel.synchronizeBatchNorm();
                    }
                    for (int step = 0; step < STEPS; step++) {
                        Tensor x = inputs(DType.FLOAT32, step);
                        parallel.backward(shard -> loss(net, x, targets(), shard, 1));
                        parallel.step();
                    }
                }
            }
            assertSameBits(nets.getFirst().stateDict(), nets.getLast().stateDict());
        }
    }

    @Test
    void shardsOfOneProcessCannotShareStatistics() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            var net = new BatchNorm1d(4);
            try (var parallel = DataParallel.of(net, new SGD(net.parameters(), 0.1), group, 2)) {
                var e = assertThrows(IllegalStateException.class, parallel::synchronizeBatchNorm);
                assertTrue(e.getMessage().contains("2 shards for 1 process"), e.getMessage());
                assertTrue(e.getMessage().contains("use as many shards as processes"), e.getMessage());
            }
        }
    }

    @Test
    void aParameterWithoutGradientStaysAsItIs() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Tensor used = Tensor.of(1, 2).trackGradient();
            Tensor unused = Tensor.of(3, 4).trackGradient();
            var optimizer = new SGD(List.of(used, unused), 1).momentum(0.9).weightDecay(0.5);
            try (var parallel = DataParallel.of(new ReLU(), optimizer, group, 2)) {
                // In the first shard alone.
                parallel.backward(
                        shard -> shard == 0 ? used.sum() : used.sum().multiply(0), shard -> shard == 0 ? 1 : 0);
                assertEquals(1, parallel.weights());
                parallel.step();
                assertArrayEquals(new double[] {-0.5, 0}, used.toDoubleArray());
                assertArrayEquals(new double[] {3, 4}, unused.toDoubleArray());
                assertArrayEquals(
                        new long[] {1, 0}, optimizer.stateDict().get("steps").toLongArray());
            }
        }
    }

    @Test
    void thePlanIsWhatIsMeasured() {
        for (int shards : new int[] {1, 2, 3, 8}) {
            try (var arena = TensorArena.ofConfined();
                    var group = ProcessGroup.single()) {
                var net = new Sequential(new Linear(INPUTS, 200), new BatchNorm1d(200), new Linear(200, 4));
                var optimizer = new Adam(net.parameters(), 1e-3);
                long without = Memory.liveBytes();
                ParallelPlan predicted = ParallelPlan.of(net, optimizer, 0, 1, shards);
                try (var parallel = DataParallel.of(net, optimizer, group, shards)) {
                    assertEquals(predicted, parallel.plan());
                    assertEquals(
                            predicted.ownGradients()
                                    + predicted.partialSums()
                                    + predicted.communication()
                                    + predicted.bookkeeping(),
                            parallel.liveBytes());
                    // The state of all elements was there before, and one process has all elements.
                    assertEquals(parallel.liveBytes(), Memory.liveBytes() - without);
                    Tensor x = inputs(DType.FLOAT32, 0);
                    int count = shards;
                    parallel.backward(shard -> loss(net, x, targets(), shard, count));
                    parallel.step();
                    assertEquals(
                            predicted.total() - predicted.parameters() - predicted.gradients() - predicted.state(),
                            parallel.liveBytes());
                }
                assertTrue(predicted.toString().contains("partial sums"), predicted.toString());
            }
        }
    }

    @Test
    void stateIsSavedWholeAndLoadsIntoWholeOptimizers() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Layer net = net(DType.FLOAT32);
            Optimizer divided = new Adam(net.parameters(), 1e-3);
            Tensor x = inputs(DType.FLOAT32, 0);
            try (var parallel = DataParallel.of(net, divided, group, 2)) {
                parallel.backward(shard -> loss(net, x, targets(), shard, 2));
                parallel.step();
                Optimizer whole = new Adam(net.parameters(), 0.5);
                whole.loadStateDict(divided.stateDict());
                assertSameBits(divided.stateDict(), whole.stateDict());
                Map<String, Tensor> saved = whole.stateDict();
                saved.get("0.exp_avg").copyFrom(Tensor.scalar(7));
                divided.loadStateDict(saved);
                assertEquals(7, divided.stateDict().get("0.exp_avg").at(1, 1));
                assertThrows(IllegalStateException.class, divided::step, "the gradients are the training's");
            }
            assertThrows(IllegalStateException.class, divided::stateDict);
        }
    }

    /// A step that needs the largest element of the whole gradient.
    private static final class NotElementwise extends Optimizer {
        NotElementwise(List<Tensor> parameters) {
            super(parameters, 0.1);
        }

        @Override
        protected void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step) {
            parameter.copyFrom(parameter.subtract(gradient.divide(gradient.abs().max())));
        }
    }

    @Test
    void wrongUseIsRefusedWithARemedy() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Layer net = net(DType.FLOAT32);
            var own = new NotElementwise(net.parameters());
            var e = assertThrows(IllegalArgumentException.class, () -> DataParallel.of(net, own, group, 1));
            assertTrue(e.getMessage().contains("override isElementwise()"), e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> DataParallel.of(net, own, group, 0));

            var optimizer = new SGD(net.parameters(), 0.1);
            var parallel = DataParallel.of(net, optimizer, group, 2);
            assertThrows(IllegalStateException.class, () -> DataParallel.of(net, optimizer, group, 2));
            assertThrows(IllegalStateException.class, () -> optimizer.addGroup(net.parameters(), 0.1));
            assertThrows(IllegalStateException.class, () -> optimizer.momentum(0.9));
            assertThrows(IllegalStateException.class, parallel::step);
            assertThrows(IllegalStateException.class, () -> parallel.clipNorm(1));
            assertThrows(IllegalArgumentException.class, () -> parallel.clipNorm(0));
            assertThrows(IllegalArgumentException.class, () -> parallel.clipValue(Double.NaN));
            Tensor x = inputs(DType.FLOAT32, 0);
            parallel.backward(shard -> {
                for (Executable inside : List.<Executable>of(
                        parallel::step, parallel::close, parallel::noSync, () -> parallel.backward(i -> x))) {
                    var inBackward = assertThrows(IllegalStateException.class, inside);
                    assertTrue(inBackward.getMessage().contains("backward is under way"), inBackward.getMessage());
                }
                return loss(net, x, targets(), shard, 2);
            });
            parallel.step();
            long live = Memory.liveBytes();
            assertThrows(IllegalArgumentException.class, () -> parallel.backward(shard -> net.forward(x)));
            assertEquals(live, Memory.liveBytes());
            var failed = assertThrows(
                    IllegalStateException.class, () -> parallel.backward(shard -> loss(net, x, targets(), shard, 2)));
            assertTrue(failed.getMessage().contains("resume from a checkpoint"), failed.getMessage());
            parallel.close();
            parallel.close();
            assertThrows(IllegalStateException.class, () -> parallel.backward(shard -> x));
        }
    }

    /// A net and an optimizer that has stepped, so that its state is not zero.
    private static Optimizer stepped(Layer net) {
        Optimizer optimizer = new Adam(net.parameters(), 1e-3);
        loss(net, inputs(DType.FLOAT32, 0), targets(), 0, 1).backward();
        optimizer.step();
        return optimizer;
    }

    private static Map<String, Tensor> copy(Map<String, Tensor> state) {
        Map<String, Tensor> copies = new HashMap<>();
        state.forEach((name, tensor) -> copies.put(name, tensor.copyTo(TensorArena.innermost())));
        return copies;
    }

    @Test
    void aTrainingThatIsRefusedChangesNothingAndLeavesNoMemory() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Layer net = net(DType.FLOAT32);
            Optimizer optimizer = stepped(net);
            Map<String, Tensor> state = copy(optimizer.stateDict());
            Map<String, Tensor> parameters = copy(net.stateDict());
            Optimizer notElementwise = new NotElementwise(net.parameters());
            long live = Memory.liveBytes();
            // The state of the first parameter fits, that of the others does not.
            try (var tight = TensorArena.ofConfined(FIRST_STATE + 512)) {
                assertThrows(MemoryLimitException.class, () -> DataParallel.of(net, optimizer, group, 2));
                assertEquals(live, Memory.liveBytes());
                assertEquals(0, tight.liveBytes());
            }
            assertThrows(IllegalArgumentException.class, () -> DataParallel.of(net, notElementwise, group, 2));
            assertEquals(live, Memory.liveBytes());
            assertSameBits(state, optimizer.stateDict());
            assertSameBits(parameters, net.stateDict());
            try (var parallel = DataParallel.of(net, optimizer, group, 2)) {
                assertSameBits(state, optimizer.stateDict());
            }
        }
    }

    @Test
    void stateIsUnitedByALaterCallIfThereIsTooLittleMemory() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Layer net = net(DType.FLOAT32);
            Optimizer optimizer = stepped(net);
            Map<String, Tensor> state = copy(optimizer.stateDict());
            try (var parallel = DataParallel.of(net, optimizer, group, 2);
                    var tight = TensorArena.ofConfined(FIRST_STATE + 512)) {
                assertThrows(MemoryLimitException.class, optimizer::unite);
                try (var roomy = arena.enter()) {
                    optimizer.unite();
                    assertSameBits(state, optimizer.stateDict());
                }
                optimizer.step();
            }
        }
    }

    @Test
    void aClosedGroupIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            var group = ProcessGroup.single();
            Layer net = net(DType.FLOAT32);
            Optimizer optimizer = new Adam(net.parameters(), 1e-3);
            Tensor x = inputs(DType.FLOAT32, 0);
            try (var parallel = DataParallel.of(net, optimizer, group, 2)) {
                parallel.backward(shard -> loss(net, x, targets(), shard, 2));
                group.close();
                Map<String, Executable> calls = Map.of(
                        "step", parallel::step,
                        "gradientNorm", parallel::gradientNorm,
                        "backward", () -> parallel.backward(shard -> loss(net, x, targets(), shard, 2)),
                        "noSync", parallel::noSync,
                        "stateDict", optimizer::stateDict,
                        "of", () -> DataParallel.of(net, new Adam(net.parameters(), 1), group, 2));
                calls.forEach((name, call) -> assertEquals(
                        "DataParallel: " + name + ": the process group is closed",
                        assertThrows(IllegalStateException.class, call).getMessage()));
            }
        }
    }

    @Test
    void flagsAndNormsAreThoseOfAllShards() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Tensor p = Tensor.of(3, 4).trackGradient();
            try (var parallel = DataParallel.of(new ReLU(), new SGD(List.of(p), 1), group, 2)) {
                parallel.backward(shard -> p.multiply(p.detach()).sum());
                assertFalse(parallel.anyFlag());
                assertEquals(5, parallel.gradientNorm());
                assertTrue(parallel.areFinite());
                parallel.scaleGradients(2);
                parallel.clipValue(7);
                assertEquals(Math.sqrt(36 + 49), parallel.gradientNorm());
                parallel.setFlag(true);
                parallel.backward(shard -> p.sum().multiply(Double.NaN));
                assertTrue(parallel.anyFlag());
                assertTrue(Double.isNaN(parallel.clipNorm(1)));
                assertFalse(parallel.areFinite());
            }
        }
    }
}
