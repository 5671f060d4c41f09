package org.toydiff.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.Blas;
import org.toydiff.DType;
import org.toydiff.Golden;
import org.toydiff.Memory;
import org.toydiff.MemoryLimitException;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Optimizers go the way PyTorch's go, or that of their papers' formulas in double.
@Tag("kernels")
class OptimizerTest {
    private static final Map<String, Function<List<Tensor>, Optimizer>> OPTIMIZERS = new LinkedHashMap<>();

    static {
        OPTIMIZERS.put("sgd", p -> new SGD(p, 0.1).weightDecay(0.01));
        OPTIMIZERS.put("momentum", p -> new SGD(p, 0.1, 0.9).weightDecay(0.01));
        OPTIMIZERS.put("nesterov", p -> new SGD(p, 0.1).momentum(0.9).nesterov().weightDecay(0.01));
        OPTIMIZERS.put("adam", p -> new Adam(p, 0.01));
        OPTIMIZERS.put(
                "adamDecay",
                p -> new Adam(p, 0.01).betas(0.8, 0.99).epsilon(1e-6).weightDecay(0.1));
        OPTIMIZERS.put("adamW", p -> new AdamW(p, 0.01));
        OPTIMIZERS.put(
                "adamWDecay",
                p -> new AdamW(p, 0.01).betas(0.8, 0.99).epsilon(1e-6).weightDecay(0.3));
        OPTIMIZERS.put("rmsProp", p -> new RMSProp(p, 0.01));
        OPTIMIZERS.put(
                "rmsPropMomentum",
                p -> new RMSProp(p, 0.01).alpha(0.9).epsilon(1e-6).momentum(0.8).weightDecay(0.1));
        OPTIMIZERS.put("adagrad", p -> new Adagrad(p, 0.1));
        OPTIMIZERS.put(
                "adagradDecay",
                p -> new Adagrad(p, 0.1).lrDecay(0.05).epsilon(1e-6).weightDecay(0.1));
        OPTIMIZERS.put("dampening", p -> new SGD(p, 0.1).momentum(0.9).dampening(0.3));
        OPTIMIZERS.put(
                "maximize", p -> new SGD(p, 0.1).momentum(0.9).weightDecay(0.01).maximize());
        OPTIMIZERS.put("adamMaximize", p -> new Adam(p, 0.01).weightDecay(0.1).maximize());
        OPTIMIZERS.put("amsgrad", p -> new Adam(p, 0.01).amsgrad().weightDecay(0.1));
        OPTIMIZERS.put("adamWAmsgrad", p -> new AdamW(p, 0.01).amsgrad().betas(0.8, 0.9));
        OPTIMIZERS.put("nadam", p -> new NAdam(p, 0.01).weightDecay(0.1));
        OPTIMIZERS.put("nadamDecoupled", p -> new NAdam(p, 0.01)
                .betas(0.8, 0.99)
                .momentumDecay(0.1)
                .weightDecay(0.1)
                .decoupledWeightDecay());
        OPTIMIZERS.put("radam", p -> new RAdam(p, 0.01).weightDecay(0.1));
        OPTIMIZERS.put(
                "radamDecoupled",
                p -> new RAdam(p, 0.01).betas(0.8, 0.9).weightDecay(0.1).decoupledWeightDecay());
        OPTIMIZERS.put("adamax", p -> new Adamax(p, 0.01));
        OPTIMIZERS.put(
                "adamaxDecay",
                p -> new Adamax(p, 0.01).betas(0.8, 0.9).epsilon(1e-3).weightDecay(0.1));
        OPTIMIZERS.put("adadelta", p -> new Adadelta(p, 1));
        OPTIMIZERS.put(
                "adadeltaDecay",
                p -> new Adadelta(p, 0.5).rho(0.8).epsilon(1e-3).weightDecay(0.1));
        OPTIMIZERS.put("centered", p -> new RMSProp(p, 0.01).centered().weightDecay(0.1));
        OPTIMIZERS.put(
                "centeredMomentum",
                p -> new RMSProp(p, 0.01).centered().momentum(0.8).alpha(0.9).epsilon(1e-6));
    }

