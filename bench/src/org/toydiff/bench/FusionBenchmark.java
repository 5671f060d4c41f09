package org.toydiff.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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
import org.toydiff.internal.fusion.BlockView;
import org.toydiff.internal.fusion.FusedLaunch;
import org.toydiff.internal.fusion.FusedWork;
import org.toydiff.internal.fusion.Fuser;
import org.toydiff.internal.fusion.RecordedLaunch;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CopyKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.ElementWork;

/// A chain of elementwise kernels, `GELU(x·a + b)` with scalars a and b, as one loop and one kernel after another.
///
/// `limit` copies x: it reads and writes what the one loop must read and write, on as many threads and without
/// arithmetic. The bandwidth of the machine, measured from C, is the comparison's workload of that name.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class FusionBenchmark {
    private static final double[] SCALARS = {1.5, -0.25, Math.sqrt(0.5), 1, 0.5};

    /// Elements of x.
    @Param({"4096", "16777216"})
    public int elements;

    /// A kernel and the blocks that it reads and writes.
    private record Step(Kernel.Unary unary, Kernel.Binary binary, BlockView a, BlockView b, BlockView y) {}

    private final List<Step> steps = new ArrayList<>();
    private final ElementWork work = new ElementWork();
    private long[] shape;
    private Arena arena;
    private MemorySegment[] blocks;
    private FusedWork fusedWork;
    private MemorySegment[] operands;

    /// Allocates the operands, and fuses the chain.
    @Setup
    public void open() {
        shape = new long[] {elements};
        arena = Arena.ofShared();
        BlockView x = contiguous(0);
        BlockView u = binary(BinaryKernel.ADD, binary(BinaryKernel.MULTIPLY, x, scalar(0)), scalar(1));
        BlockView scaled = binary(BinaryKernel.MULTIPLY, u, scalar(2));
        BlockView erf = contiguous(next());
        steps.add(new Step(UnaryKernel.ERF.of(false), null, scaled, null, erf));
        BlockView both = binary(BinaryKernel.MULTIPLY, binary(BinaryKernel.ADD, erf, scalar(3)), u);
        BlockView y = binary(BinaryKernel.MULTIPLY, both, scalar(4));
        blocks = new MemorySegment[next()];
        for (int i = 0; i < blocks.length; i++) {
            boolean isScalar = i > 0 && i <= SCALARS.length;
            blocks[i] = arena.allocate(isScalar ? Float.BYTES : (long) elements * Float.BYTES, 64);
            if (isScalar) {
                blocks[i].setAtIndex(JAVA_FLOAT, 0, (float) SCALARS[i - 1]);
            }
        }
        for (int i = 0; i < elements; i++) {
            blocks[0].setAtIndex(JAVA_FLOAT, i, i % 1000 / 250f - 2);
        }
        List<RecordedLaunch> launches = new ArrayList<>();
        for (Step step : steps) {
            Object kernel = step.unary != null ? step.unary : step.binary;
            List<BlockView> inputs = step.b == null ? List.of(step.a) : List.of(step.a, step.b);
            launches.add(RecordedLaunch.Elementwise.of(kernel, inputs, step.y, shape));
        }
        var loop = (FusedLaunch.Loop) Fuser.fuse(launches, Set.of(y.block())).getFirst();
        fusedWork = new FusedWork(loop.program(), loop.operands(), shape);
        operands = loop.operands().stream().map(view -> blocks[view.block()]).toArray(MemorySegment[]::new);
    }

    private int next() {
        return 1 + SCALARS.length + steps.size();
    }

    private static BlockView contiguous(int block) {
        return new BlockView(block, Element.FLOAT32, 0, new long[] {1});
    }

    private static BlockView scalar(int index) {
        return new BlockView(1 + index, Element.FLOAT32, 0, new long[] {0});
    }

    private BlockView binary(BinaryKernel kernel, BlockView a, BlockView b) {
        BlockView y = contiguous(next());
        steps.add(new Step(null, kernel.of(false), a, b, y));
        return y;
    }

    /// Frees the operands.
    @TearDown
    public void close() {
        arena.close();
    }

    /// Copies x: the limit.
    @Benchmark
    public void limit() {
        run(CopyKernels.of(Float.BYTES).copy, contiguous(0), contiguous(blocks.length - 1));
    }

    private void run(Kernel.Unary kernel, BlockView x, BlockView y) {
        work.run(kernel, blocks[x.block()], 0, x.strides(), blocks[y.block()], 0, y.strides(), shape);
    }

    /// Runs the chain as one loop.
    @Benchmark
    public void fused() {
        fusedWork.run(operands);
    }

    /// Runs one kernel after another, into memory that exists.
    @Benchmark
    public void unfused() {
        for (Step step : steps) {
            if (step.unary != null) {
                run(step.unary, step.a, step.y);
            } else {
                work.run(
                        step.binary,
                        blocks[step.a.block()],
                        0,
                        step.a.strides(),
                        blocks[step.b.block()],
                        0,
                        step.b.strides(),
                        blocks[step.y.block()],
                        0,
                        step.y.strides(),
                        shape);
            }
        }
    }
}
