package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.AdaptiveAvgPool1d;
import org.toydiff.nn.AdaptiveAvgPool2d;
import org.toydiff.nn.AvgPool1d;
import org.toydiff.nn.AvgPool2d;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.BatchNorm2d;
import org.toydiff.nn.Checkpoint;
import org.toydiff.nn.Conv1d;
import org.toydiff.nn.Conv2d;
import org.toydiff.nn.ConvTranspose2d;
import org.toydiff.nn.CrossEntropyLoss;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Dropout1d;
import org.toydiff.nn.Dropout2d;
import org.toydiff.nn.ELU;
import org.toydiff.nn.Embedding;
import org.toydiff.nn.Flatten;
import org.toydiff.nn.Functional;
import org.toydiff.nn.GELU;
import org.toydiff.nn.GRU;
import org.toydiff.nn.GRUCell;
import org.toydiff.nn.GroupNorm;
import org.toydiff.nn.Hardswish;
import org.toydiff.nn.LSTM;
import org.toydiff.nn.LSTMCell;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.LeakyReLU;
import org.toydiff.nn.Linear;
import org.toydiff.nn.LogSoftmax;
import org.toydiff.nn.Loss;
import org.toydiff.nn.MaxPool1d;
import org.toydiff.nn.MaxPool2d;
import org.toydiff.nn.Mish;
import org.toydiff.nn.MultiheadAttention;
import org.toydiff.nn.PReLU;
import org.toydiff.nn.PositionalEncoding;
import org.toydiff.nn.RMSNorm;
import org.toydiff.nn.RNN;
import org.toydiff.nn.RNNCell;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.RecurrentOptions;
import org.toydiff.nn.Reduction;
import org.toydiff.nn.Residual;
import org.toydiff.nn.RotaryEmbedding;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.SiLU;
import org.toydiff.nn.Sigmoid;
import org.toydiff.nn.Softmax;
import org.toydiff.nn.Softplus;
import org.toydiff.nn.Tanh;
import org.toydiff.nn.TransformerEncoderLayer;
import org.toydiff.nn.Upsample;
import org.toydiff.optim.Adadelta;
import org.toydiff.optim.Adagrad;
import org.toydiff.optim.Adam;
import org.toydiff.optim.AdamW;
import org.toydiff.optim.Adamax;
import org.toydiff.optim.Gradients;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.LARS;
import org.toydiff.optim.NAdam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.RAdam;
import org.toydiff.optim.RMSProp;
import org.toydiff.optim.ReduceOnPlateau;
import org.toydiff.optim.SGD;
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;

/// A training that runs compiled steps ends with the bits of one that runs the same steps uncompiled, in losses,
/// parameters, buffers, optimizer state and random state: for each layer, loss, optimizer and schedule.
class CompiledTrainingTest {
    private static final int CLASSES = 4;
    private static final int WIDTH = 6;

    private static final Map<String, Function<DType, Layer>> LAYERS = new LinkedHashMap<>();
    private static final Map<String, Loss> LOSSES = new LinkedHashMap<>();
    private static final Map<String, Function<List<Tensor>, Optimizer>> OPTIMIZERS = new LinkedHashMap<>();
    private static final Map<String, Schedule> SCHEDULES = new LinkedHashMap<>();

