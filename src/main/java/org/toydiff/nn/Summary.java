package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;

/// The layers that an input of a given shape passes through; see [Layer#summary(long...)]. Prints as a table.
///
/// @param input the shape of the input
/// @param layers a row for each layer without children, in the order in which the input passes through them
/// @param parameters the number of elements of all parameters, each counted once
/// @param parameterBytes the bytes of the parameters
/// @param activationBytes the bytes of the outputs of all layers together
public record Summary(List<Long> input, List<Row> layers, long parameters, long parameterBytes, long activationBytes) {
    /// One layer.
    ///
    /// @param path its path in the summarised layer
    /// @param layer its description in one line
    /// @param output the shape of its output
    /// @param parameters the number of elements of its parameters
    /// @param outputBytes the bytes of its output
    public record Row(String path, String layer, List<Long> output, long parameters, long outputBytes) {}

    /// Receives the rows of the summary that is being made on this thread.
    private static final ScopedValue<Notes> NOTES = ScopedValue.newInstance();

    private static final class Notes {
        private final List<Row> rows = new ArrayList<>();
        private Layer layer;
        private String path = "";
    }

    static Summary of(Layer layer, DType dtype, long... inputShape) {
        var notes = new Notes();
        try (var off = Autograd.noGradient()) {
            ScopedValue.where(NOTES, notes)
                    .run(() -> MemoryPlan.dryRun(() -> layer.forward(Tensor.empty(dtype, inputShape))));
        }
        List<Tensor> parameters = layer.parameters();
        return new Summary(
                list(inputShape),
                List.copyOf(notes.rows),
                parameters.stream().mapToLong(Tensor::size).sum(),
                parameters.stream().mapToLong(Summary::bytes).sum(),
                notes.rows.stream().mapToLong(Row::outputBytes).sum());
    }

    static boolean isRecording() {
        return NOTES.isBound();
    }

    /// Computes the output of a layer and adds a row for it. A layer with children gets no row: theirs make it up.
    static Tensor record(Layer layer, Tensor x) {
        Notes notes = NOTES.get();
        Layer outer = notes.layer;
        String outerPath = notes.path;
        String name = outer == null ? null : outer.nameOf(layer);
        notes.layer = layer;
        notes.path = name == null ? outerPath : Layer.path(outerPath, name);
        try {
            Tensor y = layer.compute(x);
            if (!layer.hasChildren()) {
                long parameters =
                        layer.parameters().stream().mapToLong(Tensor::size).sum();
                notes.rows.add(new Row(notes.path, layer.toString(), list(y.shape()), parameters, bytes(y)));
            }
            return y;
        } finally {
            notes.layer = outer;
            notes.path = outerPath;
        }
    }

    private static List<Long> list(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    private static long bytes(Tensor tensor) {
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
                        "parameters: %,d in %,d bytes; outputs: %,d bytes for an input %s%n",
                        parameters,
                        parameterBytes,
                        activationBytes,
                        input))
                .toString();
    }

    private static int widest(List<String> cells, String head) {
        return Math.max(
                head.length(), cells.stream().mapToInt(String::length).max().orElse(0));
    }
}
