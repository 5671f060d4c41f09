package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.LoopProgram.Call;
import org.toydiff.internal.fusion.LoopProgram.Constant;
import org.toydiff.internal.fusion.LoopProgram.Output;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.kernels.Element;

/// Makes the program of a loop from launches of one shape that write and read the elements of a block at the same
/// places.
final class LoopBuilder {
    private final Precision precision;
    private final long[] shape;
    private final List<BlockView> inputs = new ArrayList<>();
    private final List<Constant> constants = new ArrayList<>();

    /// The launches, with the arguments of each.
    private final List<Elementwise> launches = new ArrayList<>();

    private final List<List<Argument>> arguments = new ArrayList<>();

    /// The kinds of values, in the order in which a program numbers them.
    enum Kind {
        INPUT,
        CONSTANT,
        RESULT
    }

    /// The value with that number among those of its kind.
    record Argument(Kind kind, int number) {}

    /// The launch that wrote a block last.
    private final Map<Integer, Integer> writers = new LinkedHashMap<>();

    /// The launches whose result a later one reads.
    private final Set<Integer> read = new HashSet<>();

    LoopBuilder(Precision precision, long[] shape) {
        this.precision = precision;
        this.shape = shape;
    }

    void add(Elementwise launch) {
        arguments.add(arguments(launch));
        writers.put(launch.output().block(), launches.size());
        launches.add(launch);
    }

    private List<Argument> arguments(Elementwise launch) {
        List<Argument> all = new ArrayList<>();
        Iterator<BlockView> views = launch.inputs().iterator();
        for (int operand = 0; operand < launch.operandCount(); operand++) {
            Constant constant = launch.constants().get(operand);
            all.add(constant == null ? argument(views.next()) : argument(constant));
        }
        return all;
    }

    private Argument argument(Constant constant) {
        for (int k = 0; k < constants.size(); k++) {
            // Expressions have no equality; the text of a number is exact.
            if (constants.get(k).text().equals(constant.text())) {
                return new Argument(Kind.CONSTANT, k);
            }
        }
        constants.add(constant);
        return new Argument(Kind.CONSTANT, constants.size() - 1);
    }

    private Argument argument(BlockView view) {
        Integer writer = writers.get(view.block());
        if (writer != null) {
            read.add(writer);
            return new Argument(Kind.RESULT, writer);
        }
        return read(view);
    }

    /// Adds an operand that is read, unless it is there.
    Argument read(BlockView view) {
        for (int k = 0; k < inputs.size(); k++) {
            if (inputs.get(k).isSame(view, shape)) {
                return new Argument(Kind.INPUT, k);
            }
        }
        inputs.add(view);
        return new Argument(Kind.INPUT, inputs.size() - 1);
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
                outputs.add(new Output(value(new Argument(Kind.RESULT, writer)), view.element()));
            }
        });
        List<Element> types = inputs.stream().map(BlockView::element).toList();
        var program = new LoopProgram(precision, types, List.copyOf(constants), calls, outputs);
        return new FusedLaunch.Loop(places, program, operands, shape);
    }

    private int value(Argument argument) {
        int first =
                switch (argument.kind) {
                    case INPUT -> 0;
                    case CONSTANT -> inputs.size();
                    case RESULT -> inputs.size() + constants.size();
                };
        return first + argument.number;
    }
}
