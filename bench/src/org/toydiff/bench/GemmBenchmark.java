package org.toydiff.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.toydiff.Blas;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.ToydiffProduct;
import org.toydiff.internal.openblas.OpenBlas;

/// Square products. `cblas` is the bare call through the generated binding, on the library's own threads: the limit
/// of `toydiff`.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class GemmBenchmark {
    /// Rows and columns.
    @Param({"8", "16", "32", "64", "128", "256", "512", "1024", "2048"})
    public int n;

    /// Threads that share a product.
    @Param({"1", "2"})
    public int threads;

    private ToydiffProduct toydiff;
    private Arena arena;
    private MemorySegment a;
    private MemorySegment b;
    private MemorySegment c;

    /// Allocates the matrices.
    @Setup
    public void open() {
        // Also loads the library in which the binding looks up its functions.
        Blas.setThreads(threads);
        OpenBlas.openblas_set_num_threads(threads);
        toydiff = new ToydiffProduct("NN", n, n, n);
        arena = Arena.ofConfined();
        a = matrix();
        b = matrix();
        c = matrix();
    }

    private MemorySegment matrix() {
        MemorySegment matrix = arena.allocate((long) n * n * Float.BYTES, 64);
        StartingNumbers.writeInputs(matrix, (long) n * n);
        return matrix;
    }

    /// Frees the matrices.
    @TearDown
    public void close() {
        arena.close();
        toydiff.close();
    }

    /// Multiplies by the bare call.
    @Benchmark
    public void cblas() {
        OpenBlas.cblas_sgemm(
                OpenBlas.CblasRowMajor(),
                OpenBlas.CblasNoTrans(),
                OpenBlas.CblasNoTrans(),
                n,
                n,
                n,
                1,
                a,
                n,
                b,
                n,
                0,
                c,
                n);
    }

    /// Multiplies by toydiff.
    @Benchmark
    public void toydiff() {
        toydiff.run();
    }
}
