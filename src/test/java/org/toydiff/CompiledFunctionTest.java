package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Residual;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.SGD;

/// Recording, replay, the recordings kept, and the life of a compiled function.
class CompiledFunctionTest {
    private static Sequential network() {
        return new Sequential(new Linear(6, 8), new ReLU(), new Linear(8, 3));
    }

    private static int[] bits(Tensor t) {
        float[] values = t.toFloatArray();
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    @Test
    void theFirstRunIsEagerAndLaterOnesReplayItOverOtherInputs() {
        try (var arena = TensorArena.ofConfined()) {
            Layer net = network();
            int[] calls = {0};
            try (var compiled = CompiledFunction.of(x -> {
                calls[0]++;
                return net.forward(x).softmax(1);
            })) {
                for (int i = 0; i < 5; i++) {
                    Tensor x = Tensor.randn(4, 6);
                    assertArrayEquals(bits(net.forward(x).softmax(1)), bits(compiled.run(x)));
                }
                assertEquals(1, calls[0]);
                assertEquals(1, compiled.recordings());
            }
        }
    }

    @Test
    void theResultIsTheSameTensorEachTime() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.add(1).multiply(3))) {
            Tensor first = compiled.run(Tensor.of(1f, 2));
            assertArrayEquals(new float[] {6, 9}, first.toFloatArray());
            assertSame(first, compiled.run(Tensor.of(2f, 3)));
            assertArrayEquals(new float[] {9, 12}, first.toFloatArray());
        }
    }

    @Test
    void aResultMayBeAnInputAViewOfOneOrAParameter() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor parameter = Tensor.of(5f);
            try (var compiled = CompiledFunction.ofList(
                    inputs -> List.of(inputs.get(0), inputs.get(0).slice(0, 1, 2), parameter))) {
                compiled.run(List.of(Tensor.of(1f, 2, 3)));
                List<Tensor> results = compiled.run(List.of(Tensor.of(4f, 5, 6)));
                assertArrayEquals(new float[] {4, 5, 6}, results.get(0).toFloatArray());
                assertArrayEquals(new float[] {5}, results.get(1).toFloatArray());
                assertSame(parameter, results.get(2));
            }
        }
    }

    @Test
    void aTrainingStepLeavesTheParametersThatTheEagerOneLeaves() {
        assertEquals(train(false), train(true));
    }

    /// Returns the bits of losses and state after some steps over batches of two sizes.
    private static List<String> train(boolean compile) {
        List<String> bits = new ArrayList<>();
        try (var arena = TensorArena.ofConfined()) {
            Tensor.manualSeed(3);
            Layer net = new Sequential(
                    new Linear(6, 8), new BatchNorm1d(8), new ReLU(), new Dropout(0.3), new Linear(8, 3));
            var optimizer = new SGD(net.parameters(), 0.1, 0.9);
            BinaryOperator<Tensor> step = (x, y) -> {
                optimizer.zeroGradients();
                Tensor loss = Functional.crossEntropyLoss(net.forward(x), y);
                loss.backward(Release.EAGER);
                optimizer.step();
                return loss;
            };
            try (var compiled = CompiledFunction.of(step)) {
                for (int i = 0; i < 10; i++) {
                    try (var batch = TensorArena.ofConfined()) {
                        long n = i % 3 == 2 ? 5 : 7;
                        Tensor x = Tensor.randn(n, 6);
                        Tensor y = Tensor.randint(0, 3, n);
                        optimizer.groups().getFirst().lr(0.1 / (1 + i));
                        Tensor loss = compile ? compiled.run(x, y) : step.apply(x, y);
                        bits.add(Arrays.toString(bits(loss)));
                    }
                }
                assertEquals(compile ? 2 : 0, compiled.recordings());
            }
            net.stateDict().forEach((name, tensor) -> bits.add(name + Arrays.toString(bits(tensor))));
            optimizer.stateDict().forEach((name, tensor) -> bits.add(name + Arrays.toString(bits(tensor))));
            bits.add(Arrays.toString(Tensor.randomState().toLongArray()));
        }
        return bits;
    }

    @Test
    void gradientsAddUpInReplaysWhereTheFunctionDoesNotEmptyThem() {
        assertArrayEquals(accumulated(false), accumulated(true));
    }

    private static int[] accumulated(boolean compile) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor w = Tensor.of(1f, 2, 3).trackGradient();
            UnaryOperator<Tensor> step = x -> {
                Tensor y = w.multiply(x).exp().sum();
                y.backward(Release.EAGER);
                return y;
            };
            try (var compiled = CompiledFunction.of(step)) {
                for (int i = 0; i < 5; i++) {
                    Tensor x = Tensor.of(0.1f * i, 0.2f, 0.3f);
                    Tensor y = compile ? compiled.run(x) : step.apply(x);
                    if (i == 2) {
                        w.zeroGradient();
                    }
                }
                // With a gradient that is there already, and with none.
                assertEquals(compile ? 2 : 0, compiled.recordings());
            }
            return bits(w.gradient());
        }
    }

    @Test
    void gradientsThatWereRetainedAreResults() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor w = Tensor.randn(4, 6).trackGradient();
            UnaryOperator<Tensor> step = x -> {
                w.zeroGradient();
                Tensor hidden = x.linear(w, null, Activation.RELU).retain();
                hidden.linear(w.transpose(), null, Activation.TANH).sum().backward(Release.EAGER);
                return Tensor.concat(1, hidden, hidden.gradient());
            };
            try (var compiled = CompiledFunction.ofList(inputs -> {
                step.apply(inputs.getFirst());
                Tensor hidden =
                        inputs.getFirst().linear(w, null, Activation.RELU).retain();
                hidden.exp().sum().backward(Release.EAGER);
                return List.of(step.apply(inputs.getFirst()), hidden.gradient());
            })) {
                for (int i = 0; i < 3; i++) {
                    Tensor x = Tensor.randn(3, 6);
                    List<Tensor> results = compiled.run(List.of(x));
                    int[] gradient = bits(w.gradient());
                    assertArrayEquals(bits(results.getFirst()), bits(step.apply(x)));
                    assertArrayEquals(gradient, bits(w.gradient()));
                    Tensor hidden = x.linear(w, null, Activation.RELU);
                    assertArrayEquals(bits(hidden.exp()), bits(results.getLast()));
                }
                assertEquals(1, compiled.recordings());
            }
        }
    }

    @Test
    void aBackwardOverValuesThatARunHasChangedThrows() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.add(1))) {
            Tensor w = Tensor.of(2f).trackGradient();
            Tensor y = w.multiply(compiled.run(Tensor.of(1f)));
            compiled.run(Tensor.of(2f));
            assertThrows(IllegalStateException.class, y::backward);
        }
    }

    @Test
    void modesOfLayersHaveRecordingsOfTheirOwn() {
        try (var arena = TensorArena.ofConfined()) {
            var norm = new BatchNorm1d(3);
            Layer net = new Sequential(norm, new Dropout(0.5));
            try (var compiled = CompiledFunction.of(net::forward)) {
                Tensor x = Tensor.randn(4, 3);
                compiled.run(x);
                net.eval();
                assertArrayEquals(bits(net.forward(x)), bits(compiled.run(x)));
                net.train();
                int[] before = bits(norm.namedBuffers().get("running_mean"));
                compiled.run(x);
                assertTrue(!Arrays.equals(before, bits(norm.namedBuffers().get("running_mean"))));
                net.eval();
                assertArrayEquals(bits(net.forward(x)), bits(compiled.run(x)));
                assertEquals(2, compiled.recordings());
                norm.epsilon(0.5);
                assertArrayEquals(bits(net.forward(x)), bits(compiled.run(x)));
                assertEquals(3, compiled.recordings());
            }
        }
    }

    @Test
    void aModeThatTheFunctionItselfAsksForIsNoticed() {
        try (var arena = TensorArena.ofConfined()) {
            Layer net = network();
            try (var compiled = CompiledFunction.of(x -> x.multiply(net.isTraining() ? 2 : 3))) {
                Tensor x = Tensor.of(5f);
                assertEquals(10, compiled.run(x).item());
                net.eval();
                assertEquals(15, compiled.run(x).item());
            }
        }
    }

    @Test
    void aNumberThatTheFunctionDependsOnIsNoticed() {
        try (var arena = TensorArena.ofConfined()) {
            long[] factor = {2};
            try (var compiled = CompiledFunction.of(x -> {
                CompiledFunction.dependOn(() -> factor[0]);
                return x.multiply(factor[0]);
            })) {
                Tensor x = Tensor.of(5f);
                for (long next : new long[] {2, 3, 2, 3}) {
                    factor[0] = next;
                    assertEquals(5 * next, compiled.run(x).item());
                }
                assertEquals(2, compiled.recordings());
            }
        }
    }

    @Test
    void codeOfEachRunRunsInReplaysWhereItStands() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor state = Tensor.of(1f);
            List<Double> seen = new ArrayList<>();
            try (var compiled = CompiledFunction.of(x -> {
                state.copyFrom(state.add(x));
                CompiledFunction.onEachRun(
                        "log", () -> seen.add(state.multiply(10).item()));
                state.copyFrom(state.multiply(2));
                return state;
            })) {
                for (int i = 0; i < 3; i++) {
                    compiled.run(Tensor.of(1f));
                }
                assertTrue(compiled.plan().launches().stream()
                        .anyMatch(each -> each.op().equals("log")));
            }
            assertEquals(List.of(20.0, 50.0, 110.0), seen);
            assertEquals(22, state.item());
        }
    }

    @Test
    void aParameterThatIsFrozenOrTrackedAgainIsNoticed() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.of(2f).trackGradient();
            Tensor b = Tensor.of(3f).trackGradient();
            try (var compiled = CompiledFunction.of(x -> {
                Tensor y = x.multiply(a).multiply(b);
                y.backward(Release.EAGER);
                return y;
            })) {
                Tensor x = Tensor.of(5f);
                compiled.run(x);
                b.trackGradient(false);
                a.zeroGradient();
                compiled.run(x);
                assertEquals(15, a.gradient().item());
                assertEquals(false, b.hasGradient());
            }
        }
    }

    @Test
    void aTensorWhoseArenaIsClosedMakesTheFunctionRunAsWritten() {
        try (var arena = TensorArena.ofConfined()) {
            var inner = TensorArena.ofDetached();
            Tensor[] factor = {Tensor.full(inner, DType.FLOAT32, 2)};
            try (var compiled = CompiledFunction.of(x -> x.multiply(factor[0]))) {
                assertEquals(6, compiled.run(Tensor.of(3f)).item());
                inner.close();
                assertThrows(IllegalStateException.class, () -> compiled.run(Tensor.of(3f)));
                factor[0] = Tensor.scalar(4);
                assertEquals(12, compiled.run(Tensor.of(3f)).item());
                assertEquals(2, compiled.recordings());
            }
        }
    }

    @Test
    void labelsAreCheckedInEachRun() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of((x, y) -> x.crossEntropy(y))) {
            Tensor x = Tensor.ones(2, 3);
            compiled.run(x, Tensor.of(new int[] {0, 2}));
            String message = assertThrows(
                            IllegalArgumentException.class, () -> compiled.run(x, Tensor.of(new int[] {0, 3})))
                    .getMessage();
            assertTrue(message.startsWith("crossEntropy: label 3 at position 1"), message);
            compiled.run(x, Tensor.of(new int[] {1, 1}));
            assertEquals(1, compiled.recordings());
        }
    }

    @Test
    void aDivisionByZeroInAReplayIsExplained() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of((a, b) -> a.floorDivide(b))) {
            Tensor a = Tensor.of(new int[] {7, 8});
            compiled.run(a, Tensor.of(new int[] {2, 3}));
            String message = assertThrows(ArithmeticException.class, () -> compiled.run(a, Tensor.of(new int[] {2, 0})))
                    .getMessage();
            assertTrue(message.startsWith("floorDivide: [2] by [2] int32 divides by 0 at [1]"), message);
        }
    }

    @Test
    void theEightRecordingsUsedLastAreKept() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.multiply(2))) {
            for (int n = 1; n <= 9; n++) {
                compiled.run(Tensor.ones(n));
            }
            compiled.run(Tensor.ones(2));
            assertEquals(9, compiled.recordings());
            compiled.run(Tensor.ones(1));
            assertEquals(10, compiled.recordings());
            assertEquals("CompiledFunction(recordings=10, kept=8)", compiled.toString());
        }
    }

    @Test
    void closingFreesTheMemoryOfAllRecordings() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(1000);
            long before = arena.liveBytes();
            var compiled = CompiledFunction.of(v -> v.exp().sin());
            Tensor y = compiled.run(x);
            compiled.run(x);
            assertEquals(before + compiled.plan().plannedBytes(), arena.liveBytes());
            compiled.close();
            compiled.close();
            assertEquals(before, arena.liveBytes());
            assertThrows(IllegalStateException.class, y::item);
            assertThrows(IllegalStateException.class, () -> compiled.run(x));
            assertThrows(IllegalStateException.class, compiled::plan);
        }
    }

    @Test
    void aFailedRecordingLeavesWhatAFailedStepLeavesAndTheNextOneRecords() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor state = Tensor.of(1f);
            long before = arena.liveBytes();
            boolean[] fails = {true};
            try (var compiled = CompiledFunction.of(x -> {
                state.copyFrom(state.add(1));
                if (fails[0]) {
                    throw new IllegalArgumentException("on purpose");
                }
                return x.add(state);
            })) {
                Tensor x = Tensor.of(10f);
                assertThrows(IllegalArgumentException.class, () -> compiled.run(x));
                assertEquals(2, state.item());
                assertEquals(0, compiled.recordings());
                fails[0] = false;
                assertEquals(13, compiled.run(x).item());
                assertEquals(14, compiled.run(x).item());
            }
            assertEquals(before + 64, arena.liveBytes());
        }
    }

    @Test
    void thePlanOfATrainingStepIsTightAndNeverAboveTheUncompiledPeak() {
        try (var arena = TensorArena.ofConfined()) {
            requireTightPlans(new Sequential(
                    new Linear(64, 100), new ReLU(), new Linear(100, 50), new ReLU(), new Linear(50, 10)));
            // The gradient that a block hands on waits while that of its layers is added onto it.
            requireTightPlans(new Sequential(
                    new Residual(new Sequential(new Linear(64, 16), new ReLU(), new Linear(16, 64))),
                    new Linear(64, 10)));
            // Rows of normalisations and dropout pass to the sums.
            requireTightPlans(new Sequential(
                    new Residual(new Sequential(new LayerNorm(64), new Linear(64, 64), new Dropout(0.1))),
                    new Residual(new LayerNorm(64)),
                    new Linear(64, 10)));
        }
    }

    private static void requireTightPlans(Layer net) {
        var optimizer = new SGD(net.parameters(), 0.1);
        Tensor x = Tensor.randn(128, 64).trackGradient();
        Tensor labels = Tensor.randint(0, 10, 128);
        long peak;
        try (var eager = TensorArena.ofConfined()) {
            Functional.crossEntropyLoss(net.forward(x.exp()), labels).backward(Release.EAGER);
            peak = eager.peakBytes();
        }
        Set<List<Long>> sizes = new HashSet<>();
        for (Release release : Release.values()) {
            try (var compiled = CompiledFunction.of(a -> {
                optimizer.zeroGradients();
                Tensor loss = Functional.crossEntropyLoss(net.forward(x.exp()), a);
                loss.backward(release);
                optimizer.step();
                return loss;
            })) {
                compiled.run(labels);
                ExecutionPlan plan = compiled.plan();
                assertTrue(plan.plannedBytes() <= 1.05 * plan.lowerBoundBytes(), plan::toString);
                assertTrue(plan.plannedBytes() <= peak, release + ": " + plan + " uncompiled peak " + peak);
                assertTrue(
                        plan.launches().stream().anyMatch(launch -> launch.op().equals("step")));
                assertTrue(plan.toString().contains("linear"), plan::toString);
                sizes.add(List.of(plan.plannedBytes(), (long) plan.launches().size()));
            }
        }
        assertEquals(1, sizes.size(), sizes::toString);
    }

    @Test
    void valuesAndGradientsThatAFunctionReadsAfterBackwardStay() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor in = Tensor.randn(6, 8).trackGradient();
            Tensor out = Tensor.randn(8, 6).trackGradient();
            List<Tensor> parameters = List.of(in, out);
            for (int read = 0; read < 4; read++) {
                int which = read;
                UnaryOperator<Tensor> step = x -> {
                    parameters.forEach(Tensor::zeroGradient);
                    Tensor h = x.matmul(out.transpose()).tanh();
                    Tensor hidden = h.linear(in, null, Activation.RELU);
                    Tensor y = h.add(hidden.linear(out, null));
                    y.sin().sum().backward();
                    return switch (which) {
                        case 0 -> hidden.multiply(2);
                        case 1 -> hidden.gradient().multiply(2);
                        case 2 -> y.gradient().multiply(2);
                        default -> h.gradient().multiply(2);
                    };
                };
                try (var compiled = CompiledFunction.of(step)) {
                    for (int i = 0; i < 3; i++) {
                        Tensor x = Tensor.randn(5, 6);
                        assertArrayEquals(bits(step.apply(x)), bits(compiled.run(x)), "case " + which);
                    }
                }
            }
        }
    }

    @Test
    void aResultTakesThePlaceOfAnOperandThatNobodyReadsAnyMore() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor bias = Tensor.randn(1, 8);
            BinaryOperator<Tensor> function = (x, y) -> {
                Tensor product = x.matmul(y);
                Tensor other = product.matmul(x);
                // The product is read last together with its transpose, so that its elements must stay.
                Tensor sum = product.add(product.transpose());
                return sum.matmul(other.add(bias));
            };
            try (var compiled = CompiledFunction.of(function)) {
                for (int i = 0; i < 3; i++) {
                    Tensor x = Tensor.randn(8, 8);
                    Tensor y = Tensor.randn(8, 8);
                    assertArrayEquals(bits(function.apply(x, y)), bits(compiled.run(x, y)));
                }
                List<ExecutionPlan.Block> blocks = compiled.plan().blocks();
                List<String> ops = blocks.stream().map(ExecutionPlan.Block::op).toList();
                assertEquals(List.of("matmul", "matmul", "add", "add", "matmul"), ops);
                assertNotEquals(blocks.get(0).offset(), blocks.get(2).offset());
                assertEquals(blocks.get(1).offset(), blocks.get(3).offset());
                assertEquals(3 * 256, compiled.plan().plannedBytes());
            }
        }
    }

    @Test
    void aPlanIsDrawn(@TempDir Path folder) throws Exception {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.cumsum(0).cumsum(0).cumsum(0))) {
            compiled.run(Tensor.ones(100));
            Path file = folder.resolve("plan.svg");
            compiled.plan().writeSvg(file);
            var document =
                    DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
            assertEquals("svg", document.getDocumentElement().getTagName());
            var titles = document.getElementsByTagName("title");
            assertEquals(3, titles.getLength());
            assertTrue(titles.item(0).getTextContent().startsWith("cumsum: 448 B at "));
        }
    }

    @Test
    void eachThreadHasItsFunctionOverSharedParameters() throws Exception {
        try (var model = TensorArena.ofShared()) {
            Layer net = network();
            net.eval();
            float[][] results = new float[4][];
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < results.length; t++) {
                int mine = t;
                threads.add(Thread.ofPlatform().start(() -> {
                    try (var inside = model.enter();
                            var request = TensorArena.ofConfined();
                            var compiled = CompiledFunction.of(net::forward)) {
                        for (int i = 0; i < 100; i++) {
                            results[mine] = compiled.run(Tensor.full(DType.FLOAT32, i, 2, 6))
                                    .toFloatArray();
                        }
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            for (float[] result : results) {
                assertArrayEquals(
                        net.forward(Tensor.full(DType.FLOAT32, 99, 2, 6)).toFloatArray(), result);
            }
        }
    }

    @Test
    void aFunctionMayMoveFromThreadToThread() throws Exception {
        try (var model = TensorArena.ofShared()) {
            Layer net = network();
            var optimizer = new SGD(net.parameters(), 0.1, 0.9);
            try (var compiled = CompiledFunction.of((x, y) -> {
                optimizer.zeroGradients();
                Tensor loss = Functional.mseLoss(net.forward(x), y);
                loss.backward(Release.EAGER);
                optimizer.step();
                return loss;
            })) {
                Tensor x = Tensor.randn(2, 6);
                Tensor y = Tensor.randn(2, 3);
                double first = compiled.run(x, y).item();
                double[] second = new double[1];
                Thread other = Thread.ofPlatform()
                        .start(() -> second[0] = compiled.run(x, y).item());
                other.join();
                assertNotEquals(first, second[0]);
                assertTrue(second[0] > 0 && second[0] < first);
                assertEquals(1, compiled.recordings());
            }
        }
    }

    @Test
    void inADryRunTheFunctionRunsOnShapes() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.exp())) {
            long peak = MemoryPlan.dryRun(() -> compiled.run(Tensor.ones(16)));
            assertTrue(peak > 0);
            assertEquals(0, compiled.recordings());
        }
    }
}
