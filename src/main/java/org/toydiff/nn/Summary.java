package org.toydiff.nn;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;

/// The layers that inputs of given shapes pass through; see [Layer#summary(long...)]. Prints as a table.
///
/// Each call of a layer that computes something itself is a row, after the rows of the layers that it calls: `x +
/// layer(x)` of [Residual], for instance. A layer that only passes its input through others, such as [Sequential],
/// has none.
///
/// Each parameter of the summarised layer counts in exactly one row, that of the first call that may have used it: a
/// layer that is called twice has two rows, the second without parameters.
///
/// @param inputs the shape of each input
/// @param layers the rows
/// @param parameters the number of elements of all parameters, each counted once: the sum over the rows
/// @param parameterBytes the bytes of the parameters
/// @param activationBytes the bytes of all outputs together: the sum over the rows
public record Summary(
        List<List<Long>> inputs, List<Row> layers, long parameters, long parameterBytes, long activationBytes) {
    /// One call of a layer.
    ///
    /// @param path its path in the summarised layer; a layer that is not registered there has its class's name in
    ///     parentheses, after the path of its caller, and its parameters do not count
    /// @param layer its description in one line
    /// @param output the shape of its output
    /// @param parameters the number of elements of its parameters that no earlier row counts
    /// @param outputBytes the bytes of its output, 0 if it is the output of another row
    public record Row(String path, String layer, List<Long> output, long parameters, long outputBytes) {}

    /// Receives the calls of the summary that is being made on this thread.
    private static final ScopedValue<SummaryCalls> CALLS = ScopedValue.newInstance();

    static Summary of(Layer layer, DType dtype, long... inputShape) {
        return of(layer, List.of(list(inputShape)), calls -> layer.forward(Tensor.empty(dtype, inputShape)));
    }

    /// The summary of a call that is no `forward`.
    static Summary of(Layer layer, Function<List<Tensor>, Tensor> call, List<Tensor> inputs) {
        List<List<Long>> shapes = inputs.stream().map(x -> list(x.shape())).toList();
        return of(layer, shapes, calls -> {
            List<Tensor> operands =
                    inputs.stream().map(x -> Tensor.empty(x.dtype(), x.shape())).toList();
            calls.record(layer, operands, () -> call.apply(operands));
        });
    }

    private static Summary of(Layer layer, List<List<Long>> inputs, Consumer<SummaryCalls> call) {
        List<Tensor> parameters = layer.parameters();
        var calls = new SummaryCalls(layer, parameters);
        try (var off = Autograd.noGradient()) {
            ScopedValue.where(CALLS, calls).run(() -> MemoryPlan.dryRun(() -> call.accept(calls)));
        }
        List<Row> rows = List.copyOf(calls.rows());
        return new Summary(
                inputs,
                rows,
                parameters.stream().mapToLong(Tensor::size).sum(),
                parameters.stream().mapToLong(Summary::bytes).sum(),
                rows.stream().mapToLong(Row::outputBytes).sum());
    }

    static boolean isRecording() {
        return CALLS.isBound();
    }

    /// Computes the output of a layer and records the call.
    static Tensor record(Layer layer, Tensor x) {
        return CALLS.get().record(layer, List.of(x), () -> layer.compute(x));
    }

    static List<Long> list(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    static long bytes(Tensor tensor) {
        return tensor.size() * tensor.dtype().bytes();
    }

    /// Returns the table.
    ///
    /// @return one line each of path, layer, output shape, parameters and output bytes, followed by the totals
    @Override
    public String toString() {
        int path = widest(layers.stream().map(Row::path).toList(), "path");
        int layer = widest(layers.stream().map(Row::layer).toList(), "layer");
        int output = widest(layers.stream().map(row -> row.output.toString()).toList(), "output");
        String format = "%-" + path + "s  %-" + layer + "s  %-" + output + "s  %14s  %16s%n";
        var text = new StringBuilder(
                String.format(Locale.ROOT, format, "path", "layer", "output", "parameters", "output bytes"));
        for (Row row : layers) {
            text.append(String.format(
                    Locale.ROOT,
                    format,
                    row.path,
                    row.layer,
                    row.output,
                    String.format(Locale.ROOT, "%,d", row.parameters),
                    String.format(Locale.ROOT, "%,d", row.outputBytes)));
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "parameters: %,d in %,d bytes; outputs: %,d bytes for %s %s%n",
                        parameters,
                        parameterBytes,
                        activationBytes,
                        inputs.size() == 1 ? "an input" : "inputs",
                        inputs.stream().map(List::toString).collect(Collectors.joining(" and "))))
                .toString();
    }

    private static int widest(List<String> cells, String head) {
        return Math.max(
                head.length(), cells.stream().mapToInt(String::length).max().orElse(0));
    }
}
