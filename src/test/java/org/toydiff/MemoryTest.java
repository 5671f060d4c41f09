package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.memory.Ledger;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.SGD;

/// Who owns what, what it counts, and that it comes back.
class MemoryTest {
    @Test
    void bytesAreCountedRoundedUpTo64() {
        long before = Memory.liveBytes();
        try (var arena = TensorArena.ofConfined()) {
            Tensor.zeros(17);
            assertEquals(128, arena.liveBytes());
            Tensor.zeros(DType.FLOAT64, 0, 5);
            Tensor.scalar(1).reshape(1, 1).transpose();
            assertEquals(192, arena.liveBytes());
            assertEquals(before + 192, Memory.liveBytes());
        }
        assertEquals(before, Memory.liveBytes());
    }

    @Test
    void thePeakStaysWhenMemoryIsFreed() {
        try (var outer = TensorArena.ofConfined()) {
            Memory.resetPeak();
            long before = Memory.liveBytes();
            try (var inner = TensorArena.ofConfined()) {
                Tensor.zeros(1024);
                assertEquals(4096, inner.peakBytes());
            }
            assertEquals(before, Memory.liveBytes());
            assertEquals(before + 4096, Memory.peakBytes());
        }
    }

    @Test
    void aStepAfterTheTenthMakesNoNewSlab() {
        try (var model = TensorArena.ofShared()) {
            var net = new Sequential(new Linear(64, 128), new ReLU(), new Linear(128, 10));
            var optimizer = new Adam(net.parameters(), 1e-3);
            Tensor x = Tensor.rand(256, 64);
            Tensor labels = Tensor.zeros(DType.INT64, 256);
            long slabs = 0;
            for (int step = 1; step <= 40; step++) {
                train(net, optimizer, x, labels);
                if (step == 10) {
                    slabs = Ledger.slabsMade();
                }
            }
            assertEquals(slabs, Ledger.slabsMade());
        }
    }

    private static double train(Sequential net, org.toydiff.optim.Optimizer optimizer, Tensor x, Tensor labels) {
        try (var step = TensorArena.ofConfined()) {
            Tensor loss = Functional.crossEntropyLoss(net.forward(x), labels);
            loss.backward(Release.EAGER);
            optimizer.step();
            optimizer.zeroGradients();
            return loss.item();
        }
    }

