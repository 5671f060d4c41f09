package org.toydiff.bench.peer;

import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A product of toydiff, whose result takes a recycled block of an arena opened for it.
public final class ToydiffProduct implements AutoCloseable {
    private final TensorArena arena = TensorArena.ofConfined();
    private final Tensor a;
    private final Tensor b;
    private final int calls;

    /// Creates two matrices.
    ///
    /// @param order `NN`, `NT`, `TN` or `TT`: which operands are transposed views
    /// @param m the number of rows of the result
    /// @param n the number of columns of the result
    /// @param k the inner size
    public ToydiffProduct(String order, long m, long n, long k) {
        a = matrix(m, k, order.charAt(0) == 'T');
        b = matrix(k, n, order.charAt(1) == 'T');
        calls = (int) Math.clamp(1e8 / ((double) m * n * k), 1, 10_000);
    }

    private static Tensor matrix(long rows, long columns, boolean transposed) {
        Tensor matrix = transposed ? Tensor.empty(columns, rows) : Tensor.empty(rows, columns);
        StartingNumbers.writeInputs(matrix.segment(), rows * columns);
        return transposed ? matrix.transpose() : matrix;
    }

    /// Returns the number of products that take about a millisecond together; `native/gemm.c` and
    /// `bench/peers/torch_peer.py` compute the same.
    ///
    /// @return 1 or more
    public int callsPerSample() {
        return calls;
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