    static {
        LAYERS.put("Linear", dtype -> new Linear(dtype, WIDTH, CLASSES));
        LAYERS.put("Sequential", dtype -> between(dtype, new Sequential(new ReLU(), new Tanh())));
        LAYERS.put("ReLU", dtype -> between(dtype, new ReLU()));
        LAYERS.put("Sigmoid", dtype -> between(dtype, new Sigmoid()));
        LAYERS.put("Tanh", dtype -> between(dtype, new Tanh()));
        LAYERS.put("SiLU", dtype -> between(dtype, new SiLU()));
        LAYERS.put("ELU", dtype -> between(dtype, new ELU(0.7)));
        LAYERS.put("Hardswish", dtype -> between(dtype, new Hardswish()));
        LAYERS.put("Mish", dtype -> between(dtype, new Mish()));
        LAYERS.put("GELU", dtype -> between(dtype, new GELU()));
        LAYERS.put("LeakyReLU", dtype -> between(dtype, new LeakyReLU()));
        LAYERS.put("Softplus", dtype -> between(dtype, new Softplus().beta(0.7)));
        LAYERS.put("Dropout", dtype -> between(dtype, new Dropout(0.4)));
        LAYERS.put("LayerNorm", dtype -> between(dtype, new LayerNorm(dtype, WIDTH)));
        LAYERS.put("BatchNorm1d", dtype -> between(dtype, new BatchNorm1d(dtype, WIDTH)));
        LAYERS.put("Residual", dtype -> between(dtype, new Residual(new Linear(dtype, WIDTH, WIDTH))));
        LAYERS.put(
                "Conv1d", dtype -> between(dtype, new Reshaped(new Conv1d(dtype, 2, 2, 3, 1, true).padding(1), 2, 3)));
        LAYERS.put(
                "Conv2d",
                dtype -> between(
                        dtype, new Reshaped(new Conv2d(dtype, 1, 1, new long[] {3, 3}, 1, true).padding(1), 1, 2, 3)));
        LAYERS.put(
                "ConvTranspose2d",
                dtype -> between(
                        dtype, new Reshaped(new ConvTranspose2d(dtype, 6, 1, new long[] {2, 3}, 1, true), 6, 1, 1)));
        LAYERS.put(
                "MultiheadAttention",
                dtype -> between(dtype, new Reshaped(new MultiheadAttention(dtype, 3, 1, 0.2, true, true), 2, 3)));
        LAYERS.put(
                "TransformerEncoderLayer",
                dtype -> between(
                        dtype,
                        new Reshaped(new TransformerEncoderLayer(dtype, 3, 1, 5, 0.2, null, 1e-5, true, false), 2, 3)));
        LAYERS.put(
                "PositionalEncoding", dtype -> between(dtype, new Reshaped(new PositionalEncoding(dtype, 2, 3), 3, 2)));
        LAYERS.put(
                "RotaryEmbedding",
                dtype -> between(dtype, new Reshaped(new RotaryEmbedding(dtype, 2, 3, 10, true), 3, 2)));
        var sequences =
                RecurrentOptions.DEFAULT.withBatchFirst(true).withDropout(0.2).withLayers(2);
        LAYERS.put(
                "RNN", dtype -> between(dtype, new Reshaped(new RNN(dtype, 3, 3, sequences, Activation.RELU), 2, 3)));
        LAYERS.put("LSTM", dtype -> between(dtype, new Reshaped(new LSTM(dtype, 3, 3, sequences), 2, 3)));
        LAYERS.put("GRU", dtype -> between(dtype, new Reshaped(new GRU(dtype, 3, 3, sequences), 2, 3)));
        LAYERS.put("RNNCell", dtype -> between(dtype, new RNNCell(dtype, WIDTH, WIDTH, true, Activation.TANH)));
        LAYERS.put("LSTMCell", dtype -> between(dtype, new LSTMCell(dtype, WIDTH, WIDTH, true)));
        LAYERS.put("GRUCell", dtype -> between(dtype, new GRUCell(dtype, WIDTH, WIDTH, true)));
        LAYERS.put("Flatten", dtype -> between(dtype, new Flatten()));
        LAYERS.put("BatchNorm2d", dtype -> between(dtype, new Reshaped(new BatchNorm2d(dtype, 1), 1, 2, 3)));
        LAYERS.put("GroupNorm", dtype -> between(dtype, new GroupNorm(dtype, 2, WIDTH)));
        LAYERS.put("RMSNorm", dtype -> between(dtype, new RMSNorm(dtype, WIDTH)));
        LAYERS.put("PReLU", dtype -> between(dtype, new PReLU(dtype, WIDTH)));
        LAYERS.put("Softmax", dtype -> between(dtype, new Softmax(1)));
        LAYERS.put("LogSoftmax", dtype -> between(dtype, new LogSoftmax(1)));
        LAYERS.put("Dropout1d", dtype -> between(dtype, new Dropout1d(0.3)));
        LAYERS.put("Dropout2d", dtype -> between(dtype, new Reshaped(new Dropout2d(0.3), 1, 2, 3)));
        LAYERS.put("MaxPool1d", dtype -> between(dtype, new MaxPool1d(3, 1, 1)));
        LAYERS.put("MaxPool2d", dtype -> between(dtype, new Reshaped(new MaxPool2d(3, 1, 1), 1, 2, 3)));
        LAYERS.put("AvgPool1d", dtype -> between(dtype, new AvgPool1d(3, 1, 1)));
        LAYERS.put("AvgPool2d", dtype -> between(dtype, new Reshaped(new AvgPool2d(3, 1, 1), 1, 2, 3)));
        LAYERS.put("AdaptiveAvgPool1d", dtype -> between(dtype, new AdaptiveAvgPool1d(WIDTH)));
        LAYERS.put("AdaptiveAvgPool2d", dtype -> between(dtype, new Reshaped(new AdaptiveAvgPool2d(2, 3), 1, 2, 3)));
        LAYERS.put("Upsample", dtype -> between(dtype, new Reshaped(new Upsample(new long[] {2, 3}), 1, 2, 3)));
        LAYERS.put(
                "Checkpoint",
                dtype -> between(dtype, Checkpoint.of(new Sequential(new Linear(dtype, WIDTH, WIDTH), new GELU()))));
        LAYERS.put(
                "Checkpoint of Dropout",
                dtype -> between(
                        dtype, Checkpoint.of(new Sequential(new Linear(dtype, WIDTH, WIDTH), new Dropout(0.4)))));
        LAYERS.put("Embedding", Embedded::new);

        LOSSES.put("crossEntropy", Functional::crossEntropyLoss);
        LOSSES.put("CrossEntropyLoss", (x, y) -> new CrossEntropyLoss()
                .weight(Tensor.of(x.dtype(), new double[] {1, 2, 1, 3}))
                .labelSmoothing(0.1)
                .ignoreIndex(2)
                .forward(x, y));
        LOSSES.put("nll", (x, y) -> Functional.nllLoss(x.logSoftmax(1), y));
        LOSSES.put("mse", (x, y) -> Functional.mseLoss(x, oneHot(x, y)));
        LOSSES.put("mae", (x, y) -> Functional.maeLoss(x, oneHot(x, y), Reduction.SUM));
        LOSSES.put("huber", (x, y) -> Functional.huberLoss(x, oneHot(x, y)));
        LOSSES.put("binaryCrossEntropy", (x, y) -> Functional.binaryCrossEntropyWithLogits(x, oneHot(x, y)));

        OPTIMIZERS.put("SGD", p -> new SGD(p, 0.1).weightDecay(0.01));
        OPTIMIZERS.put("SGD with Nesterov's momentum", p -> new SGD(p, 0.1, 0.9).nesterov());
        OPTIMIZERS.put("Adam", p -> new Adam(p, 0.01));
        OPTIMIZERS.put("AdamW", p -> new AdamW(p, 0.01).weightDecay(0.1));
        OPTIMIZERS.put("Adagrad", p -> new Adagrad(p, 0.1).lrDecay(0.1));
        OPTIMIZERS.put("RMSProp", p -> new RMSProp(p, 0.01).momentum(0.5));
        OPTIMIZERS.put("RMSProp centered", p -> new RMSProp(p, 0.01).centered().momentum(0.5));
        OPTIMIZERS.put("SGD ascending", p -> new SGD(p, 0.1, 0.9).dampening(0.1).maximize());
        OPTIMIZERS.put("Adam with AMSGrad", p -> new Adam(p, 0.01).amsgrad());
        OPTIMIZERS.put("NAdam", p -> new NAdam(p, 0.01));
        OPTIMIZERS.put("RAdam", p -> new RAdam(p, 0.01));
        OPTIMIZERS.put("Adamax", p -> new Adamax(p, 0.01));
        OPTIMIZERS.put("Adadelta", p -> new Adadelta(p, 1));
        OPTIMIZERS.put("LAMB", p -> new LAMB(p, 0.01));
        OPTIMIZERS.put("LARS", p -> new LARS(p, 0.1).momentum(0.9));

        SCHEDULES.put("cosine", Schedule.cosine(20, 0.001));
        SCHEDULES.put("warmUp", Schedule.warmUp(3, Schedule.step(2, 0.5)));
    }

