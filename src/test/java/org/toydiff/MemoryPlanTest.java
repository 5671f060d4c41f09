package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.nn.Functional.crossEntropyLoss;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;

/// A step's peak is known before it starts.
class MemoryPlanTest {
    private static final int ROWS = 96;

    private static Sequential net() {
        return new Sequential(new Linear(20, 64), new ReLU(), new Linear(64, 32), new ReLU(), new Linear(32, 10));
    }

    @Test
    void thePredictedPeakIsTheMeasuredOne() {
        long before = Memory.liveBytes();
        try (var model = TensorArena.ofShared()) {
            Sequential net = net();
            var optimizer = new Adam(net.parameters(), 1e-3);
            Tensor x = Tensor.rand(ROWS, 20);
            Tensor labels = Tensor.zeros(DType.INT64, ROWS);
            Function<List<Tensor>, Tensor> loss = in -> crossEntropyLoss(net.forward(in.get(0)), in.get(1));
            // In the first step the parameters' gradients get their blocks, in the second they have them.
            for (int i = 0; i < 2; i++) {
                long live = Memory.liveBytes();
                float[] weights = net.parameters().getFirst().toFloatArray();
                MemoryPlan plan = MemoryPlan.of(loss, List.of(x, labels));
                assertEquals(live, Memory.liveBytes());
                assertArrayEquals(weights, net.parameters().getFirst().toFloatArray());
                Memory.resetPeak();
                try (var step = TensorArena.ofConfined()) {
                    Tensor l = loss.apply(List.of(x, labels));
                    assertEquals(plan.schedule().entries(), l.releaseSchedule().entries());
                    l.backward(Release.EAGER);
                    assertEquals(plan.schedule().peakBytes(), step.peakBytes());
                    optimizer.step();
                    optimizer.zeroGradients();
                }
                assertEquals(live + plan.peakBytes(), Memory.peakBytes());
            }
        }
        assertEquals(before, Memory.liveBytes());
    }

    @Test
    void arenasAndCopiesWithinAreCountedToo() {
        try (var model = TensorArena.ofConfined()) {
            Tensor w = Tensor.ones(50, 50).trackGradient();
            Tensor mean = Tensor.zeros(50);
            Tensor x = Tensor.ones(ROWS, 50);
            Function<List<Tensor>, Tensor> loss = in -> {
                Tensor y = in.get(0).matmul(w);
                try (var scratch = TensorArena.ofConfined();
                        var off = Autograd.noGradient()) {
                    mean.copyFrom(y.mean(0).multiply(0.1).add(mean.multiply(0.9)));
                    y.exp().exp();
                }
                Tensor kept;
                TensorArena outer = Scope.current().innermostOrNull();
                try (var scratch = TensorArena.ofConfined()) {
                    kept = y.detach().tanh().moveTo(outer);
                }
                return y.multiply(kept).multiply(Tensor.rand(ROWS, 50)).sum();
            };
            MemoryPlan plan = MemoryPlan.of(loss, List.of(x));
            assertArrayEquals(new float[50], mean.toFloatArray());
            long live = Memory.liveBytes();
            Memory.resetPeak();
            try (var step = TensorArena.ofConfined()) {
                loss.apply(List.of(x)).backward(Release.EAGER);
            }
            assertEquals(live + plan.peakBytes(), Memory.peakBytes());
            assertTrue(mean.toFloatArray()[0] != 0);
        }
    }

    @Test
    void theLargestBatchFitsAndOneMoreDoesNot() {
        try (var model = TensorArena.ofConfined()) {
            Sequential net = net();
            Tensor x = Tensor.empty(10_000, 20);
            Tensor labels = Tensor.zeros(DType.INT64, 10_000);
            Function<List<Tensor>, Tensor> loss = in -> crossEntropyLoss(net.forward(in.get(0)), in.get(1));
            long bytes = 500_000;
            long n = MemoryPlan.largestBatch(loss, List.of(x, labels), bytes);
            long fits = MemoryPlan.of(loss, List.of(x.slice(0, 0, n), labels.slice(0, 0, n)))
                    .peakBytes();
            long more = MemoryPlan.of(loss, List.of(x.slice(0, 0, n + 1), labels.slice(0, 0, n + 1)))
                    .peakBytes();
            assertTrue(n > 100 && fits <= bytes && more > bytes, n + " " + fits + " " + more);
            assertEquals(0, MemoryPlan.largestBatch(loss, List.of(x, labels), 100));
            assertEquals(10_000, MemoryPlan.largestBatch(loss, List.of(x, labels), Long.MAX_VALUE));
            MemoryPlan.requireFits(loss, List.of(x, labels));
        }
    }

    @Test
    void aLossThatReadsElementsIsToldWhy() {
        try (var model = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(3).trackGradient();
            var failure = assertThrows(
                    IllegalStateException.class,
                    () -> MemoryPlan.of(in -> x.multiply(x.sum().item()).sum(), List.of(x)));
            assertTrue(failure.getMessage().startsWith("item: "), failure.getMessage());
        }
    }
}
