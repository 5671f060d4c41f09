package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.GELU;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.nn.MultiheadAttention;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
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
import org.toydiff.optim.SGD;
import org.toydiff.child.Child;
import org.toydiff.child.ReplayedSteps;

/// Replays allocate nothing on the heap of their thread. They run in a JVM of their own: calls of other tests would
/// decide whether the compiler sees that an object is not needed.
class CompiledHeapTest {
    private static List<String> lines(Class<?> program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "-XX:CompileCommand=quiet",
                Child.PRODUCTS_BY_THEMSELVES,
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                Child.classPath(),
                program.getName()));
        command.addAll(Arrays.asList(arguments));
        Child child = Child.run(command);
        assertEquals(0, child.exit(), child.err());
        return child.out().lines().toList();
    }

    @Test
    void inferenceAndTrainingStepsAllocateNothing() throws Exception {
        List<String> steps = lines(ReplayedSteps.class);
        assertEquals(10, steps.size());
        for (String bytes : steps) {
            assertTrue(bytes.endsWith(", 0]") || bytes.endsWith("[0]"), bytes);
        }
    }

    @TestFactory
    Stream<DynamicTest> aTrainingStepAllocatesNothing() {
        Map<String, Function<List<Tensor>, Optimizer>> optimizers = new LinkedHashMap<>();
        optimizers.put("SGD", p -> new SGD(p, 0.01));
        optimizers.put("SGD with momentum", p -> new SGD(p, 0.01, 0.9));
        optimizers.put("Adam", p -> new Adam(p, 0.001));
        optimizers.put("AdamW", p -> new AdamW(p, 0.001));
        optimizers.put("Adagrad", p -> new Adagrad(p, 0.01));
        optimizers.put("RMSProp", p -> new RMSProp(p, 0.001));
        optimizers.put("centered RMSProp", p -> new RMSProp(p, 0.001).centered().momentum(0.5));
        optimizers.put("Adam with AMSGrad", p -> new Adam(p, 0.001).amsgrad().maximize());
        optimizers.put("NAdam", p -> new NAdam(p, 0.001));
        optimizers.put("RAdam", p -> new RAdam(p, 0.001));
        optimizers.put("Adamax", p -> new Adamax(p, 0.001));
        optimizers.put("Adadelta", p -> new Adadelta(p, 1));
        optimizers.put("LAMB", p -> new LAMB(p, 0.001));
        optimizers.put("LARS", p -> new LARS(p, 0.01));
        return optimizers.entrySet().stream()
                .map(each -> dynamicTest(each.getKey(), () -> requireNothing(each.getKey(), each.getValue())));
    }

    private static void requireNothing(String name, Function<List<Tensor>, Optimizer> makeOptimizer) {
        int runs = name.equals("SGD with momentum") || name.equals("Adam") ? 10_000 : 1_000;
        try (var arena = TensorArena.ofConfined()) {
            Layer net = new Sequential(new Linear(8, 16), new ReLU(), new Dropout(0.2), new Linear(16, 4));
            List<Tensor> parameters = net.parameters();
            Optimizer optimizer = makeOptimizer.apply(parameters);
            Tensor[] inputs = {Tensor.randn(4, 8), Tensor.randn(4, 8)};
            Tensor labels = Tensor.of(new int[] {0, 3, 1, 2});
            try (var compiled = CompiledFunction.of((x, y) -> {
                optimizer.zeroGradients();
                Tensor loss = Functional.crossEntropyLoss(net.forward(x), y);
                loss.backward(Release.EAGER);
                Gradients.clipNorm(parameters, 0.1);
                optimizer.step();
                return loss;
            })) {
                int[] i = {0};
                requireNothing(runs, () -> compiled.run(inputs[i[0]++ % 2], labels));
                assertEquals(1, compiled.recordings());
            }
        }
    /// Of all ops but those that [CompiledFunction] names, and products, which need more runs until calls of BLAS are
    /// compiled.
    @Test
    void replaysOfOpsAllocateNothing() throws Exception {
        List<String> others = lines(
                ReplayHeap.class,
                "bernoulli",
                "multinomial",
                "custom",
                "checkpoint of",
                "matmul",
                "fma",
                "linear",
                "constants");
        assertEquals(List.of(), others, "bytes of each run");
    }

    @Test
    void attentionAllocatesNothing() {
        try (var arena = TensorArena.ofConfined()) {
            var layer = new MultiheadAttention(8, 2, 0.1, true);
            Tensor padding = Tensor.of(new int[] {0, 0, 1, 0, 0, 0}, 2, 3).greater(0);
            try (var compiled = CompiledFunction.of(x -> {
                layer.zeroGradients();
                Tensor y = layer.forward(x, x, x, padding, null, true);
                Tensor loss = y.multiply(y).sum();
                loss.backward(Release.EAGER);
                return loss;
            })) {
                Tensor[] inputs = {Tensor.randn(2, 3, 8), Tensor.randn(2, 3, 8)};
                int[] i = {0};
                requireNothing(10_000, () -> compiled.run(inputs[i[0]++ % 2]));
                assertEquals(1, compiled.recordings());
            }
        }
    }
}
