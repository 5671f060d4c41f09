package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// A dry run changes nothing, whatever is run.
class DryRunTest extends ArenaTest {
    @Test
    void backwardLeavesLeavesAndGraphsAlone() {
        for (Release release : Release.values()) {
            Tensor w = Tensor.of(1f, 2f).trackGradient();
            Tensor before = w.multiply(3).sum();
            MemoryPlan.dryRun(() -> {
                w.multiply(w).sum().backward(release);
                before.backward(release);
                assertTrue(w.hasGradient(), "inside it looks as if it were true");
                w.zeroGradient();
                assertFalse(w.hasGradient());
            });
            assertFalse(w.hasGradient());
            before.backward(release);
            assertArrayEquals(new float[] {3, 3}, w.gradient().toFloatArray());
            MemoryPlan.dryRun(w::zeroGradient);
            assertArrayEquals(new float[] {3, 3}, w.gradient().toFloatArray());
        }
    }

    @Test
    void wholeTrainingSteps() {
        var net = new Sequential(new Linear(4, 3), new BatchNorm1d(3), new Linear(3, 2));
        List<Optimizer> optimizers = List.of(
                new SGD(net.parameters(), 0.1, 0.9), new Adam(net.parameters(), 0.1), new LAMB(net.parameters(), 0.1));
        Tensor x = Tensor.rand(8, 4);
        for (Optimizer optimizer : optimizers) {
            float[][] state = state(net, optimizer);
            MemoryPlan.dryRun(() -> {
                for (int i = 0; i < 2; i++) {
                    try (var step = TensorArena.ofConfined()) {
                        net.forward(x).sum().backward(Release.EAGER);
                        Updates.scale(net.parameters().getFirst().gradient(), 0.5);
                        optimizer.step();
                        optimizer.zeroGradients();
                    }
                }
            });
            assertArrayEquals(state, state(net, optimizer));
        }
    }

    private static float[][] state(Sequential net, Optimizer optimizer) {
        try (var scratch = TensorArena.ofConfined()) {
            List<Tensor> tensors = new ArrayList<>(net.stateDict().values());
            tensors.addAll(optimizer.stateDict().values());
            return tensors.stream().map(Tensor::toFloatArray).toArray(float[][]::new);
        }
    }

    @Test
    void itPredictsStepAfterStep() {
        for (int steps = 1; steps < 4; steps++) {
            var net = new Linear(40, 30);
            Tensor x = Tensor.rand(80, 40);
            int times = steps;
            Runnable training = () -> {
                for (int i = 0; i < times; i++) {
                    try (var inner = TensorArena.ofConfined()) {
                        net.forward(x).tanh().sum().backward(Release.EAGER);
                        net.zeroGradients();
                    }
                }
            };
            long predicted = MemoryPlan.dryRun(training);
            long live = Memory.liveBytes();
            Memory.resetPeak();
            training.run();
            assertEquals(predicted, Memory.peakBytes() - live, steps + " steps");
        }
    }

    @Test
    void elementsAreNotWritten() {
        Tensor x = Tensor.of(1f, 2f);
        MemoryPlan.dryRun(() -> {
            x.copyFrom(Tensor.zeros(2));
            Tensor real = x;
            real.copyFrom(x.get(0));
            Updates.scale(x, 7);
            Updates.clamp(x, 0.5);
            Updates.sgd(x, Tensor.ones(2), 1, 0);
        });
        assertArrayEquals(new float[] {1, 2}, x.toFloatArray());
    }

    @Test
    void whatIsAskedOfATensorIsForgotten() {
        Tensor x = Tensor.of(1f, 2f);
        Tensor w = Tensor.of(1f, 2f).trackGradient();
        Tensor y = w.exp();
        Tensor loss = y.sum();
        MemoryPlan.dryRun(() -> {
            x.trackGradient().exp().sum().backward();
            y.retain();
            y.detach();
        });
        assertFalse(x.tracksGradient());
        loss.backward(Release.EAGER);
        assertThrows(IllegalStateException.class, y::toFloatArray, "nobody retained it");
    }

    @Test
    void whatIsLeftOpenIsAnErrorThere() {
        int depth = Scope.current().depth();
        var failure =
                assertThrows(IllegalStateException.class, () -> MemoryPlan.dryRun(() -> TensorArena.ofConfined()));
        assertEquals(
                "dryRun: an arena or a region that was begun in it is still open; close it there",
                failure.getMessage());
        assertEquals(depth, Scope.current().depth());
        assertThrows(IllegalStateException.class, () -> MemoryPlan.dryRun(() -> arena.enter()));
        assertThrows(IllegalStateException.class, () -> MemoryPlan.dryRun(() -> Autograd.noGradient()));
        assertTrue(Scope.current().recording);
        assertThrows(
                UnsupportedOperationException.class,
                () -> MemoryPlan.dryRun(() -> {
                    TensorArena.ofShared();
                    throw new UnsupportedOperationException();
                }));
        assertFalse(MemoryPlan.isDryRun());
        assertEquals(2, Tensor.ones(2).sum().item());
    }

    @Test
    void anArenaEnteredInItHoldsNothing() {
        long live = Memory.liveBytes();
        MemoryPlan.dryRun(() -> {
            try (var inside = arena.enter()) {
                Tensor.ones(1000);
                assertTrue(MemoryPlan.isDryRun());
            }
        });
        assertEquals(live, Memory.liveBytes());
    }

    @Test
    void aDetachedArenaOpenedInItIsClosedThere() {
        long live = Memory.liveBytes();
        long peak = MemoryPlan.dryRun(() -> {
            try (var model = TensorArena.ofDetached()) {
                try (var inside = model.enter()) {
                    Tensor.ones(1000);
                }
                assertThrows(IllegalStateException.class, () -> {
                    try (var inside = model.enter()) {
                        model.close();
                    }
                });
                assertEquals(4032, model.liveBytes());
            }
            Tensor.ones(1000);
        });
        assertEquals(4032, peak);
        assertEquals(live, Memory.liveBytes());
        TensorArena[] left = new TensorArena[1];
        var failure = assertThrows(
                IllegalStateException.class, () -> MemoryPlan.dryRun(() -> left[0] = TensorArena.ofDetached()));
        assertEquals(
                "dryRun: an arena or a region that was begun in it is still open; close it there",
                failure.getMessage());
        assertThrows(IllegalStateException.class, left[0]::enter);
    }

    @Test
    void noArenaOpenedBeforeItIsClosedInIt() {
        try (var model = TensorArena.ofDetached()) {
            Tensor w = Tensor.ones(model, DType.FLOAT32, 3);
            MemoryPlan.dryRun(() -> {
                var failure = assertThrows(IllegalStateException.class, model::close);
                assertEquals(
                        "close: this arena was opened before the dry run; close it after that", failure.getMessage());
            });
            assertEquals(3, w.sum().item());
        }
    }

    @Test
    void anArenaOfItAllocatesNoSegment() {
        MemoryPlan.dryRun(() -> {
            try (var inside = TensorArena.ofConfined()) {
                var failure = assertThrows(IllegalStateException.class, () -> inside.allocate(64, 64));
                assertTrue(failure.getMessage().startsWith("allocate: the tensor [64] is abstract"));
            }
        });
    }
}
