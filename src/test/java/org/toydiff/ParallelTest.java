package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;

/// Work that is shared among threads: the same results for any number of them, and nothing left over.
@Tag("kernels")
class ParallelTest {
    private final int threads = Blas.threads();

    @AfterEach
    void restoreThreads() {
        Blas.setThreads(threads);
    }

    /// Ops that are large enough to be shared.
    private static Map<String, Supplier<Tensor>> ops() {
        Tensor.manualSeed(11);
        Tensor long1 = Tensor.randn(300_007);
        Tensor long2 = Tensor.randn(300_007);
        Tensor a = Tensor.randn(700, 301);
        Tensor b = Tensor.randn(301, 530);
        Tensor c = Tensor.randn(700, 530);
        Tensor few = Tensor.randn(32, 784);
        Tensor weight = Tensor.randn(512, 784);
        Tensor bias = Tensor.randn(512);
        Tensor batch = Tensor.randn(20, 64, 48);
        Tensor matrices = Tensor.randn(20, 48, 80);
        Map<String, Supplier<Tensor>> ops = new LinkedHashMap<>();
        ops.put("exp", long1::exp);
        ops.put("add", () -> long1.add(long2));
        ops.put("a row", () -> a.multiply(Tensor.ones(301)));
        ops.put("a column", () -> a.subtract(a.sum(1, true)));
        ops.put("transposed", () -> a.transpose().add(a.transpose()));
        ops.put("greater", () -> long1.greater(long2));
        ops.put("sum", long1::sum);
        ops.put("mean", long1::mean);
        ops.put("std", long1::std);
        ops.put("max", long1::max);
        ops.put("columns", () -> a.sum(0));
        ops.put("largest of columns", () -> a.max(0));
        ops.put("rows", () -> a.std(1));
        ops.put("positions", () -> a.argmax(1));
        ops.put("NN", () -> a.matmul(b));
        ops.put("TN", () -> a.transpose().matmul(c));
        ops.put("NT", () -> c.matmul(b.transpose()));
        ops.put("few rows", () -> few.linear(weight, bias, Activation.TANH));
        ops.put("batched", () -> batch.matmul(matrices));
        ops.put("matrix and vector", () -> a.matmul(Tensor.ones(301)));
        ops.put("softmax", () -> c.softmax(1));
        ops.put("cross entropy", () -> c.crossEntropy(Tensor.zeros(DType.INT32, 700)));
        Tensor steps = Tensor.randn(16, 64, 48);
        Tensor state = Tensor.randn(64, 300);
        Tensor inputWeight = Tensor.randn(1200, 48);
        Tensor hiddenWeight = Tensor.randn(1200, 300).multiply(0.1);
        ops.put("lstm", () -> steps.lstm(state, state, inputWeight, hiddenWeight, null, null, null, null, false)
                .getFirst());
        Tensor halves = c.cast(DType.BFLOAT16);
        ops.put("cast", () -> long1.cast(DType.BFLOAT16));
        ops.put("columns of halves", () -> halves.sum(0));
        ops.put("sum of halves", () -> long1.cast(DType.BFLOAT16).sum());
        ops.put("softmax of halves", () -> halves.softmax(1));
        ops.put("product of halves", () -> halves.transpose().matmul(halves));
        ops.put("linear layer of halves", () -> halves.linear(halves, null, Activation.TANH));
        Tensor heads = Tensor.randn(3, 300, 16);
        ops.put("attention", () -> heads.scaledDotProductAttention(heads, heads, null, true));
        ops.put("gradient of attention", () -> gradientOfAttention(heads));
        Tensor many = Tensor.randn(9, 90, 8);
        ops.put("gradient of attention of many heads", () -> gradientOfAttention(many));
        ops.put("training", ParallelTest::training);
        return ops;
    }

    private static Tensor gradientOfAttention(Tensor x) {
        Tensor leaf = x.detach().trackGradient();
        Tensor y = leaf.scaledDotProductAttention(leaf, leaf, null, false);
        return Autograd.gradients(y.multiply(y).sum(), List.of(leaf)).getFirst();
    }

