package org.toydiff.child;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.toydiff.ActivationOps;
import org.toydiff.DType;
import org.toydiff.DivisionOps;
import org.toydiff.ElementwiseOps;
import org.toydiff.ExponentialOps;
import org.toydiff.Release;
import org.toydiff.RoundingOps;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.TrigonometricOps;
import org.toydiff.io.CheckpointFile;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.CrossEntropyLoss;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
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

/// Trains a model of each dtype in which every elementwise function, norm, reduction and loss of the library occurs,
/// and prints checksums of the bits of its parameters and buffers and of the state of its optimizers. Each optimizer
/// updates a layer of its own, and every number depends on all of them.
public final class EveryFunction {
    private static final List<Class<?>> FUNCTIONS = List.of(
            ActivationOps.class,
            ElementwiseOps.class,
            ExponentialOps.class,
            TrigonometricOps.class,
            RoundingOps.class,
            DivisionOps.class);

    private static final int STEPS = 8;

    private static final int BATCH = 32;

    private static final int WIDTH = 24;
    private static final int CLASSES = 10;

    private static final Map<String, BiFunction<List<Tensor>, Double, Optimizer>> OPTIMIZERS = new LinkedHashMap<>();

    static {
        OPTIMIZERS.put("sgd", SGD::new);
        OPTIMIZERS.put("nesterov", (p, lr) -> new SGD(p, lr, 0.9).nesterov().weightDecay(1e-3));
        OPTIMIZERS.put("adam", Adam::new);
        OPTIMIZERS.put("adamw", AdamW::new);
        OPTIMIZERS.put("lamb", LAMB::new);
        OPTIMIZERS.put("lars", LARS::new);
        OPTIMIZERS.put("rmsprop", (p, lr) -> new RMSProp(p, lr).momentum(0.9));
        OPTIMIZERS.put("adagrad", Adagrad::new);
        OPTIMIZERS.put("centered", (p, lr) -> new RMSProp(p, lr).centered().momentum(0.9));
        OPTIMIZERS.put("amsgrad", (p, lr) -> new Adam(p, lr).amsgrad());
        OPTIMIZERS.put("nadam", NAdam::new);
        OPTIMIZERS.put("radam", RAdam::new);
        OPTIMIZERS.put("adamax", Adamax::new);
        OPTIMIZERS.put("adadelta", Adadelta::new);
    }

    private EveryFunction() {}