    @Test
    void nesterovAndDampeningExcludeEachOther() {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> p = List.of(Tensor.zeros(2).trackGradient());
            SGD dampened = new SGD(p, 0.1, 0.9).dampening(0.5);
            assertTrue(assertThrows(IllegalStateException.class, dampened::nesterov)
                    .getMessage()
                    .contains("dampening"));
            SGD nesterov = new SGD(p, 0.1, 0.9).nesterov();
            assertThrows(IllegalArgumentException.class, () -> nesterov.dampening(0.5));
            assertThrows(IllegalArgumentException.class, () -> dampened.dampening(Double.NaN));
        }
    }

    @Test
    void anAscendingStepLeavesTheGradientAsItWas() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.of(new float[] {1, 2, 3}).trackGradient();
            p.multiply(Tensor.of(new float[] {0, -0.0f, 5})).sum().backward(Release.EAGER);
            float[] before = p.gradient().toFloatArray();
            new SGD(List.of(p), 0.1).maximize().step();
            assertArrayEquals(before, p.gradient().toFloatArray());
            assertArrayEquals(new float[] {1, 2, 3.5f}, p.toFloatArray());
        }
    }

    @TestFactory
    Stream<DynamicTest> everyPathIsPyTorchs() throws IOException {
        return Golden.cases("golden_optim.txt").stream()
                .filter(golden -> OPTIMIZERS.containsKey(golden.name()))
                .map(golden -> dynamicTest(golden.name(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        requirePath(golden, DType.FLOAT32, arena);
                        requirePath(golden, DType.FLOAT64, arena);
                    }
                }));
    }

    private static void requirePath(Golden.Case golden, DType dtype, Arena arena) {
        // A copy: what is cast to its own dtype is the same tensor.
        Tensor p = golden.all("in").get(0).tensor().cast(dtype).trackGradient();
        Tensor gradients = golden.all("in").get(1).tensor().cast(dtype);
        Optimizer optimizer = OPTIMIZERS.get(golden.name()).apply(List.of(p));
        Tensor[] path = new Tensor[(int) gradients.shape()[0]];
        for (int i = 0; i < path.length; i++) {
            step(optimizer, p, gradients.get(i));
            path[i] = p.copyTo(arena);
        }
        golden.all("out").getFirst().requireEqual(Tensor.stack(0, path), golden.name() + " " + dtype);
    }

    private static void step(Optimizer optimizer, Tensor p, Tensor gradient) {
        optimizer.zeroGradients();
        p.multiply(gradient).sum().backward(Release.EAGER);
        optimizer.step();
    }

    @Test
    void everyNameHasACase() throws IOException {
        var names = new TreeSet<>(OPTIMIZERS.keySet());
        names.addAll(SchedulerTest.cases());
        var found = new TreeSet<String>();
        Golden.cases("golden_optim.txt").forEach(golden -> found.add(golden.name()));
        assertEquals(found, names);
    }

    private static double norm(double[] x) {
        double sum = 0;
        for (double v : x) {
            sum += v * v;
        }
        return Math.sqrt(sum);
    }

    @Test
    void larsIsItsPapersFormula() {
        for (int n : new int[] {5, 70_001}) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor p = Tensor.randn(DType.FLOAT64, n).trackGradient();
                var optimizer = new LARS(List.of(p), 0.4).weightDecay(0.05).trust(0.01);
                double[] w = p.toDoubleArray();
                double[] v = new double[n];
                for (int step = 0; step < 4; step++) {
                    Tensor gradient = Tensor.randn(DType.FLOAT64, n);
                    double[] g = gradient.toDoubleArray();
                    double local = 0.01 * norm(w) / (norm(g) + 0.05 * norm(w));
                    for (int i = 0; i < n; i++) {
                        v[i] = 0.9 * v[i] + 0.4 * local * (g[i] + 0.05 * w[i]);
                        w[i] -= v[i];
                    }
                    step(optimizer, p, gradient);
                }
                assertArrayEquals(w, p.toDoubleArray(), 1e-12);
            }
        }
    }

    @Test
    void lambIsItsPapersFormula() {
        for (int n : new int[] {5, 70_001}) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor p = Tensor.randn(DType.FLOAT64, n).trackGradient();
                var optimizer = new LAMB(List.of(p), 0.02).betas(0.8, 0.95).weightDecay(0.1);
                double[] w = p.toDoubleArray();
                double[] m = new double[n];
                double[] v = new double[n];
                for (int step = 1; step < 5; step++) {
                    Tensor gradient = Tensor.randn(DType.FLOAT64, n);
                    double[] g = gradient.toDoubleArray();
                    double[] r = new double[n];
                    for (int i = 0; i < n; i++) {
                        m[i] = 0.8 * m[i] + 0.2 * g[i];
                        v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
                        double mean = m[i] / (1 - Math.pow(0.8, step));
                        double variance = v[i] / (1 - Math.pow(0.95, step));
                        r[i] = mean / (Math.sqrt(variance) + 1e-6) + 0.1 * w[i];
                    }
                    double ratio = norm(w) / norm(r);
                    for (int i = 0; i < n; i++) {
                        w[i] -= 0.02 * ratio * r[i];
                    }
                    step(optimizer, p, gradient);
                }
                assertArrayEquals(w, p.toDoubleArray(), 1e-11);
            }
        }
    }

    @Test
    void parametersThatAreZerosBeginToMove() {
        try (var arena = TensorArena.ofConfined()) {
            for (Function<List<Tensor>, Optimizer> make :
                    List.<Function<List<Tensor>, Optimizer>>of(p -> new LARS(p, 0.1), p -> new LAMB(p, 0.1))) {
                Tensor p = Tensor.zeros(3).trackGradient();
                step(make.apply(List.of(p)), p, Tensor.ones(3));
                assertTrue(p.max().item() < -0.05, p.toString());
            }
        }
    }

    @Test
    void aSavedOptimizerGoesOnBitForBit() {
        Map<String, Function<List<Tensor>, Optimizer>> all = new LinkedHashMap<>(OPTIMIZERS);
        all.put("lars", p -> new LARS(p, 0.4).weightDecay(0.05).trust(0.01));
        all.put("lamb", p -> new LAMB(p, 0.02));
        all.forEach((name, make) -> {
            long before = Memory.liveBytes();
            try (var arena = TensorArena.ofConfined()) {
                Tensor a = Tensor.randn(50).trackGradient();
                Optimizer first = make.apply(List.of(a));
                for (int i = 0; i < 3; i++) {
                    step(first, a, Tensor.randn(50));
                }
                first.groups().getFirst().lr(0.0123);
                Tensor b = a.copyTo(arena).trackGradient();
                Optimizer second = make.apply(List.of(b));
                second.loadStateDict(first.stateDict());
                assertEquals(0.0123, second.lr());
                for (int i = 0; i < 3; i++) {
                    Tensor gradient = Tensor.randn(50);
                    step(first, a, gradient);
                    step(second, b, gradient);
                }
                assertArrayEquals(a.toFloatArray(), b.toFloatArray(), name);
                var failure = assertThrows(
                        IllegalArgumentException.class, () -> second.loadStateDict(Map.of("x", Tensor.ones(1))));
                assertTrue(failure.getMessage().contains("x is unknown"), failure.getMessage());
                assertTrue(failure.getMessage().contains("lr is missing"), failure.getMessage());
            }
            assertEquals(before, Memory.liveBytes());
        });
    }

    @Test
    void groupsHaveRatesOfTheirOwn() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.ones(2).trackGradient();
            Tensor b = Tensor.ones(2).trackGradient();
            Tensor idle = Tensor.ones(2).trackGradient();
            var optimizer = new SGD(List.of(a, idle), 0.5);
            optimizer.addGroup(List.of(b), 0.25).weightDecay(0.1);
            a.add(b).sum().backward(Release.EAGER);
            optimizer.step();
            assertArrayEquals(new float[] {0.5f, 0.5f}, a.toFloatArray());
            assertArrayEquals(new float[] {0.725f, 0.725f}, b.toFloatArray(), 1e-7f);
            assertArrayEquals(new float[] {1, 1}, idle.toFloatArray());
            assertEquals(List.of(a, idle, b), optimizer.parameters());
            var twice = assertThrows(IllegalArgumentException.class, () -> optimizer.addGroup(List.of(a), 0.1));
            assertEquals("SGD: parameter 0 is given twice; each belongs to one group", twice.getMessage());
        }
    }

    @Test
    void gradientsAreClippedTogetherOrOneByOne() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.of(1, 1).trackGradient();
            Tensor b = Tensor.of(1).trackGradient();
            Tensor idle = Tensor.of(1).trackGradient();
            a.multiply(Tensor.of(3, -4)).sum().add(b.multiply(12).sum()).backward();
            List<Tensor> all = List.of(a, b, idle);
            assertEquals(13, Gradients.clipNorm(all, 20));
            assertArrayEquals(new float[] {3, -4}, a.gradient().toFloatArray());
            assertEquals(13, Gradients.clipNorm(all, 6.5));
            assertArrayEquals(new float[] {1.5f, -2}, a.gradient().toFloatArray(), 1e-5f);
            assertEquals(6, b.gradient().at(0), 1e-5);
            Gradients.clipValue(all, 1.75);
            assertArrayEquals(new float[] {1.5f, -1.75f}, a.gradient().toFloatArray(), 1e-5f);
            a.gradient().copyFrom(Tensor.of(Float.NaN, 5));
            assertTrue(Double.isNaN(Gradients.clipNorm(all, 1)));
            assertEquals(5, a.gradient().at(1), "what has no norm is left as it is");
            Gradients.clipValue(all, 2);
            assertTrue(Double.isNaN(a.gradient().at(0)));
            assertThrows(IllegalArgumentException.class, () -> Gradients.clipNorm(all, 0));
            assertThrows(IllegalArgumentException.class, () -> Gradients.clipValue(all, Double.NaN));
        }
    }

    @Test
    void stepsAreTheSameForAnyNumberOfThreads() {
        int threads = Blas.threads();
        try (var arena = TensorArena.ofConfined()) {
            float[] expected = null;
            for (int n : new int[] {1, 2, 3}) {
                Blas.setThreads(n);
                Tensor.manualSeed(3);
                Tensor p = Tensor.randn(200_001).trackGradient();
                for (Optimizer optimizer :
                        List.of(new LAMB(List.of(p), 0.01), new LARS(List.of(p), 0.1), new AdamW(List.of(p), 0.01))) {
                    step(optimizer, p, Tensor.randn(200_001));
                    Gradients.clipNorm(List.of(p), 0.5);
                    optimizer.step();
                }
                expected = expected == null ? p.toFloatArray() : expected;
                assertArrayEquals(expected, p.toFloatArray());
            }
        } finally {
            Blas.setThreads(threads);
        }
    }

    /// 0·∞ is NaN: without decay or Nesterov's momentum, nothing may be multiplied by 0.
    @Test
    void infinitiesStayWhatTheyAre() {
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
            for (long size : new long[] {1, 67}) {
                try (var arena = TensorArena.ofConfined()) {
                    Map<String, Function<List<Tensor>, Optimizer>> all = new LinkedHashMap<>(OPTIMIZERS);
                    all.values().removeIf(make -> decays(make));
                    all.put("plain", p -> new SGD(p, 0.1));
                    all.put("momentum without decay", p -> new SGD(p, 0.1, 0.9));
                    all.put("nesterov without decay", p -> new SGD(p, 0.1, 0.9).nesterov());
                    all.forEach((name, make) -> {
                        Tensor p = Tensor.full(dtype, Double.POSITIVE_INFINITY, size)
                                .trackGradient();
                        step(make.apply(List.of(p)), p, Tensor.ones(dtype, size));
                        requireAll(Double.POSITIVE_INFINITY, p, name);
                    });
                    for (Function<List<Tensor>, Optimizer> make : List.<Function<List<Tensor>, Optimizer>>of(
                            p -> new SGD(p, 0.1), p -> new SGD(p, 0.1, 0.9), p -> new SGD(p, 0.1, 0.9).nesterov())) {
                        Tensor p = Tensor.ones(dtype, size).trackGradient();
                        step(make.apply(List.of(p)), p, Tensor.full(dtype, Double.POSITIVE_INFINITY, size));
                        requireAll(Double.NEGATIVE_INFINITY, p, "an infinite gradient");
                    }
                }
            }
        }
    }

    private static boolean decays(Function<List<Tensor>, Optimizer> make) {
        return make.apply(List.of(Tensor.ones(1).trackGradient()))
                        .groups()
                        .getFirst()
                        .weightDecay()
                != 0;
    }

    private static void requireAll(double expected, Tensor p, String name) {
        for (double value : p.toDoubleArray()) {
            assertEquals(expected, value, name);
        }
    }

    @Test
    void aStateThatCannotBeIsRefusedAsAWhole() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.ones(3).trackGradient();
            var adam = new Adam(List.of(p), 0.1);
            step(adam, p, Tensor.ones(3));
            Map<String, Tensor> wrong = new LinkedHashMap<>();
            wrong.put("steps", Tensor.of(new long[] {-1}));
            wrong.put("lr", Tensor.of(new double[] {Double.NaN}));
            wrong.put("weight_decay", Tensor.of(new double[] {-0.5}));
            wrong.forEach((key, value) -> {
                var fresh = new Adam(List.of(p), 0.5);
                Map<String, Tensor> state = new HashMap<>(adam.stateDict());
                state.put(key, value);
                String message = assertThrows(IllegalArgumentException.class, () -> fresh.loadStateDict(state))
                        .getMessage();
                assertTrue(message.startsWith("Adam: " + key + " "), message);
                assertEquals(0.5, fresh.lr());
                assertArrayEquals(
                        new float[3], fresh.stateDict().get("0.exp_avg").toFloatArray());
            });
        }
    }

    @Test
    void aStepThatFailsIsNotCounted() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.ones(3).trackGradient();
            var failing = new Optimizer(List.of(p), 0.1) {
                @Override
                protected void update(ParameterGroup group, Tensor q, Tensor g, Tensor[] state, long step) {
                    throw new IllegalStateException("step " + step);
                }
            };
            p.sum().backward();
            for (int i = 0; i < 2; i++) {
                assertEquals(
                        "step 1",
                        assertThrows(IllegalStateException.class, failing::step).getMessage());
            }
        }
    }

    @Test
    void parametersAreContiguous() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.ones(2, 3).transpose().trackGradient();
            assertEquals(
                    "SGD: parameter 0 is not contiguous; use copyTo(arena) for one that is, and track its gradient",
                    assertThrows(IllegalArgumentException.class, () -> new SGD(List.of(p), 0.1))
                            .getMessage());
        }
    }

    @Test
    void settingsOutOfRangeAreNamed() {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> p = List.of(Tensor.ones(1).trackGradient());
            Map<String, Runnable> wrong = new LinkedHashMap<>();
            wrong.put("SGD: lr -1.0 is out of range", () -> new SGD(p, -1));
            wrong.put(
                    "SGD: nesterov() looks ahead by the momentum; give one above 0",
                    () -> new SGD(p, 1, 0.9).nesterov().momentum(0));
            wrong.put(
                    "SGD: nesterov() goes without dampening; leave one of them out",
                    () -> new SGD(p, 1, 0.9).nesterov().dampening(0.1));
            wrong.put("SGD: weightDecay -1.0 is out of range", () -> new SGD(p, 1).weightDecay(-1));
            wrong.put("SGD: momentum -1.0 is out of range", () -> new SGD(p, 1, -1));
            wrong.put("RMSProp: momentum NaN is out of range", () -> new RMSProp(p, 1).momentum(Double.NaN));
            wrong.put("RMSProp: epsilon -1.0 is out of range", () -> new RMSProp(p, 1).epsilon(-1));
            wrong.put("Adagrad: epsilon NaN is out of range", () -> new Adagrad(p, 1).epsilon(Double.NaN));
            wrong.put("LARS: momentum -1.0 is out of range", () -> new LARS(p, 1).momentum(-1));
            wrong.put("LAMB: weightDecay NaN is out of range", () -> new LAMB(p, 1).weightDecay(Double.NaN));
            wrong.put(
                    "ParameterGroup: weightDecay -1.0 is out of range",
                    () -> new SGD(p, 1).groups().getFirst().weightDecay(-1));
            wrong.put("Adam: beta1 1.0 is out of range", () -> new Adam(p, 1).betas(1, 0.9));
            wrong.put("AdamW: beta2 NaN is out of range", () -> new AdamW(p, 1).betas(0.9, Double.NaN));
            wrong.put("LAMB: beta2 1.0 is out of range", () -> new LAMB(p, 1).betas(0.9, 1));
            wrong.put("RMSProp: alpha 1.0 is out of range", () -> new RMSProp(p, 1).alpha(1));
            wrong.put("Adagrad: lrDecay -1.0 is out of range", () -> new Adagrad(p, 1).lrDecay(-1));
            wrong.put("LARS: trust 0.0 is out of range", () -> new LARS(p, 1).trust(0));
            wrong.put("LAMB: epsilon -1.0 is out of range", () -> new LAMB(p, 1).epsilon(-1));
            wrong.put(
                    "ParameterGroup: lr NaN is out of range",
                    () -> new SGD(p, 1).groups().getFirst().lr(Double.NaN));
            wrong.put("ReduceOnPlateau: factor 1.0 is out of range", () -> new ReduceOnPlateau(new SGD(p, 1), 1, 1));
            wrong.forEach((message, run) -> assertEquals(
                    message,
                    assertThrows(IllegalArgumentException.class, run::run).getMessage()));
        }
    }

    @Test
    void theOrderOfSettingsDoesNotMatter() {
        try (var arena = TensorArena.ofConfined()) {
            float[] start = Tensor.randn(40).toFloatArray();
            List<Map.Entry<Function<List<Tensor>, Optimizer>, Function<List<Tensor>, Optimizer>>> pairs = List.of(
                    Map.entry(p -> new SGD(p, 0.1, 0.9).weightDecay(0.01).nesterov(), p -> new SGD(p, 0.1)
                            .weightDecay(0.01)
                            .momentum(0.5)
                            .nesterov()
                            .momentum(0.9)),
                    Map.entry(
                            p -> new RMSProp(p, 0.1).momentum(0.9).alpha(0.8).epsilon(1e-3),
                            p -> new RMSProp(p, 0.1).epsilon(1e-3).alpha(0.8).momentum(0.9)),
                    Map.entry(
                            p -> new AdamW(p, 0.1).betas(0.8, 0.9).weightDecay(0.2),
                            p -> new AdamW(p, 0.1).weightDecay(0.2).betas(0.8, 0.9)));
            for (var pair : pairs) {
                Tensor a = Tensor.of(start).trackGradient();
                Tensor b = Tensor.of(start).trackGradient();
                Optimizer first = pair.getKey().apply(List.of(a));
                Optimizer second = pair.getValue().apply(List.of(b));
                for (int i = 0; i < 3; i++) {
                    Tensor gradient = Tensor.randn(40);
                    step(first, a, gradient);
                    step(second, b, gradient);
                }
                assertArrayEquals(a.toFloatArray(), b.toFloatArray());
            }
        }
    }

    @Test
    void aSettingThatDecidesWhatIsKeptComesBeforeTheFirstStep() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.ones(3).trackGradient();
            var plain = new SGD(List.of(p), 0.1);
            assertEquals(
                    Set.of("steps", "lr", "weight_decay"), plain.stateDict().keySet());
            step(plain, p, Tensor.ones(3));
            assertEquals(
                    "SGD: momentum decides which state each parameter has, and steps have been made; call it before"
                            + " the first step",
                    assertThrows(IllegalStateException.class, () -> plain.momentum(0.9))
                            .getMessage());
            plain.momentum(0);
            step(plain, p, Tensor.ones(3));
            assertArrayEquals(new float[] {0.8f, 0.8f, 0.8f}, p.toFloatArray(), 1e-6f, "nothing was changed");

            var moving = new RMSProp(List.of(p), 0.1).momentum(0.9);
            assertTrue(moving.stateDict().containsKey("0.momentum_buffer"));
            step(moving, p, Tensor.ones(3));
            moving.momentum(0.5);
            assertThrows(IllegalStateException.class, () -> moving.momentum(0));
            step(moving, p, Tensor.ones(3));
            assertEquals(
                    "SGD: nesterov() looks ahead by the momentum, and there is none; call momentum(0.9), say, before"
                            + " it",
                    assertThrows(IllegalStateException.class, () -> new SGD(List.of(p), 1).nesterov())
                            .getMessage());
        }
    }

    @Test
    void whatASettingKeepsLivesInTheArenaThatWasInnermostThen() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.ones(3).trackGradient();
            Tensor late = Tensor.ones(5).trackGradient();
            long live = arena.liveBytes();
            var optimizer = new RMSProp(List.of(p), 0.1);
            assertEquals(live + 64, arena.liveBytes());
            optimizer.momentum(0.9);
            assertEquals(live + 128, arena.liveBytes(), "what was kept already stays");
            optimizer.momentum(0.8);
            optimizer.addGroup(List.of(late), 0.1);
            assertEquals(live + 256, arena.liveBytes());
            assertTrue(optimizer.stateDict().containsKey("1.momentum_buffer"));
        }
    }

    @Test
    void aSettingThatFindsNoMemoryChangesNothing() {
        try (var arena = TensorArena.ofConfined(1020)) {
            Tensor p = Tensor.ones(64).trackGradient();
            Tensor q = Tensor.ones(64).trackGradient();
            var optimizer = new SGD(List.of(p, q), 0.1);
            assertThrows(MemoryLimitException.class, () -> optimizer.momentum(0.9));
            assertEquals(
                    Set.of("steps", "lr", "weight_decay"), optimizer.stateDict().keySet());
            assertThrows(IllegalStateException.class, optimizer::nesterov, "there is no momentum");
        }
    }

    @Test
    void aGroupThatFindsNoMemoryIsNotAdded() {
        try (var arena = TensorArena.ofConfined(1300)) {
            var optimizer = new SGD(List.of(Tensor.ones(1).trackGradient()), 0.1, 0.9);
            List<Tensor> late = Stream.generate(() -> Tensor.ones(64).trackGradient())
                    .limit(3)
                    .toList();
            assertThrows(MemoryLimitException.class, () -> optimizer.addGroup(late, 0.1));
            assertEquals(1, optimizer.groups().size());
            assertEquals(1, optimizer.parameters().size());
        }
    }

    @Test
    void theWeightDecayIsThatOfAllGroupsUntilOneHasItsOwn() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.ones(1).trackGradient();
            Tensor b = Tensor.ones(1).trackGradient();
            Tensor c = Tensor.ones(1).trackGradient();
            Optimizer optimizer = new AdamW(List.of(a), 0.1).weightDecay(0.5);
            ParameterGroup second = optimizer.addGroup(List.of(b), 0.2);
            ParameterGroup third =
                    optimizer.addGroup(List.of(c), 0.3).weightDecay(0).lr(0.4);
            assertEquals(0.5, second.weightDecay());
            assertEquals(0, third.weightDecay());
            assertEquals(0.4, third.lr());
            optimizer.weightDecay(0.25);
            optimizer.groups().forEach(group -> assertEquals(0.25, group.weightDecay()));
            assertEquals(
                    0.01,
                    new AdamW(List.of(a), 0.1).addGroup(List.of(b), 1).weightDecay(),
                    "the optimizer's own default");
        }
    }
}