    /// What three steps make of the parameters.
    private static Tensor training() {
        Tensor.manualSeed(4);
        var net = new Sequential(new Linear(300, 200), new ReLU(), new Linear(200, 10));
        var optimizer = new Adam(net.parameters(), 1e-3);
        Tensor x = Tensor.rand(512, 300);
        Tensor labels = Tensor.empty(DType.INT64, 512).setAll(i -> i % 10);
        for (int i = 0; i < 3; i++) {
            try (var step = TensorArena.ofConfined()) {
                Functional.crossEntropyLoss(net.forward(x), labels).backward(Release.EAGER);
                optimizer.step();
                optimizer.zeroGradients();
            }
        }
        return net.parameters().getFirst();
    }

    @Test
    void threadsAreSetInOnePlace() {
        Threads.set(2);
        assertEquals(2, Blas.threads());
        Blas.setThreads(3);
        assertEquals(3, Threads.count());
        for (int none : new int[] {0, -1, 1025}) {
            var failure = assertThrows(IllegalArgumentException.class, () -> Threads.set(none));
            assertEquals("Threads.set: " + none + " threads; give 1 to 1024", failure.getMessage());
        }
        assertEquals(3, Threads.count());
    }

    @Test
    void resultsAreBitwiseTheSameForAnyNumberOfWorkers() {
        try (var arena = TensorArena.ofConfined()) {
            ops().forEach((name, op) -> {
                Blas.setThreads(1);
                double[] expected = op.get().toDoubleArray();
                for (int n : new int[] {1, 2, 3, 4, 2}) {
                    Blas.setThreads(n);
                    assertEquals(n, Blas.threads());
                    assertArrayEquals(expected, op.get().toDoubleArray(), name + " on " + n + " threads");
                }
            });
        }
    }

    @Test
    void tiledProductsAreNaiveSums() {
        try (var arena = TensorArena.ofConfined()) {
            Blas.setThreads(3);
            for (int[] s :
                    new int[][] {{32, 784, 130}, {48, 256, 64}, {300, 200, 1100}, {1100, 64, 300}, {5, 900, 700}}) {
                Tensor a = Tensor.randn(DType.FLOAT64, s[0], s[1]);
                Tensor b = Tensor.randn(DType.FLOAT64, s[1], s[2]);
                requireProduct(a, b, 1e-11);
                requireProduct(a.cast(DType.FLOAT32), b.cast(DType.FLOAT32), 2e-5);
                Arena home = arena;
                requireProduct(a.transpose().copyTo(home).transpose(), b, 1e-11);
                requireProduct(a, b.transpose().copyTo(home).transpose(), 1e-11);
            }
        }
    }

    private static void requireProduct(Tensor a, Tensor b, double tolerance) {
        double[] x = a.toDoubleArray();
        double[] z = b.toDoubleArray();
        int m = (int) a.shape()[0];
        int k = (int) a.shape()[1];
        int n = (int) b.shape()[1];
        double[] y = a.matmul(b).toDoubleArray();
        double scale = Math.sqrt(k);
        for (int i = 0; i < m; i++) {
            for (int j = i % 7; j < n; j += 7) {
                double sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += x[i * k + l] * z[l * n + j];
                }
                assertEquals(sum, y[i * n + j], tolerance * scale, "[" + m + ", " + k + ", " + n + "] " + i + " " + j);
            }
        }
    }

    @Test
    void severalThreadsShareTheWorkers() throws Exception {
        Blas.setThreads(3);
        try (var pool = Executors.newFixedThreadPool(4)) {
            List<Future<Double>> sums = new ArrayList<>();
            Callable<Double> work = () -> {
                double total = 0;
                try (var arena = TensorArena.ofConfined()) {
                    Tensor ones = Tensor.ones(256, 256);
                    for (int i = 0; i < 50; i++) {
                        try (var step = TensorArena.ofConfined()) {
                            total += ones.matmul(ones).add(ones).sum().item();
                        }
                    }
                }
                return total;
            };
            for (int i = 0; i < 4; i++) {
                sums.add(pool.submit(work));
            }
            for (Future<Double> sum : sums) {
                assertEquals(50 * 256.0 * 256 * 257, sum.get());
            }
        }
    }

    @Test
    void anInterruptedThreadGetsItsResultAndStaysInterrupted() {
        Blas.setThreads(2);
        try (var arena = TensorArena.ofConfined()) {
            Thread.currentThread().interrupt();
            assertEquals(300_000, Tensor.ones(300_000).add(0).sum().item());
            assertTrue(Thread.interrupted());
        }
    }
}
