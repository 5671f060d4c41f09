package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.LoopProgram.Call;
import org.toydiff.internal.fusion.LoopProgram.Output;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.kernels.Element;

/// Makes the program of a loop from launches of one shape that write and read the elements of a block at the same
/// places.
final class LoopBuilder {
    private final Precision precision;
    private final long[] shape;
    private final List<BlockView> inputs = new ArrayList<>();

    /// The launches, with the arguments of each: the place of an input, or the launch that has computed it, counted
    /// from −1 downward.
    private final List<Elementwise> launches = new ArrayList<>();

    private final List<List<Integer>> arguments = new ArrayList<>();

    /// The launch that wrote a block last.
    private final Map<Integer, Integer> writers = new LinkedHashMap<>();

    /// The launches whose result a later one reads.
    private final Set<Integer> read = new HashSet<>();

    LoopBuilder(Precision precision, long[] shape) {
        this.precision = precision;
        this.shape = shape;
    }

    void add(Elementwise launch) {
        arguments.add(launch.inputs().stream().map(this::argument).toList());
        writers.put(launch.output().block(), launches.size());
        launches.add(launch);
    }

    private int argument(BlockView view) {
        Integer writer = writers.get(view.block());
        if (writer != null) {
            read.add(writer);
            return -1 - writer;
        }
        for (int k = 0; k < inputs.size(); k++) {
            if (inputs.get(k).isSame(view, shape)) {
                return k;
            }
        }
        inputs.add(view);
        return inputs.size() - 1;
    }

    /// {@return the loop, which stores the blocks that are needed and those that none of its launches reads: their
    /// kernels may refuse an element}
    FusedLaunch.Loop loop(List<Integer> places, Set<Integer> needed) {
        List<Call> calls = new ArrayList<>();
        for (int k = 0; k < launches.size(); k++) {
            Elementwise launch = launches.get(k);
            calls.add(new Call(
                    launch.kernel(),
                    launch.expression(),
                    arguments.get(k).stream().map(this::value).toList()));
        }
        List<BlockView> operands = new ArrayList<>(inputs);
        List<Output> outputs = new ArrayList<>();
        writers.forEach((block, writer) -> {
            if (needed.contains(block) || !read.contains(writer)) {
                BlockView view = launches.get(writer).output();
                operands.add(view);
                outputs.add(new Output(inputs.size() + writer, view.element()));
            }
        });
        List<Element> types = inputs.stream().map(BlockView::element).toList();
        return new FusedLaunch.Loop(places, new LoopProgram(precision, types, calls, outputs), operands, shape);
    }

    private int value(int argument) {
        return argument >= 0 ? argument : inputs.size() + -1 - argument;
    }
}
