package org.toydiff.bench.peer;

import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A square product of toydiff, its result in a recycled block of an arena that is opened for it.
public final class ToydiffGemm implements AutoCloseable {
    private final TensorArena arena = TensorArena.ofConfined();
    private final Tensor a;
    private final Tensor b;

    /// Two matrices.
    ///
    /// @param n rows and columns
    public ToydiffGemm(int n) {
        a = matrix(n);
        b = matrix(n);
    }

    private static Tensor matrix(long n) {
        Tensor matrix = Tensor.empty(n, n);
        StartingNumbers.writeInputs(matrix.segment(), n * n);
        return matrix;
    }

    /// As many products as make a sample of a millisecond or so; `native/gemm.c` counts the same.
    ///
    /// @param n rows and columns
    /// @return 1 or more
    public static int callsPerSample(int n) {
        return (int) Math.clamp(1e8 / ((double) n * n * n), 1, 10_000);
    }

    /// The product once.
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
