package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;

/// What a module is made of, for one shape of input; see [Module#summary(long...)]. Printed, it is a table.
///
/// @param input the shape of the input
/// @param layers the layers in the order in which the input passes through them
/// @param parameters how many elements the parameters have, each counted once
/// @param parameterBytes how many bytes they take
/// @param activationBytes how many bytes the outputs of the layers take together
public record Summary(
        List<Long> input, List<Layer> layers, long parameters, long parameterBytes, long activationBytes) {
    /// One layer.
    ///
    /// @param path its path in the module
    /// @param module what it is, in one line
    /// @param output the shape of its output
    /// @param parameters how many elements its parameters have
    /// @param outputBytes how many bytes its output takes
    public record Layer(String path, String module, List<Long> output, long parameters, long outputBytes) {}

    /// Where the layers of a summary under way are noted.
    private static final ScopedValue<Notes> NOTES = ScopedValue.newInstance();

    private static final class Notes {
        private final List<Layer> layers = new ArrayList<>();
        private String path = "";
    }

    static Summary of(Module module, DType dtype, long... inputShape) {
        var notes = new Notes();
        try (var off = Autograd.noGradient()) {
            ScopedValue.where(NOTES, notes)
                    .run(() -> MemoryPlan.dryRun(() -> {
                        Tensor y = module.forward(Tensor.empty(dtype, inputShape));
                        if (!module.hasParts()) {
                            note(module, y);
                        }
                    }));
        }
        List<Tensor> parameters = module.parameters();
        return new Summary(
                list(inputShape),
                List.copyOf(notes.layers),
                parameters.stream().mapToLong(Tensor::size).sum(),
                parameters.stream().mapToLong(Summary::bytes).sum(),
                notes.layers.stream().mapToLong(Layer::outputBytes).sum());
    }

    static boolean underWay() {
        return NOTES.isBound();
    }

    /// Runs a part under its name.
    static Tensor within(String name, Supplier<Tensor> part) {
        if (!NOTES.isBound()) {
            return part.get();
        }
        Notes notes = NOTES.get();
        String outer = notes.path;
        notes.path = outer.isEmpty() || name.isEmpty() ? outer + name : outer + "." + name;
        try {
            return part.get();
        } finally {
            notes.path = outer;
        }
    }

    /// Notes the output of a layer; one that has parts is their sum and is not noted itself.
    static void note(Module layer, Tensor y) {
        if (NOTES.isBound() && !layer.hasParts()) {
            long parameters =
                    layer.parameters().stream().mapToLong(Tensor::size).sum();
            NOTES.get()
                    .layers
                    .add(new Layer(NOTES.get().path, layer.toString(), list(y.shape()), parameters, bytes(y)));
        }
    }

    private static List<Long> list(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    private static long bytes(Tensor tensor) {
        return tensor.size() * tensor.dtype().bytes();
    }

    /// The table.
    ///
    /// @return lines of path, layer, output shape, parameters and the output's bytes, then the totals
    @Override
    public String toString() {
        int path = widest(layers.stream().map(Layer::path).toList(), "path");
        int module = widest(layers.stream().map(Layer::module).toList(), "layer");
        int output =
                widest(layers.stream().map(layer -> layer.output.toString()).toList(), "output");
        String format = "%-" + path + "s  %-" + module + "s  %-" + output + "s  %14s  %16s%n";
        var text = new StringBuilder(
                String.format(Locale.ROOT, format, "path", "layer", "output", "parameters", "output bytes"));
        for (Layer layer : layers) {
            text.append(String.format(
                    Locale.ROOT,
                    format,
                    layer.path,
                    layer.module,
                    layer.output,
                    String.format(Locale.ROOT, "%,d", layer.parameters),
                    String.format(Locale.ROOT, "%,d", layer.outputBytes)));
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
