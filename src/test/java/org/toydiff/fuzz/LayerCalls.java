package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Checkpoint;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Embedding;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Residual;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.Adadelta;
import org.toydiff.optim.Adagrad;
import org.toydiff.optim.Adam;
import org.toydiff.optim.AdamW;
import org.toydiff.optim.Adamax;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.LARS;
import org.toydiff.optim.NAdam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.RAdam;
import org.toydiff.optim.RMSProp;
import org.toydiff.optim.SGD;

/// Calls of layers, losses and optimizers.
final class LayerCalls {
    private LayerCalls() {}

    static List<Row> rows() {
        return List.of(
                new Row("forward", 20, LayerCalls::forward),
                Row.of("Embedding", LayerCalls::embedding),
                new Row("Functional", 8, LayerCalls::function),
                new Row("loss", 8, LayerCalls::loss),
                Row.of("oneHot", LayerCalls::oneHot),
                new Row("layerNorm", 4, LayerCalls::layerNorm),
                Row.of("rmsNorm", LayerCalls::rmsNorm),
                Row.of("groupNorm", LayerCalls::groupNorm),
                new Row("step", 8, LayerCalls::step));
    }

    private static Held input(Machine m, Choice c) {
        Held found = c.coin() ? m.find(c, held -> held.dtype() == DType.FLOAT32 && held.size() <= 300) : null;
        return found != null ? found : m.fresh(c, DType.FLOAT32, c.shape(c.of(1, 2, 2, 2, 3, 3, 4)));
    }

    private record Kind(String text, Supplier<Layer> made) {}

    /// A layer for an input of that shape.
    private static Kind kind(Choice c, long[] shape) {
        long last = shape.length == 0 ? 1 : Math.max(1, shape[shape.length - 1]);
        long second = shape.length < 2 ? 1 : Math.max(1, shape[1]);
        long out = c.positive();
        return switch (c.below(8)) {
            case 0, 1 -> {
                boolean bias = !c.oneIn(4);
                yield new Kind(
                        "new Linear(" + last + ", " + out + ", " + bias + ")", () -> new Linear(last, out, bias));
            }
            case 2 -> new Kind("new LayerNorm(" + last + ")", () -> new LayerNorm(last));
            case 3 -> new Kind("new BatchNorm1d(" + second + ")", () -> new BatchNorm1d(second));
            case 4 -> new Kind("new Dropout(0.3)", () -> new Dropout(0.3));
            case 5 ->
                new Kind(
                        "new Residual(new Linear(" + last + ", " + last + "))",
                        () -> new Residual(new Linear(last, last)));
            case 6 ->
                new Kind(
                        "Checkpoint.of(new Sequential(new Linear(" + last + ", " + out + "), new Tanh()))",
                        () -> Checkpoint.of(new Sequential(new Linear(last, out), new Tanh())));
            default ->
                new Kind(
                        "new Sequential(new Linear(" + last + ", " + out + "), new ReLU(), new Linear(" + out + ", "
                                + last + "))",
                        () -> new Sequential(new Linear(last, out), new ReLU(), new Linear(out, last)));
        };
    }

    private static void forward(Machine m, Choice c) {
        Held x = input(m, c);
        Kind kind = kind(c, x.shape());
        Layer[] made = new Layer[1];
        if (!new Attempt(m, c, "Layer layer = " + kind.text).runs(() -> made[0] = kind.made.get())) {
            return;
        }
        Layer layer = made[0];
        if (c.oneIn(4)) {
            m.say("layer.eval();");
            layer.eval();
        }
        Set<Held> parameters = new HashSet<>();
        for (Tensor parameter : layer.parameters()) {
            parameters.add(Held.parameter(parameter, m.innermost()));
        }
        // Axes that a layer does not take, of rank or size, are its own to refuse.
        new Attempt(m, c, "layer.forward(" + x + ")")
                .reads(x)
                .reads(parameters)
                .mayRefuse()
                .gives(() -> layer.forward(x.tensor));
        m.verify();
    }

