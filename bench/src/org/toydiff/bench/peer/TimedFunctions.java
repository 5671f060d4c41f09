package org.toydiff.bench.peer;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.nn.Functional;
import org.toydiff.nn.GELU;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Residual;

/// The functions that are timed, by name: small ops, training steps of linear layers, and blocks whose limit is the
/// bandwidth of memory. The size of a training step is its batch, that of the others a number of elements.
///
/// `bench/peers/torch_programs.py` and `bench/peers/jax_programs.py` have the same functions.
final class TimedFunctions {
    private static final int BLOCK_WIDTH = 1024;

    private static final Map<String, TimedFunction.Definition> BY_NAME = Map.ofEntries(
            Map.entry("add", n -> TimedFunction.of(TimedFunction.inputs(n), TimedFunction.inputs(n), Tensor::add)),
            Map.entry(
                    "gelu-add",
                    n -> TimedFunction.of(
                            TimedFunction.inputs(n), TimedFunction.inputs(n), (a, b) -> Functional.gelu(a.add(b)))),
            Map.entry("classifier", rows -> classifier(rows, StartingNumbers.STEP_WIDTHS)),
            Map.entry("softmax-regression", rows -> classifier(rows, 784, 10)),
            Map.entry("logistic-regression", TimedFunctions::logisticRegression),
            Map.entry("gelu-mlp", TimedFunctions::geluMlp),
            Map.entry("gelu-forward", n -> forward(TimedFunctions::gelu, n)),
            Map.entry("gelu", n -> forwardAndBackward(TimedFunctions::gelu, List.of(), n)),
            Map.entry("softmax-forward", n -> forward(x -> x.softmax(1), n)),
            Map.entry("softmax", n -> forwardAndBackward(x -> x.softmax(1), List.of(), n)),
            Map.entry("layernorm-forward", n -> forward(layerNorm()::forward, n)),
            Map.entry("layernorm", TimedFunctions::layerNormForwardAndBackward));

    private TimedFunctions() {}

    /// Creates a function and its operands in the innermost arena.
    ///
    /// @throws IllegalArgumentException if there is none of that name
    static TimedFunction create(String name, int size) {
        TimedFunction.Definition definition =
                BY_NAME.containsKey(name) ? BY_NAME.get(name) : LayerFunctions.BY_NAME.get(name);
        if (definition == null) {
            throw new IllegalArgumentException(
                    name + " is not one of " + BY_NAME.keySet() + " and " + LayerFunctions.BY_NAME.keySet());
        }
        return definition.of(size);
    }

    static Set<String> names() {
        return BY_NAME.keySet();
    }

    private static TimedFunction classifier(int rows, int... widths) {
        Tensor labels = Tensor.empty(DType.INT32, rows);
        StartingNumbers.writeLabels(labels.segment(), rows);
        return training(
                ToydiffTraining.net(ReLU::new, widths),
                TimedFunction.inputs(rows, widths[0]),
                labels,
                (logits, wanted) -> Functional.crossEntropyLoss(logits, wanted));
    }

    private static TimedFunction logisticRegression(int rows) {
        return training(
                ToydiffTraining.net(ReLU::new, 10, 1),
                TimedFunction.inputs(rows, 10),
                TimedFunction.inputs(rows, 1).round(),
                (logits, wanted) -> Functional.binaryCrossEntropyWithLogits(logits, wanted));
    }

    private static TimedFunction geluMlp(int rows) {
        int width = BLOCK_WIDTH / 4;
        return training(
                ToydiffTraining.net(GELU::new, width, BLOCK_WIDTH, width),
                TimedFunction.inputs(rows, width),
                TimedFunction.inputs(rows, width),
                (output, wanted) -> Functional.mseLoss(output, wanted));
    }

    private static TimedFunction training(Layer net, Tensor x, Tensor target, BinaryOperator<Tensor> loss) {
        return TimedFunction.training(
                net.parameters(), x, target, (input, wanted) -> loss.apply(net.forward(input), wanted));
    }

    private static Tensor gelu(Tensor x) {
        return Functional.gelu(x.multiply(1.5).add(-0.25));
    }

    private static Layer layerNorm() {
        return new Residual(new LayerNorm(BLOCK_WIDTH));
    }

    private static TimedFunction layerNormForwardAndBackward(int elements) {
        Layer layer = layerNorm();
        return forwardAndBackward(layer::forward, layer.parameters(), elements);
    }

    private static TimedFunction forward(UnaryOperator<Tensor> block, int elements) {
        Tensor x = TimedFunction.inputs(elements / BLOCK_WIDTH, BLOCK_WIDTH);
        return TimedFunction.of(x, x, (input, unused) -> {
            try (var off = Autograd.noGradient()) {
                return block.apply(input);
            }
        });
    }

    private static TimedFunction forwardAndBackward(
            UnaryOperator<Tensor> block, List<Tensor> parameters, int elements) {
        Tensor x = TimedFunction.inputs(elements / BLOCK_WIDTH, BLOCK_WIDTH);
        Tensor gradient = TimedFunction.inputs(elements / BLOCK_WIDTH, BLOCK_WIDTH);
        return TimedFunction.block(block, parameters, x, gradient);
    }
}
