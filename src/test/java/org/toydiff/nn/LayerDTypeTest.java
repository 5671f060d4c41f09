package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Activation;
import org.toydiff.ArenaTest;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.GradientCheck;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.io.SafeTensors;
import org.toydiff.optim.Adam;
import org.toydiff.optim.SGD;
import org.toydiff.train.Trainer;

/// FLOAT64 layers: their gradients, training and saved states; and the refusal of other dtypes.
class LayerDTypeTest extends ArenaTest {
    private static final DType WIDE = DType.FLOAT64;
    private static final double STEP = Math.cbrt(Math.ulp(1.0));

    /// Every layer, for inputs `[6, 4]`.
    private static final Map<String, Supplier<Layer>> LAYERS = new LinkedHashMap<>();

    /// Layers whose inputs are `[2, 4, 3, 6]`.
    private static final Set<Class<?>> IMAGES = Set.of(
            MaxPool2d.class,
            AvgPool2d.class,
            AdaptiveAvgPool2d.class,
            Upsample.class,
            BatchNorm2d.class,
            GroupNorm.class,
            Dropout2d.class);

    static {
        LAYERS.put("Linear", () -> new Linear(WIDE, 4, 3));
        LAYERS.put("Embedding", () -> new Embedding(WIDE, 5, 4));
        LAYERS.put("LayerNorm", () -> new LayerNorm(WIDE, 4));
        LAYERS.put("BatchNorm1d", () -> new BatchNorm1d(WIDE, 4));
        LAYERS.put("Conv1d", () -> new Conv1d(WIDE, 6, 3, 3, 3, true).samePadding());
        LAYERS.put("Conv2d", () -> new OfImages(new Conv2d(WIDE, 3, 2, new long[] {2, 2}, 1, true).padding(1)));
        LAYERS.put("ConvTranspose2d", () -> new OfImages(new ConvTranspose2d(WIDE, 3, 2, new long[] {2, 2}, 1, true)));
        LAYERS.put("RNN", () -> new RNN(WIDE, 4, 3, RecurrentOptions.DEFAULT, Activation.TANH));
        LAYERS.put("LSTM", () -> new LSTM(WIDE, 4, 3, RecurrentOptions.DEFAULT.withBidirectional(true)));
        LAYERS.put("GRU", () -> new GRU(WIDE, 4, 3, RecurrentOptions.DEFAULT.withLayers(2)));
        LAYERS.put("RNNCell", () -> new RNNCell(WIDE, 4, 3, true, Activation.TANH));
        LAYERS.put("LSTMCell", () -> new LSTMCell(WIDE, 4, 3, true));
        LAYERS.put("GRUCell", () -> new GRUCell(WIDE, 4, 3, false));
        LAYERS.put("MultiheadAttention", () -> new MultiheadAttention(WIDE, 4, 2, 0, false, true));
        LAYERS.put(
                "TransformerEncoderLayer",
                () -> new TransformerEncoderLayer(WIDE, 4, 2, 5, 0, null, 1e-5, false, false));
        LAYERS.put("PositionalEncoding", () -> new PositionalEncoding(WIDE, 4, 6));
        LAYERS.put("RotaryEmbedding", () -> new RotaryEmbedding(WIDE, 4, 6, 10_000, false));
        LAYERS.put("Dropout", () -> new Dropout(0.3));
        LAYERS.put("Flatten", Flatten::new);
        LAYERS.put("ReLU", ReLU::new);
        LAYERS.put("LeakyReLU", LeakyReLU::new);
        LAYERS.put("Tanh", Tanh::new);
        LAYERS.put("Sigmoid", Sigmoid::new);
        LAYERS.put("GELU", GELU::new);
        LAYERS.put("SiLU", SiLU::new);
        LAYERS.put("ELU", ELU::new);
        LAYERS.put("Hardswish", Hardswish::new);
        LAYERS.put("Mish", Mish::new);
        LAYERS.put("Softplus", Softplus::new);
        LAYERS.put("BatchNorm2d", () -> new BatchNorm2d(WIDE, 4));
        LAYERS.put("GroupNorm", () -> new GroupNorm(WIDE, 2, 4));
        LAYERS.put("RMSNorm", () -> new RMSNorm(WIDE, 4));
        LAYERS.put("PReLU", () -> new PReLU(WIDE, 4));
        LAYERS.put("Softmax", () -> new Softmax(1));
        LAYERS.put("LogSoftmax", () -> new LogSoftmax(-1));
        LAYERS.put("Dropout1d", () -> new Dropout1d(0.3));
        LAYERS.put("Dropout2d", () -> new Dropout2d(0.3));
        LAYERS.put("MaxPool1d", () -> new MaxPool1d(2, 1, 1));
        LAYERS.put("MaxPool2d", () -> new MaxPool2d(2, 1, 1));
        LAYERS.put("AvgPool1d", () -> new AvgPool1d(2, 1, 1));
        LAYERS.put("AvgPool2d", () -> new AvgPool2d(2, 1, 1));
        LAYERS.put("AdaptiveAvgPool1d", () -> new AdaptiveAvgPool1d(3));
        LAYERS.put("AdaptiveAvgPool2d", () -> new AdaptiveAvgPool2d(2));
        LAYERS.put("Upsample", () -> new Upsample(2));
        LAYERS.put("Residual", () -> new Residual(new Linear(WIDE, 4, 4)));
        LAYERS.put("Checkpoint", () -> Checkpoint.of(new Linear(WIDE, 4, 3)));
        LAYERS.put(
                "Sequential", () -> new Sequential(new Linear(WIDE, 4, 8), new Tanh(), new Linear(WIDE, 8, 2, false)));
    }

