package org.toydiff.bench.plan;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.toydiff.Threads;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.Timing;
import org.toydiff.internal.launch.ProductTable;
import org.toydiff.internal.launch.ProductWork;

/// A FLOAT32 product whose operands lie as a training step has them, multiplied under several tables in turn. On one
/// thread its processor time is measured, which does not count other processes.
final class PlannedProduct implements AutoCloseable {
    private static final int ROUNDS = 15;
    private static final double MULTIPLICATIONS_PER_SAMPLE = 2e7;

    /// A product is no batch.
    private static final long[] NO_AXES = {};

    private static final ThreadMXBean THREAD = ManagementFactory.getThreadMXBean();

    private final Arena arena = Arena.ofShared();
    private final boolean transposeA;
    private final boolean transposeB;
    private final int m;
    private final int n;
    private final int k;
    private final MemorySegment a;
    private final MemorySegment b;
    private final MemorySegment y;

    /// Creates the operands.
    ///
    /// @param order `NN`, `NT` or `TN`: which operands are stored with rows and columns exchanged
    PlannedProduct(String order, int m, int n, int k) {
        transposeA = order.charAt(0) == 'T';
        transposeB = order.charAt(1) == 'T';
        this.m = m;
        this.n = n;
        this.k = k;
        a = matrix(m, k);
        b = matrix(k, n);
        y = matrix(m, n);
    }

    private MemorySegment matrix(long rows, long columns) {
        MemorySegment matrix = arena.allocate(rows * columns * Float.BYTES, 64);
        StartingNumbers.writeInputs(matrix, rows * columns);
        return matrix;
    }

    /// Returns the median time of a product under each table, measured in turn, in microseconds.
    double[] micros(ProductTable... tables) {
        int calls = (int) Math.clamp(MULTIPLICATIONS_PER_SAMPLE / ((double) m * n * k), 1, 10_000);
        double[][] times = new double[tables.length][ROUNDS];
        for (int round = -1; round < ROUNDS; round++) {
            for (int i = 0; i < tables.length; i++) {
                double time = micros(new ProductWork(tables[i]), calls);
                if (round >= 0) {
                    times[i][round] = time;
                }
            }
        }
        double[] medians = new double[tables.length];
        for (int i = 0; i < tables.length; i++) {
            medians[i] = Timing.median(times[i]);
        }
        return medians;
    }

    private static long nanos() {
        return Threads.count() == 1 ? THREAD.getCurrentThreadCpuTime() : System.nanoTime();
    }

    private double micros(ProductWork work, int calls) {
        long start = nanos();
        for (int i = 0; i < calls; i++) {
            work.left(a, 0, m, k, transposeA ? 1 : k, transposeA, transposeA ? m : k, transposeA ? m : 1);
            work.right(b, 0, n, transposeB ? k : 1, transposeB, transposeB ? k : n, transposeB ? 1 : n);
            work.run(false, 0, y, 0, NO_AXES, NO_AXES, NO_AXES);
        }
        return (nanos() - start) / 1e3 / calls;
    }

    @Override
    public void close() {
        arena.close();
    }
}
