package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.fusion.RecordedLaunch.Matrix;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.Shape;

/// Records launches of one dtype and shape, for tests: results go to new, contiguous blocks.
final class Chain {
    final List<RecordedLaunch> launches = new ArrayList<>();

    /// The kernels of the launches, null for others.
    final List<Object> kernels = new ArrayList<>();

    private final Element real;
    private int blocks;

    Chain(boolean wide, int inputs) {
        real = wide ? Element.FLOAT64 : Element.FLOAT32;
        blocks = inputs;
    }

    BlockView view(int block, long... strides) {
        return new BlockView(block, real, 0, strides);
    }

    BlockView contiguous(int block, long... shape) {
        return view(block, Shape.strides(shape));
    }

    int newBlock() {
        return blocks++;
    }

    private boolean wide() {
        return real == Element.FLOAT64;
    }

    BlockView unary(UnaryKernel kernel, BlockView x, long... shape) {
        return add(kernel.of(wide()), List.of(x), contiguous(newBlock(), shape), shape);
    }

    BlockView binary(BinaryKernel kernel, BlockView a, BlockView b, long... shape) {
        return binaryInto(contiguous(newBlock(), shape), kernel, a, b, shape);
    }

    BlockView binaryInto(BlockView y, BinaryKernel kernel, BlockView a, BlockView b, long... shape) {
        return add(kernel.of(wide()), List.of(a, b), y, shape);
    }

    BlockView add(Object kernel, List<BlockView> inputs, BlockView y, long... shape) {
        launches.add(Elementwise.of(kernel, inputs, y, shape));
        kernels.add(kernel);
        return y;
    }

    BlockView fill(double value, long... shape) {
        BlockView y = contiguous(newBlock(), shape);
        launches.add(Elementwise.fill(value, y, shape));
        kernels.add(null);
        return y;
    }

    /// Adds a launch that reads one operand, and may read it from a source as a matrix of so many columns.
    void reader(BlockView x, long[] shape, long columns, Set<Integer> writes) {
        launches.add(reader(x, shape, columns, Set.of(), writes));
        kernels.add(null);
    }

    static RecordedLaunch reader(BlockView x, long[] shape, long columns, Set<Integer> reads, Set<Integer> writes) {
        return new RecordedLaunch.Streamed(Matrix.of(x, shape, columns), null, List.of(), reads, writes);
    }

    /// Adds a launch whose result may be taken by a sink.
    ///
    /// @param aligned operands that it reads as it writes the result
    void writer(List<BlockView> aligned, BlockView y, Set<Integer> reads, Set<Integer> writes, long... shape) {
        Matrix result = Matrix.of(y, shape, Shape.size(shape));
        launches.add(new RecordedLaunch.Streamed(null, result, aligned, reads, writes));
        kernels.add(null);
    }

    void other(Set<Integer> reads, Set<Integer> writes) {
        launches.add(new Other(reads, writes));
        kernels.add(null);
    }

    List<FusedLaunch> fuse(Integer... kept) {
        return Fuser.fuse(launches, Set.of(kept));
    }

    /// {@return the source of a launch's first operand, or null}
    static FusedSource source(FusedLaunch.Streamed launch, Blocks blocks, FuserTest.Loops loops) {
        if (launch.source() == null) {
            return null;
        }
        FusedLaunch.Loop loop = launch.source();
        var source = new FusedSource(loop.program(), launch.inputs(), loop.shape(), launch.columns(), loops);
        source.bind(blocks.memory(launch.inputs()));
        return source;
    }

    /// {@return the sink of a launch's result, or null}
    static FusedSink sink(FusedLaunch.Streamed launch, Blocks blocks, FuserTest.Loops loops) {
        if (launch.sink() == null) {
            return null;
        }
        FusedLaunch.Loop loop = launch.sink();
        var sink = new FusedSink(loop.program(), loop.operands(), loop.shape(), loops);
        sink.bind(blocks.memory(loop.operands().subList(1, loop.operands().size())));
        return sink;
    }

    /// {@return the places of the launches of each fused launch, and the number of results that a loop stores}
    static String text(List<FusedLaunch> fused) {
        List<String> texts = new ArrayList<>();
        for (FusedLaunch launch : fused) {
            texts.add(
                    switch (launch) {
                        case FusedLaunch.Unchanged each -> "" + each.launch();
                        case FusedLaunch.Loop loop ->
                            loop.launches() + "→" + loop.program().outputs().size();
                        case FusedLaunch.Streamed each ->
                            (each.source() == null ? "" : each.source().launches() + "→")
                                    + each.launch()
                                    + (each.sink() == null ? "" : "→" + text(List.of(each.sink())));
                    });
        }
        return String.join(" ", texts);
    }
}
