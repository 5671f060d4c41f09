package org.toydiff.child;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.distributed.DataParallel;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.BatchNorm2d;
import org.toydiff.nn.Conv2d;
import org.toydiff.nn.Flatten;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.SGD;
import org.toydiff.train.Trainer;
import org.toydiff.train.Training;
import org.toydiff.train.report.History;

/// Trains models with batch normalization synchronized over the processes, on batches that do not divide evenly, and
/// prints losses, gradient norms, outputs, parameters and buffers: those of one process with whole batches, up to
/// rounding.
public final class SynchronizedSteps {
    /// Batches of 11 and 10 give rank 0 of two, and of three, as many examples, and so one recording.
    private static final int[] EXAMPLES = {11, 10, 4, 11, 10, 11};

    /// The step in which two batches are accumulated.
    private static final int ACCUMULATED = 4;

    private static final int CLASSES = 3;

    private SynchronizedSteps() {}

    public static void main(String[] args) throws IOException {
        try (var group = ProcessGroup.mpi()) {
            lines(group).forEach(System.out::println);
        }
    }

    /// The lines of a run: a dtype, a name, and numbers.
    ///
    /// @throws AssertionError if compiled steps have other bits
    public static List<String> lines(ProcessGroup group) throws IOException {
        List<String> lines = new ArrayList<>();
        for (DType dtype : List.of(DType.FLOAT64, DType.FLOAT32)) {
            List<String> eager = lines(dtype, group, false);
            List<String> compiled = lines(dtype, group, true);
            if (!eager.equals(compiled)) {
                throw new AssertionError("eager: " + eager + "\ncompiled: " + compiled);
            }
            lines.addAll(eager);
        }
        return lines;
    }

    private static List<String> lines(DType dtype, ProcessGroup group, boolean compiled) throws IOException {
        List<String> lines = new ArrayList<>();
        try (var arena = TensorArena.ofShared()) {
            // Other parameters in every process, of which those of rank 0 count.
            Tensor.manualSeed(100 + group.rank());
            train(net(dtype), dtype, group, compiled, lines);
            fit(net(dtype), dtype, group, compiled, lines);
        }
        return lines;
    }

    private static Layer net(DType dtype) {
        return new Sequential(
                new Conv2d(dtype, 2, 3, new long[] {3, 3}, 1, true),
                new BatchNorm2d(dtype, 3),
                new Tanh(),
                new Flatten(),
                new Linear(dtype, 27, 8),
                new BatchNorm1d(dtype, 8),
                new Tanh(),
                new Linear(dtype, 8, CLASSES));
    }

    private static void train(Layer net, DType dtype, ProcessGroup group, boolean compiled, List<String> lines) {
        var optimizer = new SGD(net.parameters(), 0.1).momentum(0.9);
        var random = new SplittableRandom(5);
        Tensor weight = Tensor.zeros(dtype);
        try (var parallel = DataParallel.of(net, optimizer, group, group.size());
                var pass = CompiledFunction.of((x, y) -> {
                    Tensor loss = Functional.crossEntropyLoss(net.forward(x), y);
                    loss.backward(weight, Release.EAGER);
                    return loss;
                })) {
            parallel.synchronizeBatchNorm();
            for (int step = 0; step < EXAMPLES.length; step++) {
                try (var scratch = TensorArena.ofConfined()) {
                    var batch = new SharedBatch(data(dtype, random, EXAMPLES[step]), group.size());
                    if (step == ACCUMULATED) {
                        try (var local = parallel.noSync()) {
                            parallel.backward(shard -> batch.loss(net, shard), batch::weight);
                        }
                    }
                    double loss = compiled
                            ? parallel.backwardBy(
                                    shard -> {
                                        weight.copyFrom(Tensor.full(dtype, batch.weight(shard)));
                                        return pass.run(batch.x(shard), batch.y(shard))
                                                .item();
                                    },
                                    batch::weight)
                            : parallel.backward(shard -> batch.loss(net, shard), batch::weight);
                    add(lines, dtype, "step", loss, parallel.gradientNorm());
                    parallel.step();
                }
            }
        }
        addResults(lines, dtype, net);
    }

    /// A batch whose examples are divided among shards, as evenly as they can be.
    private record SharedBatch(Tensor all, Tensor targets, int shards) {
        SharedBatch(Tensor[] data, int shards) {
            this(data[0], data[1], shards);
        }

        private long first(int shard) {
            return shard * all.size(0) / shards;
        }

        Tensor x(int shard) {
            return all.slice(0, first(shard), first(shard + 1));
        }

        Tensor y(int shard) {
            return targets.slice(0, first(shard), first(shard + 1));
        }

        double weight(int shard) {
            return (double) (first(shard + 1) - first(shard)) / all.size(0);
        }

        Tensor loss(Layer net, int shard) {
            return Functional.crossEntropyLoss(net.forward(x(shard)), y(shard));
        }
    }

    private static void fit(Layer net, DType dtype, ProcessGroup group, boolean compiled, List<String> lines)
            throws IOException {
        var random = new SplittableRandom(4);
        Tensor[] training = data(dtype, random, 26);
        Tensor[] validation = data(dtype, random, 9);
        Training state = Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss)
                .epochs(2)
                .compiled(compiled)
                .processes(group)
                .synchronizeBatchNorm()
                .fit(
                        DataLoader.of(new TensorDataset(training[0], training[1]), 8)
                                .shuffle(3)
                                .dropLast(),
                        DataLoader.of(new TensorDataset(validation[0], validation[1]), 5));
        if (state.predictedStepBytes() != state.measuredStepBytes() && !compiled) {
            throw new AssertionError(
                    state.predictedStepBytes() + " bytes were predicted, not " + state.measuredStepBytes());
        }
        History history = state.history();
        add(lines, dtype, "losses", history.stepValues("loss"));
        add(lines, dtype, "validation", history.epochValues("validation_loss"));
        addResults(lines, dtype, net);
    }

    /// Inputs whose mean and deviation differ from 0 and 1, and targets.
    private static Tensor[] data(DType dtype, SplittableRandom random, long examples) {
        return new Tensor[] {
            Tensor.randn(dtype, random, examples, 2, 5, 5).multiply(3).add(2),
            Tensor.rand(random, examples).multiply(CLASSES).floor().cast(DType.INT64)
        };
    }

    private static void addResults(List<String> lines, DType dtype, Layer net) {
        net.stateDict().forEach((name, tensor) -> add(lines, dtype, name, tensor));
        // Not synchronized any more: these examples are the whole batch.
        Tensor x = data(dtype, new SplittableRandom(6), 3)[0];
        add(lines, dtype, "training_outputs", net.forward(x));
        net.eval();
        add(lines, dtype, "outputs", net.forward(x));
    }

    private static void add(List<String> lines, DType dtype, String name, Tensor values) {
        add(lines, dtype, name, values.detach().cast(DType.FLOAT64).toDoubleArray());
    }

    private static void add(List<String> lines, DType dtype, String name, double... numbers) {
        lines.add(Arrays.stream(numbers)
                .mapToObj(Double::toString)
                .collect(Collectors.joining(" ", dtype + " " + name + " ", "")));
    }
}