    @Test
    void recycledMemoryShowsNothingOfItsPast() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.full(Double.NaN, 1 << 16);
        }
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.ones(64, 64);
            assertEquals(64, a.matmul(a).max().item());
            assertEquals(64, a.matmul(Tensor.ones(64)).max().item());
            assertEquals(
                    0, Tensor.ones(3, 0).matmul(Tensor.ones(0, 2)).abs().max().item());
            assertEquals(0, Tensor.zeros(100).max().item());
            assertEquals(0, arena.allocate(4096, 4096).get(ValueLayout.JAVA_BYTE, 4095));
        }
    }

    @Test
    void tensorsLeaveTheirArenaByCopyOrMove() {
        try (var outer = TensorArena.ofShared()) {
            Tensor copied;
            Tensor moved;
            Tensor view;
            try (var inner = TensorArena.ofConfined()) {
                Tensor x = Tensor.arange(0, 6, 1).reshape(2, 3);
                copied = x.transpose().copyTo(outer);
                view = x.get(1);
                moved = x.moveTo(outer);
                assertEquals(0, inner.liveBytes());
            }
            assertEquals(2 * 64, outer.liveBytes());
            assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, copied.toFloatArray());
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, moved.toFloatArray());
            assertArrayEquals(new float[] {3, 4, 5}, view.toFloatArray());
        }
        try (var jdk = Arena.ofConfined();
                var arena = TensorArena.ofConfined()) {
            Tensor own = Tensor.zeros(jdk, DType.FLOAT32, 3).trackGradient();
            own.add(1).sum().backward();
            assertEquals(3, own.gradient().sum().item());
            var wrapped = Tensor.wrap(jdk.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2), DType.FLOAT32, 2);
            assertEquals(3, wrapped.sum().item());
            assertThrows(IllegalStateException.class, () -> wrapped.moveTo(arena));
        }
    }

    @Test
    void aSharedArenaIsEnteredByOtherThreads() throws Exception {
        try (var shared = TensorArena.ofShared()) {
            Tensor made = CompletableFuture.supplyAsync(() -> {
                        try (var inside = shared.enter()) {
                            return Tensor.ones(5);
                        }
                    })
                    .get();
            assertEquals(5, made.sum().item());
            var inside = shared.enter();
            assertEquals(
                    "close: this arena is entered by thread "
                            + Thread.currentThread().getName()
                            + "; close the regions that enter() returned there, then close it again",
                    assertThrows(IllegalStateException.class, shared::close).getMessage());
            inside.close();
        }
    }

    @Test
    void theReportNamesEveryOpenArena() {
        try (var arena = TensorArena.ofConfined(1 << 20)) {
            Tensor.zeros(16);
            String report = Memory.report();
            assertTrue(
                    report.contains(
                            "confined arena of thread " + Thread.currentThread().getName()
                                    + ": live 64 B, peak 64 B, limit 1.0 MiB, blocks made 1, freed 0"),
                    report);
        }
    }

    @Test
    void twoThreadsTrainAsOneDoes() throws Exception {
        double[] alone = trajectory(7);
        double[] other = trajectory(8);
        var first = CompletableFuture.supplyAsync(() -> trajectory(7));
        var second = CompletableFuture.supplyAsync(() -> trajectory(8));
        assertArrayEquals(alone, first.get());
        assertArrayEquals(other, second.get());
    }

    private static double[] trajectory(long seed) {
        var random = new java.util.Random(seed);
        try (var model = TensorArena.ofConfined()) {
            Tensor w = Tensor.randn(random, 8, 4).trackGradient();
            Tensor x = Tensor.randn(random, 16, 8);
            var optimizer = new SGD(java.util.List.of(w), 0.01, 0.9);
            double[] losses = new double[1000];
            for (int i = 0; i < losses.length; i++) {
                try (var step = TensorArena.ofConfined()) {
                    Tensor y = x.matmul(w).tanh();
                    Tensor loss = y.multiply(y).mean();
                    loss.backward(Release.EAGER);
                    optimizer.step();
                    optimizer.zeroGradients();
                    losses[i] = loss.item();
                }
            }
            return losses;
        }
    }

    @Test
    void twoThreadsInferWithOneModel() throws Exception {
        try (var model = TensorArena.ofShared()) {
            var net = new Sequential(new Linear(8, 16), new ReLU(), new Linear(16, 3));
            Tensor x = Tensor.rand(5, 8);
            float[] expected = infer(net, x);
            var threads = java.util.stream.Stream.generate(() -> CompletableFuture.runAsync(() -> {
                        for (int i = 0; i < 1000; i++) {
                            assertArrayEquals(expected, infer(net, x));
                        }
                    }))
                    .limit(2)
                    .toList();
            for (var thread : threads) {
                thread.get();
            }
        }
    }

    private static float[] infer(Sequential net, Tensor x) {
        try (var arena = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            return net.forward(x).toFloatArray();
        }
    }

    @Test
    void twoThreadsGoBackwardToOneLeaf() throws Exception {
        try (var model = TensorArena.ofShared()) {
            Tensor w = Tensor.ones(32, 32).trackGradient();
            Runnable steps = () -> {
                for (int i = 0; i < 200; i++) {
                    try (var step = TensorArena.ofConfined()) {
                        Tensor.ones(4, 32).matmul(w).sum().backward(Release.EAGER);
                    }
                }
            };
            var first = CompletableFuture.runAsync(steps);
            var second = CompletableFuture.runAsync(steps);
            first.get();
            second.get();
            assertEquals(400 * 4, w.gradient().min().item());
            assertEquals(400 * 4, w.gradient().max().item());
        }
    }

    @Test
    void aChainOf100000OpsNeedsNoStack() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.scalar(1).trackGradient();
            Tensor y = x;
            for (int i = 0; i < 100_000; i++) {
                y = y.negative();
            }
            y.releaseSchedule();
            y.backward(Release.EAGER);
            assertEquals(1, x.gradient().item());
        }
    }

    @Test
    void tenMillionSmallTensorsOver100000StepsGrowNothing() {
        long before = Memory.liveBytes();
        long slabs = 0;
        try (var outer = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(4);
            for (int step = 0; step < 100_000; step++) {
                try (var inner = TensorArena.ofConfined()) {
                    for (int i = 0; i < 100; i++) {
                        x.negative();
                    }
                }
                if (step == 10) {
                    slabs = Ledger.slabsMade();
                }
            }
        }
        assertEquals(slabs, Ledger.slabsMade());
        assertEquals(before, Memory.liveBytes());
    }
}