    /// Runs both trainings: `whole`, `first FOLDER`, which stops them at half and saves them, or `second FOLDER`,
    /// which loads them and goes on.
    public static void main(String[] arguments) throws IOException {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            Path file = arguments.length == 1 ? null : Path.of(arguments[1], dtype + ".safetensors");
            run(arguments[0], file, dtype);
        }
    }

    private static void run(String phase, Path file, DType dtype) throws IOException {
        try (var arena = TensorArena.ofConfined()) {
            // A training that goes on takes all it needs from its file.
            Tensor.manualSeed(phase.equals("second") ? 2 : 1);
            var model = new Model(dtype);
            Map<String, Optimizer> optimizers = new LinkedHashMap<>();
            OPTIMIZERS.forEach((name, maker) ->
                    optimizers.put(name, maker.apply(model.inputs.get(name).parameters(), 1e-3)));
            optimizers.put("rest", new SGD(model.others(), 1e-3, 0.9));
            Map<String, Stateful> parts = new LinkedHashMap<>(optimizers);
            parts.put("model", model);
            int from = phase.equals("second")
                    ? (int) CheckpointFile.load(file, parts).step()
                    : 0;
            int to = phase.equals("first") ? STEPS / 2 : STEPS;
            for (int step = from; step < to; step++) {
                train(model, optimizers.values(), dtype, step);
            }
            if (phase.equals("first")) {
                CheckpointFile.save(file, parts, new CheckpointFile.Progress(0, to));
            } else {
                parts.forEach((name, part) -> System.out.println(name + " " + dtype + " " + checksum(part)));
            }
        }
    }

    private static void train(Model model, Collection<Optimizer> optimizers, DType dtype, int step) {
        try (var arena = TensorArena.ofConfined()) {
            var random = new SplittableRandom(step);
            Tensor x = Tensor.of(dtype, random.doubles(BATCH * WIDTH, -2, 2).toArray(), BATCH, WIDTH);
            Tensor target = Tensor.of(dtype, random.doubles(BATCH * CLASSES).toArray(), BATCH, CLASSES);
            Tensor labels = Tensor.of(random.ints(BATCH, 0, CLASSES).toArray());
            loss(model.forward(x), target, labels).backward(Release.EAGER);
            optimizers.forEach(Optimizer::step);
            optimizers.forEach(Optimizer::zeroGradients);
        }
    }

    private static Tensor loss(Tensor logits, Tensor target, Tensor labels) {
        Tensor weight = Tensor.arange(logits.dtype(), 1, 1 + CLASSES, 1);
        return Functional.crossEntropyLoss(logits, labels)
                .add(Functional.crossEntropyLoss(logits, target))
                .add(new CrossEntropyLoss().weight(weight).labelSmoothing(0.1).forward(logits, labels))
                .add(Functional.nllLoss(logits.logSoftmax(1), labels))
                .add(Functional.mseLoss(logits, target))
                .add(Functional.maeLoss(logits, target))
                .add(Functional.huberLoss(logits, target))
                .add(Functional.binaryCrossEntropyWithLogits(logits, target));
    }

    private static String checksum(Stateful part) {
        var checksum = new CRC32C();
        for (Tensor tensor : part.stateDict().values()) {
            for (double value : tensor.toDoubleArray()) {
                if (!Double.isFinite(value)) {
                    throw new AssertionError("a training whose numbers are not finite says nothing");
                }
                checksum.update(ByteBuffer.allocate(Double.BYTES).putDouble(0, value));
            }
        }
        return Long.toHexString(checksum.getValue());
    }

    /// A sum of linear layers, one for each optimizer, and another layer, with norms, dropout and all functions
    /// between them.
    private static final class Model extends Layer {
        private final Map<String, Linear> inputs = new LinkedHashMap<>();
        private final BatchNorm1d batchNorm;
        private final LayerNorm layerNorm;
        private final Dropout dropout = child("dropout", new Dropout(0.2));
        private final Linear last;

        Model(DType dtype) {
            for (String optimizer : OPTIMIZERS.keySet()) {
                inputs.put(optimizer, child(optimizer, new Linear(dtype, WIDTH, WIDTH)));
            }
            batchNorm = child("batchNorm", new BatchNorm1d(dtype, WIDTH));
            layerNorm = child("layerNorm", new LayerNorm(dtype, WIDTH));
            last = child("last", new Linear(dtype, WIDTH, CLASSES));
        }

        /// The parameters that are not those of [#inputs].
        List<Tensor> others() {
            return Stream.of(batchNorm, layerNorm, last)
                    .flatMap(layer -> layer.parameters().stream())
                    .toList();
        }

        @Override
        protected Tensor compute(Tensor x) {
            Tensor sum = x;
            for (Linear input : inputs.values()) {
                sum = sum.add(input.forward(x));
            }
            Tensor h = layerNorm.forward(batchNorm.forward(sum));
            Tensor small = dropout.forward(h.tanh());
            return last.forward(reductions(activations(functions(small), h), h));
        }

        private static Tensor functions(Tensor small) {
            // In [1/4, 3/4], where most functions are defined.
            Tensor sine = small.sin();
            Tensor inside = sine.multiply(sine).multiply(0.5).add(0.25);
            Tensor other = sine.multiply(0.25).add(0.5);
            Tensor sum = small;
            for (Method function : elementwiseOps(0)) {
                Tensor half = call(function, Tensor.full(inside.dtype(), 0.5));
                if (half.dtype() == sum.dtype()) {
                    // Those not defined there are defined above 1.
                    Tensor x = Double.isFinite(half.item()) ? inside : inside.add(1);
                    sum = sum.add(call(function, x).multiply(0.1));
                }
            }
            for (Method function : elementwiseOps(1)) {
                if (call(function, Tensor.ones(inside.dtype()), Tensor.ones(inside.dtype()))
                                .dtype()
                        == sum.dtype()) {
                    sum = sum.add(call(function, inside, other).multiply(0.1));
                }
            }
            return sum.add(inside.power(1.5)).add(small.clamp(-0.5, 0.5));
        }

        private static Tensor activations(Tensor sum, Tensor h) {
            return sum.add(Functional.gelu(h))
                    .add(Functional.geluTanh(h))
                    .add(Functional.silu(h))
                    .add(Functional.elu(h, 0.7))
                    .add(Functional.hardswish(h))
                    .add(Functional.mish(h))
                    .add(Functional.leakyRelu(h, 0.1))
                    .add(Functional.softplus(h, 1, 20))
                    .add(h.relu())
                    .add(h.softmax(1))
                    .add(h.logSoftmax(1).multiply(0.1))
                    .add(Functional.softmin(h, 0));
        }

        private static Tensor reductions(Tensor sum, Tensor h) {
            return sum.add(h.mean(0, true))
                    .add(h.max(1, true))
                    .add(h.min(0, true))
                    .add(h.var(1, true, 0))
                    .add(h.std(1, true))
                    .add(h.norm(2, 1, true))
                    .add(h.logSumExp(1, true))
                    .add(h.sum().multiply(1e-3));
        }
    }

    /// The public elementwise ops of this tensor and so many others.
    private static List<Method> elementwiseOps(int others) {
        return FUNCTIONS.stream()
                .flatMap(type -> Arrays.stream(type.getMethods()))
                .filter(method -> method.getReturnType() == Tensor.class)
                .filter(method -> method.getParameterCount() == others)
                .filter(method -> others == 0 || method.getParameterTypes()[0] == Tensor.class)
                .sorted(Comparator.comparing(Method::getName))
                .toList();
    }

    private static Tensor call(Method function, Tensor x, Object... others) {
        try {
            return (Tensor) function.invoke(x, others);
        } catch (InvocationTargetException e) {
            throw new AssertionError(function.getName(), e.getCause());
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
