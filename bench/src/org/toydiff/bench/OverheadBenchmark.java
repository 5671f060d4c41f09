package org.toydiff.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.bench.peer.DjlOperands;

/// The overhead of an op over its arithmetic: every tensor has one element.
///
/// `foreign` is the floor: an arena of the JDK, one block, one addition. Compare `add` with it, `addTracked` with
/// `add` (the cost of recording), and all with `djl`.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class OverheadBenchmark {
    private TensorArena arena;
    private Tensor a;
    private Tensor b;
    private Tensor tracked;
    private MemorySegment segment;
    private NDManager manager;
    private NDArray djlA;
    private NDArray djlB;

    /// Allocates the operands.
    @Setup
    public void open() {
        arena = TensorArena.ofConfined();
        a = Tensor.of(1f);
        b = Tensor.of(2f);
        tracked = Tensor.of(3f).trackGradient();
        segment = a.segment();
        manager = DjlOperands.manager();
        djlA = DjlOperands.inputs(manager, 1);
        djlB = DjlOperands.inputs(manager, 1);
    }

    /// Frees the operands.
    @TearDown
    public void close() {
        manager.close();
        arena.close();
    }

    /// Adds in an arena of the JDK: the floor.
    ///
    /// @return the sum
    @Benchmark
    public float foreign() {
        try (var result = Arena.ofConfined()) {
            MemorySegment y = result.allocate(ValueLayout.JAVA_FLOAT);
            y.set(
                    ValueLayout.JAVA_FLOAT,
                    0,
                    segment.get(ValueLayout.JAVA_FLOAT, 0) + segment.get(ValueLayout.JAVA_FLOAT, 0));
            return y.get(ValueLayout.JAVA_FLOAT, 0);
        }
    }

    /// Opens and closes an empty arena.
    @Benchmark
    public void emptyArena() {
        TensorArena.ofConfined().close();
    }

    /// Adds in a new arena.
    ///
    /// @return the sum
    @Benchmark
    public Tensor add() {
        try (var result = TensorArena.ofConfined()) {
            return a.add(b);
        }
    }

    /// Adds in a new arena and records the op.
    ///
    /// @return the sum
    @Benchmark
    public Tensor addTracked() {
        try (var result = TensorArena.ofConfined()) {
            return tracked.add(b);
        }
    }

    /// Adds and runs backward.
    @Benchmark
    public void addBackward() {
        try (var result = TensorArena.ofConfined()) {
            tracked.add(b).backward();
            tracked.zeroGradient();
        }
    }

    /// Adds in DJL.
    @Benchmark
    public void djl() {
        djlA.add(djlB).close();
    }
}
