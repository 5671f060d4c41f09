package org.toydiff.bench.blas;

import java.util.Locale;
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
import org.toydiff.internal.blas.CBlas;

/// The calls of `blasbench.jar` that OpenBLAS has, on operands of n or n×n elements.
/// `-jvmArgsAppend -Dtoydiff.blas=PATH` selects another library than that of the artifact.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class BlasBenchmark {
    private static final int BATCH = 64;

    /// The routine and its variant.
    @Param({
        "axpy -",
        "dot -",
        "nrm2 -",
        "scal -",
        "copy -",
        "gemv N",
        "gemv T",
        "ger -",
        "gemm NN",
        "gemm NT",
        "gemm TN",
        "gemm TT",
        "gemm_batch NN",
        "syrk N",
        "trsm LN",
        "gesv -",
        "potrf -",
        "geqrf -",
        "syevd -",
        "gesdd -"
    })
    public String call;

    /// The dtype.
    @Param({"float", "double"})
    public String dtype;

    /// All sizes of the operands.
    @Param({"64", "512"})
    public int n;

    /// The number of the library's own threads.
    @Param("1")
    public int threads;

    private Operands operands;
    private Calls.Loop loop;

    /// Allocates the operands and checks the library's result.
    @Setup
    public void open() {
        Blas.library();
        CBlas.setThreads(threads);
        String[] words = call.split(" ");
        Routine routine = Routine.valueOf(words[0].toUpperCase(Locale.ROOT));
        int batch = routine.isBatch() ? BATCH : 1;
        operands = new Operands(
                Problem.of(routine, words[1], dtype.equals("double"), batch, Problem.Layout.DEFAULT, n, n, n));
        loop = Calls.of(operands);
        loop.run(1);
        String fault = Check.fault(operands);
        if (fault != null) {
            throw new IllegalStateException(fault);
        }
        operands.fillForTiming();
    }

    /// Frees the operands.
    @TearDown
    public void close() {
        operands.close();
    }

    /// Makes the bare call, for LAPACK after restoring the operands.
    @Benchmark
    public void blas() {
        loop.run(1);
    }
}