    private static void embedding(Machine m, Choice c) {
        int count = 1 + c.below(4);
        long[] shape = c.shape(c.below(3));
        double[] index = new double[(int) Dense.size(shape)];
        boolean beyond = c.oneIn(15);
        Arrays.setAll(index, i -> c.below(count + (beyond ? 1 : 0)));
        Held x = m.of(c, c.of(DType.INT32, DType.INT64), index, shape);
        long dimension = c.positive();
        new Attempt(m, c, "new Embedding(" + count + ", " + dimension + ").forward(" + x + ")")
                .expects(() -> {
                    for (double i : index) {
                        Dense.require(i < count);
                    }
                    return null;
                })
                .reads(x)
                .reads(Set.of(Held.parameter(x.tensor, m.innermost())))
                .gives(() -> new Embedding(count, dimension).forward(x.tensor));
    }

    private static void function(Machine m, Choice c) {
        Held x = m.floating(c);
        int kind = c.below(9);
        String[] names = {"silu", "gelu", "geluTanh", "leakyRelu", "softplus", "softmin", "elu", "hardswish", "mish"};
        List<UnaryOperator<Tensor>> functions = List.of(
                Functional::silu,
                Functional::gelu,
                Functional::geluTanh,
                v -> Functional.leakyRelu(v, 0.1),
                v -> Functional.softplus(v, 2, 20),
                v -> Functional.softmin(v, -1),
                v -> Functional.elu(v, 0.7),
                Functional::hardswish,
                Functional::mish);
        ElementCalls.attempt(m, c, "Functional." + names[kind] + "(" + x + ")", x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    Dense.require(kind != 5 || x.rank() > 0);
                    return null;
                })
                .gives(() -> functions.get(kind).apply(x.tensor));
    }

    private static void oneHot(Machine m, Choice c) {
        Held x = m.fresh(c, c.of(DType.INT32, DType.INT64, DType.FLOAT32), c.shape());
        int classes = c.below(8);
        boolean counted = c.oneIn(3);
        new Attempt(m, c, "Functional.oneHot(" + x + (counted ? "" : ", " + classes) + ")")
                .reads(x)
                .expects(() -> {
                    double[] index = x.known.values();
                    double largest = Arrays.stream(index).max().orElse(-1);
                    Dense.require(!x.isFloating() && Arrays.stream(index).allMatch(i -> i >= 0));
                    Dense.require(counted ? index.length > 0 : largest < classes && classes > 0);
                    long[] shape = Arrays.copyOf(x.shape(), x.rank() + 1);
                    shape[x.rank()] = counted ? (long) largest + 1 : classes;
                    return Dense.build(shape, at -> x.known.at(Arrays.copyOf(at, x.rank())) == at[x.rank()] ? 1 : 0);
                })
                .gives(() -> counted ? Functional.oneHot(x.tensor) : Functional.oneHot(x.tensor, classes));
    }

    private static void loss(Machine m, Choice c) {
        Held x = m.floating(c, held -> held.size() > 0);
        Held target = c.oneIn(15) ? m.any(c) : m.fresh(c, x.dtype(), x.shape());
        int kind = c.below(5);
        String[] names = {"mseLoss", "maeLoss", "huberLoss", "binaryCrossEntropyWithLogits", "crossEntropyLoss"};
        List<BinaryOperator<Tensor>> losses = List.of(
                Functional::mseLoss,
                Functional::maeLoss,
                Functional::huberLoss,
                Functional::binaryCrossEntropyWithLogits,
                Functional::crossEntropyLoss);
        Attempt attempt =
                new Attempt(m, c, "Functional." + names[kind] + "(" + x + ", " + target + ")").reads(x, target);
        if (kind == 4) {
            attempt.mayRefuse();
        } else {
            attempt.expects(() -> {
                ElementCalls.requireFloating(x, target);
                Dense.require(Arrays.equals(x.shape(), target.shape()));
                return null;
            });
        }
        attempt.gives(() -> losses.get(kind).apply(x.tensor, target.tensor));
    }

    private static void layerNorm(Machine m, Choice c) {
        Held x = m.floating(c, held -> held.rank() > 0);
        long[] normalized = Arrays.copyOfRange(x.shape(), Math.max(0, x.rank() - 1 - c.below(2)), x.rank());
        Held weight = m.fresh(c, x.dtype(), normalized);
        Held bias = m.fresh(c, x.dtype(), normalized);
        new Attempt(m, c, "Functional.layerNorm(" + x + ", " + weight + ", " + bias + ", 0.1)")
                .reads(x, weight, bias)
                .mayRefuse()
                .gives(() -> Functional.layerNorm(x.tensor, weight.tensor, bias.tensor, 0.1));
    }

    private static void rmsNorm(Machine m, Choice c) {
        Held x = m.floating(c, held -> held.rank() > 0);
        Held weight = m.fresh(c, x.dtype(), Arrays.copyOfRange(x.shape(), Math.max(0, x.rank() - 1), x.rank()));
        new Attempt(m, c, x + ".rmsNorm(" + weight + ", 0.1)")
                .reads(x, weight)
                .mayRefuse()
                .gives(() -> x.tensor.rmsNorm(weight.tensor, 0.1));
    }

    private static void groupNorm(Machine m, Choice c) {
        Held x = m.floating(c, held -> held.rank() > 1);
        long channels = x.rank() > 1 ? x.shape()[1] : 1;
        Held weight = m.fresh(c, x.dtype(), channels);
        Held bias = m.fresh(c, x.dtype(), channels);
        long groups = c.coin() ? 1 : c.below(3);
        new Attempt(m, c, x + ".groupNorm(" + groups + ", " + weight + ", " + bias + ", 0.1)")
                .reads(x, weight, bias)
                .mayRefuse()
                .gives(() -> x.tensor.groupNorm(groups, weight.tensor, bias.tensor, 0.1));
    }

    private static Optimizer optimizer(int kind, List<Tensor> parameters) {
        return switch (kind) {
            case 0 -> new SGD(parameters, 0.1);
            case 1 -> new SGD(parameters, 0.1, 0.9).weightDecay(0.01).nesterov();
            case 2 -> new Adam(parameters, 0.1);
            case 3 -> new AdamW(parameters, 0.1);
            case 4 -> new RMSProp(parameters, 0.1);
            case 5 -> new Adagrad(parameters, 0.1);
            case 6 -> new LARS(parameters, 0.1);
            case 7 -> new NAdam(parameters, 0.1).maximize();
            case 8 -> new RAdam(parameters, 0.1);
            case 9 -> new Adamax(parameters, 0.1);
            case 10 -> new Adadelta(parameters, 0.1);
            case 11 -> new RMSProp(parameters, 0.1).centered().momentum(0.9);
            case 12 -> new Adam(parameters, 0.1).amsgrad();
            default -> new LAMB(parameters, 0.1);
        };
    }

    /// An optimizer made for one leaf, and a step or two of it.
    private static void step(Machine m, Choice c) {
        Held leaf = m.find(c, Held::isLeaf);
        if (leaf == null) {
            return;
        }
        int kind = c.below(14);
        String[] names = {
            "SGD",
            "SGD",
            "Adam",
            "AdamW",
            "RMSProp",
            "Adagrad",
            "LARS",
            "NAdam",
            "RAdam",
            "Adamax",
            "Adadelta",
            "RMSProp",
            "Adam",
            "LAMB"
        };
        int steps = 1 + c.below(2);
        Attempt attempt = new Attempt(m, c, "new " + names[kind] + "(List.of(" + leaf + "), 0.1).step()")
                .mustFail(() -> leaf.tensor.hasGradient() && !leaf.takesGradient())
                .mayRefuse();
        // Without a gradient there is nothing to do, and what it would be done to need not be looked at.
        (leaf.tensor.hasGradient() ? attempt : attempt.mayFail()).runs(() -> {
            Optimizer optimizer = optimizer(kind, List.of(leaf.tensor));
            for (int i = 0; i < steps; i++) {
                optimizer.step();
            }
        });
        m.read(held -> held.block == leaf.block);
        m.verify();
    }
}
