package org.toydiff.child;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.toydiff.CompiledFunction;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Embedding;
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
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;

/// Replays an inference and training steps, and prints for each the bytes of Java heap that a run takes from its
/// thread, in rounds until one takes nothing: `SGD [4352, 600, 0]`.
public final class ReplayedSteps {
    /// The compiler has seen each method often enough after some ten thousand runs. Until then it is the JVM's own
    /// machinery that allocates: downcalls that are interpreted, vector kernels on trial.
    private static final int MOST_RUNS = 200_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private ReplayedSteps() {}

    public static void main(String[] arguments) {
        inference();
        Map<String, Function<List<Tensor>, Optimizer>> optimizers = new LinkedHashMap<>();
        optimizers.put("SGD with momentum", p -> new SGD(p, 0.01).momentum(0.9));
        optimizers.put("Adam", p -> new Adam(p, 0.001));
        optimizers.put("SGD", p -> new SGD(p, 0.01));
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
        optimizers.forEach(ReplayedSteps::training);
        lookUp();
        attention();
        residuals();
    }

    /// A round takes nothing if it takes less than a byte for each run: a vector kernel that is tried once in thousands
    /// of runs makes some objects.
    private static void print(String name, int runs, Runnable run) {
        List<Long> bytes = new ArrayList<>();
        while (bytes.size() < MOST_RUNS / runs && !bytes.contains(0L)) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < runs; i++) {
                run.run();
            }
            bytes.add((THREADS.getCurrentThreadAllocatedBytes() - before) / runs);
        }
        System.out.println(name + " " + bytes);
    }

    private static void inference() {
        try (var arena = TensorArena.ofConfined()) {
            Layer net = new Sequential(new Linear(8, 16), new LayerNorm(16), new GELU(), new Linear(16, 4));
            net.eval();
            Tensor[] inputs = {
                Tensor.randn(3, 8), Tensor.randn(3, 8), Tensor.randn(9, 8).slice(0, 2, 5)
            };
            try (var compiled = CompiledFunction.of(x -> net.forward(x).softmax(1))) {
                int[] i = {0};
                print("inference", 10_000, () -> compiled.run(inputs[i[0]++ % 3]));
                requireOneRecording(compiled);
            }
        }
    }

    private static void training(String name, Function<List<Tensor>, Optimizer> makeOptimizer) {
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
                print(name, runs, () -> compiled.run(inputs[i[0]++ % 2], labels));
                requireOneRecording(compiled);
            }
        }
    }

    private static void lookUp() {
        try (var arena = TensorArena.ofConfined()) {
            var embedding = new Embedding(10, 4);
            var optimizer = new SGD(embedding.parameters(), 0.01);
            var scheduler = Scheduler.chained(
                    optimizer,
                    Schedule.warmUp(5, Schedule.step(100_000, 0.5)),
                    Schedule.linear(1, 0.5, 200),
                    Schedule.cosineWarmRestarts(300, 1, 0.001));
            Tensor positions = Tensor.of(new long[] {0, 9, 3, 3, 1});
            Tensor labels = Tensor.of(new int[] {0, 3, 1, 2, 2});
            try (var compiled = CompiledFunction.of((x, y) -> {
                optimizer.zeroGradients();
                Tensor loss = Functional.crossEntropyLoss(embedding.forward(x), y);
                loss.backward(Release.EAGER);
                optimizer.step();
                scheduler.step();
                return loss;
            })) {
                print("Embedding and schedules", 1_000, () -> compiled.run(positions, labels));
                requireOneRecording(compiled);
            }
        }
    }

    private static void attention() {
        try (var arena = TensorArena.ofConfined()) {
            var layer = new MultiheadAttention(8, 2, 0.1, true);
            Tensor padding = Tensor.of(new int[] {0, 0, 1, 0, 0, 0}, 2, 3).greater(0);
            Tensor[] inputs = {Tensor.randn(2, 3, 8), Tensor.randn(2, 3, 8)};
            try (var compiled = CompiledFunction.of(x -> {
                layer.zeroGradients();
                Tensor y = layer.forward(x, x, x, padding, null, true);
                Tensor loss = y.multiply(y).sum();
                loss.backward(Release.EAGER);
                return loss;
            })) {
                int[] i = {0};
                print("attention", 10_000, () -> compiled.run(inputs[i[0]++ % 2]));
                requireOneRecording(compiled);
            }
        }
    }

    /// Rows of two normalisations, softmax and dropout, and of their gradients, pass to the sums that follow.
    private static void residuals() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor weight = Tensor.rand(70).trackGradient();
            Tensor[] inputs = {Tensor.randn(300, 70), Tensor.randn(300, 70)};
            try (var compiled = CompiledFunction.of(x -> {
                weight.zeroGradient();
                Tensor first = x.multiply(weight);
                Tensor second = first.add(first.layerNorm(weight, weight, 1e-5));
                Tensor third = second.add(second.softmax(1).dropout(0.1));
                Tensor y = third.add(third.rmsNorm(weight, 1e-6));
                y.multiply(y).sum().backward(Release.EAGER);
                return weight.gradient();
            })) {
                int[] i = {0};
                print("residuals", 1_000, () -> compiled.run(inputs[i[0]++ % 2]));
                requireOneRecording(compiled);
            }
        }
    }

    private static void requireOneRecording(CompiledFunction compiled) {
        if (compiled.recordings() != 1) {
            throw new IllegalStateException("recorded again: " + compiled);
        }
    }
}