    private static Layer between(DType dtype, Layer layer) {
        return new Sequential(new Linear(dtype, WIDTH, WIDTH), layer, new Linear(dtype, WIDTH, CLASSES));
    }

    /// Looks vectors up at positions that it computes from its input.
    private static final class Embedded extends Layer {
        private final Embedding embedding;
        private final Linear linear;

        Embedded(DType dtype) {
            embedding = child("embedding", new Embedding(dtype, WIDTH, 3));
            linear = child("linear", new Linear(dtype, 3, CLASSES));
        }

        @Override
        protected Tensor compute(Tensor x) {
            return linear.forward(embedding.forward(x.argmax(1)));
        }
    }

    /// A layer for inputs of more axes, between two of rows.
    private static final class Reshaped extends Layer {
        private final Layer layer;
        private final long[] shape;

        Reshaped(Layer layer, long... shape) {
            this.layer = child("layer", layer);
            this.shape = shape;
        }

        @Override
        protected Tensor compute(Tensor x) {
            long[] whole = LongStream.concat(LongStream.of(x.size(0)), LongStream.of(shape))
                    .toArray();
            return layer.forward(x.reshape(whole)).flatten(1, -1);
        }
    }

    private static Tensor oneHot(Tensor x, Tensor y) {
        return y.unsqueeze(1).equalTo(Tensor.arange(y.dtype(), 0, CLASSES, 1)).cast(x.dtype());
    }