    /// A layer over the elements of the input as two images of three channels.
    private static final class OfImages extends Layer {
        private final Layer layer;

        OfImages(Layer layer) {
            this.layer = child("layer", layer);
        }

        @Override
        protected Tensor compute(Tensor x) {
            return layer.forward(x.reshape(2, 3, 2, 2));
        }
    }

    @Test
    void everyLayerHasARow() throws Exception {
        var layers = new TreeSet<String>();
        Path classes = Path.of(System.getProperty("toydiff.test.classes"), "org/toydiff/nn");
        try (Stream<Path> files = Files.list(classes)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString().replace(".class", "");
                Class<?> type = name.contains("-") ? Object.class : Class.forName("org.toydiff.nn." + name);
                if (Layer.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers())) {
                    layers.add(name);
                }
            }
        }
        assertEquals(layers, new TreeSet<>(LAYERS.keySet()));
    }

    private static Tensor input(Layer layer) {
        if (IMAGES.contains(layer.getClass())) {
            return Tensor.randn(WIDE, 2, 4, 3, 6).trackGradient();
        }
        return layer instanceof Embedding
                ? Tensor.of(new long[] {4, 0, 4, 2, 1, 3})
                : Tensor.randn(WIDE, 6, 4).trackGradient();
    }

    @TestFactory
    Stream<DynamicTest> gradientsAreThoseOfDifferences() {
        return LAYERS.entrySet().stream()
                .map(row -> dynamicTest(row.getKey(), () -> {
                    try (var step = TensorArena.ofConfined()) {
                        Tensor.manualSeed(4);
                        Layer layer = row.getValue().get();
                        Tensor x = input(layer);
                        Tensor state = Tensor.randomState();
                        if (x.tracksGradient()) {
                            GradientCheck.check(
                                    t -> {
                                        Tensor.setRandomState(state);
                                        return layer.forward(t);
                                    },
                                    x);
                        }
                        for (Tensor parameter : layer.parameters()) {
                            assertEquals(WIDE, parameter.dtype());
                            requireGradient(layer, x, parameter);
                        }
                    }
                }));
    }

    /// Compares the derivative by a parameter along a random direction with central differences.
    private static void requireGradient(Layer layer, Tensor x, Tensor parameter) {
        Tensor y = layer.forward(x);
        assertEquals(WIDE, y.dtype());
        Tensor weights = Tensor.randn(WIDE, y.shape());
        Tensor direction = Tensor.randn(WIDE, parameter.shape());
        layer.zeroGradients();
        y.multiply(weights).sum().backward(Release.EAGER);
        double analytic = parameter.gradient().multiply(direction).sum().item();
        Tensor at = parameter.detach().multiply(1);
        double numeric = (moved(layer, x, parameter, at, direction.multiply(STEP), weights)
                        - moved(layer, x, parameter, at, direction.multiply(-STEP), weights))
                / (2 * STEP);
        assertEquals(numeric, analytic, 1e-6 * Math.max(1, Math.abs(numeric)));
    }

    private static double moved(Layer layer, Tensor x, Tensor parameter, Tensor at, Tensor by, Tensor weights) {
        try (var off = Autograd.noGradient()) {
            parameter.copyFrom(at.add(by));
            double value = layer.forward(x).multiply(weights).sum().item();
            parameter.copyFrom(at);
            return value;
        }
    }

    private static Sequential net() {
        return new Sequential(
                new Linear(WIDE, 2, 8),
                new BatchNorm1d(WIDE, 8),
                new Tanh(),
                new LayerNorm(WIDE, 8),
                new Linear(WIDE, 8, 1));
    }

    private static TensorDataset products() {
        Tensor x = Tensor.rand(WIDE, 64, 2).multiply(2).subtract(1);
        return new TensorDataset(x, x.slice(1, 0, 1).multiply(x.slice(1, 1, 2)));
    }

    @Test
    void aNetOfDoublesIsTrained() throws IOException {
        Tensor.manualSeed(5);
        Sequential net = net();
        try (var loader = DataLoader.of(products(), 32).shuffle(1)) {
            var history = Trainer.of(net, new Adam(net.parameters(), 0.02), Functional::mseLoss)
                    .epochs(150)
                    .fit(loader)
                    .history();
            double last = history.epochValues("loss")[149];
            assertTrue(last < 0.01, "the loss is " + last);
        }
        net.stateDict()
                .forEach((name, tensor) ->
                        assertEquals(name.endsWith("tracked") ? DType.INT64 : WIDE, tensor.dtype(), name));
    }

    @Test
    void aStateGoesRoundByMapAndByFile(@TempDir Path folder) throws IOException {
        Tensor.manualSeed(6);
        Sequential net = net();
        var optimizer = new SGD(net.parameters(), 0.1).momentum(0.9);
        net.forward(Tensor.randn(WIDE, 5, 2)).sum().backward();
        optimizer.step();
        Tensor x = Tensor.randn(WIDE, 3, 2);
        Path file = folder.resolve("net.safetensors");
        SafeTensors.save(file, net.stateDict());
        net.eval();
        double[] y = net.forward(x).toDoubleArray();
        try (var saved = SafeTensors.open(file)) {
            for (Map<String, Tensor> state : List.of(net.stateDict(), saved.toMap())) {
                Sequential other = net();
                other.loadStateDict(state);
                other.eval();
                assertArrayEquals(y, other.forward(x).toDoubleArray());
            }
        }
    }

    @Test
    void aStateOfFloatsIsCastFirst() {
        var narrow = new Sequential(new Linear(4, 3), new BatchNorm1d(3));
        var wide = new Sequential(new Linear(WIDE, 4, 3), new BatchNorm1d(WIDE, 3));
        Map<String, Tensor> state = narrow.stateDict();
        String message = assertThrows(IllegalArgumentException.class, () -> wide.loadStateDict(state))
                .getMessage();
        assertTrue(message.contains("0.weight is [3, 4] float32 and not [3, 4] float64"), message);
        state.replaceAll((name, tensor) -> tensor.dtype().isFloating() ? tensor.cast(WIDE) : tensor);
        wide.loadStateDict(state);
        Tensor x = Tensor.randn(5, 4);
        assertArrayEquals(
                narrow.forward(x).toDoubleArray(), wide.forward(x.cast(WIDE)).toDoubleArray(), 1e-5);
    }

    @Test
    void withoutADtypeLayersAreOfFloats() {
        Tensor.manualSeed(7);
        var plain = new Sequential(new Linear(4, 3), new Embedding(3, 2), new LayerNorm(2), new BatchNorm1d(2));
        Tensor.manualSeed(7);
        DType narrow = DType.FLOAT32;
        var named = new Sequential(
                new Linear(narrow, 4, 3),
                new Embedding(narrow, 3, 2),
                new LayerNorm(narrow, 2),
                new BatchNorm1d(narrow, 2));
        Map<String, Tensor> state = named.stateDict();
        plain.stateDict().forEach((name, tensor) -> {
            assertEquals(tensor.dtype(), state.get(name).dtype());
            assertArrayEquals(tensor.toDoubleArray(), state.get(name).toDoubleArray(), name);
        });
    }

    @Test
    void aSummaryIsOfInputsOfTheParametersDtype() {
        assertEquals(WIDE.bytes() * 6, net().summary(6, 2).layers().getLast().outputBytes());
        assertEquals(24, new Tanh().summary(6).activationBytes(), "FLOAT32 where there are no parameters");
    }

    @Test
    void anInputOfAnotherDtypeAndWholeParametersAreRefused() {
        String message = assertThrows(IllegalArgumentException.class, () -> net().forward(Tensor.ones(3, 2)))
                .getMessage();
        assertTrue(message.startsWith("Linear(in=2, out=8, bias=true) at \"0\": linear: "), message);
        assertTrue(message.contains("float32") && message.contains("float64"), message);
        Map<String, Runnable> wrong = Map.of(
                "Linear: parameters cannot be int32", () -> new Linear(DType.INT32, 2, 3),
                "Embedding: parameters cannot be int64", () -> new Embedding(DType.INT64, 2, 3),
                "LayerNorm: parameters cannot be bool", () -> new LayerNorm(DType.BOOL, 2),
                "BatchNorm1d: parameters cannot be int32", () -> new BatchNorm1d(DType.INT32, 2));
        long live = arena.liveBytes();
        wrong.forEach((refusal, make) -> assertEquals(
                refusal + "; use FLOAT32, FLOAT64 or BFLOAT16",
                assertThrows(IllegalArgumentException.class, make::run).getMessage()));
        assertEquals(live, arena.liveBytes());
    }
}
