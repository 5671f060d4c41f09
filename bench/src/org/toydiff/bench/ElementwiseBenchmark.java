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
import org.toydiff.bench.peer.DjlElementwise;
import org.toydiff.bench.peer.ToydiffElementwise;

/// Elementwise ops and a reduction.
///
/// `copy` is the limit: it reads the bytes of one operand and writes those of one result, on one thread and without
/// arithmetic. `djl` is PyTorch through DJL, with a new result each time.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ElementwiseBenchmark {
    /// The op.
    @Param({"exp", "tanh", "add", "sum"})
    public String op;

    /// Elements of each operand.
    @Param({"4096", "262144", "16777216"})
    public int elements;

    private ToydiffElementwise toydiff;
    private DjlElementwise djl;
    private Arena arena;
    private MemorySegment from;
    private MemorySegment to;

    /// Allocates the operands.
    @Setup
    public void open() {
        toydiff = new ToydiffElementwise(op, elements);
        djl = new DjlElementwise(op, elements);
        arena = Arena.ofConfined();
        from = arena.allocate((long) elements * Float.BYTES, 64).fill((byte) 1);
        to = arena.allocate((long) elements * Float.BYTES, 64).fill((byte) 1);
    }

    /// Frees the operands.
    @TearDown
    public void close() {
        arena.close();
        djl.close();
        toydiff.close();
    }

    /// Copies an operand: the limit.
    ///
    /// @return the copy
    @Benchmark
    public MemorySegment copy() {
        MemorySegment.copy(from, 0, to, 0, from.byteSize());
        return to;
    }

    /// Runs the op in toydiff.
    @Benchmark
    public void toydiff() {
        toydiff.run();
    }

    /// Runs the op in DJL.
    @Benchmark
    public void djl() {
        djl.run();
    }
}