    /// The parts of a training.
    private record Setup(
            DType dtype,
            Function<DType, Layer> layer,
            Loss loss,
            Function<List<Tensor>, Optimizer> optimizer,
            Schedule schedule,
            Release release) {
        Setup(DType dtype, Function<DType, Layer> layer) {
            this(dtype, layer, Functional::crossEntropyLoss, p -> new SGD(p, 0.1, 0.9), null, Release.EAGER);
        }

        Setup withLoss(Loss other) {
            return new Setup(dtype, layer, other, optimizer, schedule, release);
        }

        Setup withOptimizer(Function<List<Tensor>, Optimizer> other) {
            return new Setup(dtype, layer, loss, other, schedule, release);
        }

        Setup withSchedule(Schedule other) {
            return new Setup(dtype, layer, loss, optimizer, other, release);
        }

        Setup withRelease(Release other) {
            return new Setup(dtype, layer, loss, optimizer, schedule, other);
        }
    }

    private static Stream<DynamicTest> each(String name, Function<DType, Setup> setup) {
        return Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(name + " " + dtype, () -> requireSameBits(setup.apply(dtype))));
    }

    private static void requireSameBits(Setup setup) {
        List<String> eager = train(setup, false, 10);
        for (Release release : Release.values()) {
            assertEquals(eager, train(setup.withRelease(release), true, 10), release::toString);
        }
    }

    /// Returns all bits that a training leaves, over batches of two sizes.
    private static List<String> train(Setup setup, boolean compile, int steps) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.manualSeed(11);
            Layer net = setup.layer.apply(setup.dtype);
            List<Tensor> parameters = net.parameters();
            Optimizer optimizer = setup.optimizer.apply(parameters);
            Scheduler scheduler = setup.schedule == null ? null : new Scheduler(optimizer, setup.schedule);
            BinaryOperator<Tensor> step = (x, y) -> {
                optimizer.zeroGradients();
                Tensor loss = setup.loss.of(net.forward(x), y);
                loss.backward(setup.release);
                Gradients.clipNorm(parameters, 0.5);
                Gradients.clipValue(parameters, 0.3);
                optimizer.step();
                if (scheduler != null) {
                    scheduler.step();
                }
                return loss;
            };
            List<String> bits = new ArrayList<>();
            try (var compiled = CompiledFunction.of(step)) {
                for (int i = 0; i < steps; i++) {
                    try (var batch = TensorArena.ofConfined()) {
                        long n = i % 4 == 3 ? 3 : 5;
                        Tensor x = Tensor.randn(setup.dtype, n, WIDTH);
                        Tensor y = Tensor.randint(0, CLASSES, n);
                        bits.add(bits(compile ? compiled.run(x, y) : step.apply(x, y)));
                    }
                }
                assertEquals(compile ? Math.min(2, steps) : 0, compiled.recordings());
            }
            net.stateDict().forEach((name, tensor) -> bits.add(name + bits(tensor)));
            optimizer.stateDict().forEach((name, tensor) -> bits.add(name + bits(tensor)));
            if (scheduler != null) {
                scheduler.stateDict().forEach((name, tensor) -> bits.add(name + bits(tensor)));
            }
            parameters.forEach(parameter -> bits.add(bits(parameter.gradient())));
            bits.add(bits(Tensor.randomState()));
            return bits;
        }
    }

    private static String bits(Tensor t) {
        return t.dtype().isFloating()
                ? Arrays.toString(Arrays.stream(t.toDoubleArray())
                        .mapToLong(Double::doubleToRawLongBits)
                        .toArray())
                : Arrays.toString(t.toLongArray());
    }

    @TestFactory
    Stream<DynamicTest> layers() {
        return LAYERS.entrySet().stream()
                .flatMap(each -> each(each.getKey(), dtype -> new Setup(dtype, each.getValue())));
    }

    @TestFactory
    Stream<DynamicTest> losses() {
        return LOSSES.entrySet().stream()
                .flatMap(each ->
                        each(each.getKey(), dtype -> new Setup(dtype, LAYERS.get("GELU")).withLoss(each.getValue())));
    }

    @TestFactory
    Stream<DynamicTest> optimizers() {
        return OPTIMIZERS.entrySet().stream()
                .flatMap(each -> each(
                        each.getKey(), dtype -> new Setup(dtype, LAYERS.get("ReLU")).withOptimizer(each.getValue())));
    }

    @TestFactory
    Stream<DynamicTest> schedules() {
        return SCHEDULES.entrySet().stream()
                .flatMap(each -> each(
                        each.getKey(), dtype -> new Setup(dtype, LAYERS.get("ReLU")).withSchedule(each.getValue())));
    }

    @Test
    void aThousandRunsOnOneThreadAndOnFourLeaveTheSameBits() {
        Supplier<List<String>> compiled = () -> train(new Setup(DType.FLOAT32, LAYERS.get("Dropout")), true, 1_000);
        List<String> eager = train(new Setup(DType.FLOAT32, LAYERS.get("Dropout")), false, 1_000);
        int threads = Threads.count();
        try {
            Threads.set(1);
            assertEquals(eager, compiled.get());
            Threads.set(4);
            assertEquals(eager, compiled.get());
        } finally {
            Threads.set(threads);
        }
    }

    @Test
    void aPlateauThatAFunctionFollowsIsFollowedInEachRun() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor w = Tensor.of(1f).trackGradient();
            var optimizer = new SGD(List.of(w), 0.8);
            var plateau = new ReduceOnPlateau(optimizer, 0.5, 0);
            try (var compiled = CompiledFunction.of(x -> {
                plateau.step(1);
                return x.add(1);
            })) {
                Tensor x = Tensor.of(1f);
                compiled.run(x);
                assertEquals(0.8, optimizer.lr());
                compiled.run(x);
                assertEquals(0.4, optimizer.lr());
                compiled.run(x);
                assertEquals(0.2, optimizer.lr());
            }
        }
    }

    /// In a recording it is known which values nobody reads any more, whatever the function says about their release.
    @TestFactory
    Stream<DynamicTest> aPlanDependsOnNoReleaseAndIsNeverAboveTheUncompiledPeakOfEager() {
        Map<String, Setup> setups = new LinkedHashMap<>();
        LAYERS.forEach((name, layer) -> setups.put(name, new Setup(DType.FLOAT32, layer)));
        Function<DType, Layer> residual = LAYERS.get("Residual");
        LOSSES.forEach((name, loss) -> setups.put(name, new Setup(DType.FLOAT32, residual).withLoss(loss)));
        OPTIMIZERS.forEach((name, optimizer) ->
                setups.put(name, new Setup(DType.FLOAT32, LAYERS.get("ReLU")).withOptimizer(optimizer)));
        setups.put("ReLU of 8 bytes", new Setup(DType.FLOAT64, LAYERS.get("ReLU")));
        setups.put("ReLU of 2 bytes", new Setup(DType.BFLOAT16, LAYERS.get("ReLU")));
        return setups.entrySet().stream()
                .map(each -> dynamicTest(each.getKey(), () -> requireSameMemory(each.getValue())));
    }

    private static void requireSameMemory(Setup setup) {
        try (var arena = TensorArena.ofConfined()) {
            Layer net = setup.layer.apply(setup.dtype);
            Optimizer optimizer = setup.optimizer.apply(net.parameters());
            Tensor x = Tensor.randn(setup.dtype, 64, WIDTH);
            Tensor y = Tensor.randint(0, CLASSES, 64);
            Map<Release, BinaryOperator<Tensor>> steps = new EnumMap<>(Release.class);
            for (Release release : Release.values()) {
                steps.put(release, (a, b) -> {
                    optimizer.zeroGradients();
                    Tensor loss = setup.loss.of(net.forward(a), b);
                    loss.backward(release);
                    optimizer.step();
                    return loss;
                });
            }
            long peak = 0;
            for (int i = 0; i < 2; i++) {
                try (var step = TensorArena.ofConfined()) {
                    steps.get(Release.EAGER).apply(x, y);
                    peak = step.peakBytes();
                }
            }
            Map<Release, Long> planned = new EnumMap<>(Release.class);
            for (Release release : Release.values()) {
                try (var compiled = CompiledFunction.of(steps.get(release))) {
                    compiled.run(x, y);
                    planned.put(release, compiled.plan().plannedBytes());
                }
            }
            assertEquals(planned.get(Release.EAGER), planned.get(Release.AT_CLOSE));
            assertTrue(planned.get(Release.EAGER) <= peak, planned + " of " + peak);
        }
    }

    /// A layer or optimizer that is new must be among those that are trained here.
    @Test
    void allLayersAndOptimizersAreTrained() throws Exception {
        Set<String> layers = new TreeSet<>();
        LAYERS.keySet().forEach(name -> layers.add(name.split(" ")[0]));
        assertEquals(classes(Layer.class), layers);
        Set<String> optimizers = new TreeSet<>();
        OPTIMIZERS.keySet().forEach(name -> optimizers.add(name.split(" ")[0]));
        assertEquals(classes(Optimizer.class), optimizers);
    }

    /// Returns the names of the public classes of a package that can be made, and extend a class of it.
    private static Set<String> classes(Class<?> base) throws Exception {
        Set<String> names = new TreeSet<>();
        File folder = new File(base.getResource(base.getSimpleName() + ".class").toURI()).getParentFile();
        for (String file : folder.list()) {
            if (file.endsWith(".class") && !file.contains("$") && !file.startsWith("package-info")) {
                Class<?> type = Class.forName(base.getPackageName() + "." + file.replace(".class", ""));
                int modifiers = type.getModifiers();
                if (base.isAssignableFrom(type)
                        && java.lang.reflect.Modifier.isPublic(modifiers)
                        && !java.lang.reflect.Modifier.isAbstract(modifiers)) {
                    names.add(type.getSimpleName());
                }
            }
        }
        return names;
    }
}
