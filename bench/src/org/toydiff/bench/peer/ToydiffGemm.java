package org.toydiff.bench.peer;

import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A square product of toydiff, whose result takes a recycled block of an arena opened for it.
public final class ToydiffGemm implements AutoCloseable {
    private final TensorArena arena = TensorArena.ofConfined();
    private final Tensor a;
    private final Tensor b;

    /// Creates two matrices.
    ///
    /// @param n the number of rows and of columns
    public ToydiffGemm(int n) {
        a = matrix(n);
        b = matrix(n);
    }

    private static Tensor matrix(long n) {
        Tensor matrix = Tensor.empty(n, n);
        StartingNumbers.writeInputs(matrix.segment(), n * n);
        return matrix;
    }

    /// Returns the number of products that take about a millisecond together; `native/gemm.c` computes the same.
    ///
    /// @param n the number of rows and of columns
    /// @return 1 or more
    public static int callsPerSample(int n) {
        return (int) Math.clamp(1e8 / ((double) n * n * n), 1, 10_000);
    }

    /// Computes the product once.
    public void run() {
        try (var result = TensorArena.ofConfined()) {
            a.matmul(b);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
