package org.toydiff.bench.peer;

import static org.toydiff.nn.Functional.crossEntropyLoss;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.toydiff.DType;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.distributed.DataParallel;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// Trains linear layers with ReLU in between from the starting numbers, with toydiff.
public final class ToydiffTraining implements AutoCloseable {
    private final TensorArena model = TensorArena.ofShared();
    private final Sequential net;
    private final Optimizer optimizer;
    private Tensor x;
    private Tensor labels;

    /// Creates a net and its optimizer in a new arena.
    ///
    /// @param optimizer `sgd` or `adam`
    /// @param widths the sizes of the layers, the input's first
    public ToydiffTraining(String optimizer, int... widths) {
        this.net = net(ReLU::new, widths);
        this.optimizer = switch (optimizer) {
            case "sgd" -> new SGD(net.parameters(), StartingNumbers.SGD_RATE, StartingNumbers.MOMENTUM);
            case "adam" -> new Adam(net.parameters(), StartingNumbers.ADAM_RATE);
            default -> throw new IllegalArgumentException(optimizer + " is neither sgd nor adam");
        };
    }

    /// Returns linear layers with the starting numbers, and an activation between them.
    static Sequential net(Supplier<Layer> activation, int... widths) {
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer + 1 < widths.length; layer++) {
            if (layer > 0) {
                layers.add(activation.get());
            }
            layers.add(linear(layer, widths[layer], widths[layer + 1]));
        }
        return new Sequential(layers.toArray(Layer[]::new));
    }

    private static Linear linear(int layer, int in, int out) {
        var linear = new Linear(in, out);
        var parameters = linear.namedParameters();
        StartingNumbers.writeWeight(parameters.get("weight").segment(), layer, in, out);
        parameters.get("bias").segment().fill((byte) 0);
        return linear;
    }

    /// Creates the batch that the next steps train on.
    ///
    /// @param rows the number of rows
    public void use(int rows) {
        long width = net.parameters().getFirst().size(1);
        x = Tensor.empty(model, DType.FLOAT32, rows, width);
        StartingNumbers.writeInputs(x.segment(), rows * width);
        labels = Tensor.empty(model, DType.INT32, rows);
        StartingNumbers.writeLabels(labels.segment(), rows);
    }

    /// Runs one step: forward, backward, update.
    ///
    /// @return the loss before the update
    public double step() {
        return step(x, labels);
    }

    /// Runs one step on some rows of the batch.
    ///
    /// @param from the first row
    /// @param to the row after the last
    /// @return the loss before the update
    public double step(int from, int to) {
        return step(x.slice(0, from, to), labels.slice(0, from, to));
    }

    private double step(Tensor x, Tensor labels) {
        try (var step = TensorArena.ofConfined()) {
            Tensor loss = crossEntropyLoss(net.forward(x), labels);
            loss.backward(Release.EAGER);
            optimizer.step();
            optimizer.zeroGradients();
            return loss.item();
        }
    }

    /// Runs one step on the whole batch, and reads the clock between its phases.
    ///
    /// @return the times of the forward pass, the backward pass and the update, in seconds
    public double[] phases() {
        try (var step = TensorArena.ofConfined()) {
            long start = System.nanoTime();
            Tensor loss = crossEntropyLoss(net.forward(x), labels);
            long forward = System.nanoTime();
            loss.backward(Release.EAGER);
            long backward = System.nanoTime();
            optimizer.step();
            optimizer.zeroGradients();
            long update = System.nanoTime();
            return new double[] {(forward - start) / 1e9, (backward - forward) / 1e9, (update - backward) / 1e9};
        }
    }

    /// Begins to train together with other processes.
    ///
    /// @param group the processes
    /// @param shards the number of parts of a batch
    /// @return the training, to be closed before this
    public DataParallel parallel(ProcessGroup group, int shards) {
        return DataParallel.of(net, optimizer, group, shards);
    }

    /// Runs one step on the batch together with other processes, which have the same batch.
    ///
    /// @param parallel from [#parallel]
    /// @param shards the number of parts of the batch, which divides it
    /// @return the loss before the update
    public double step(DataParallel parallel, int shards) {
        long rows = x.size(0) / shards;
        double loss = parallel.backward(shard -> {
            long from = shard * rows;
            return crossEntropyLoss(net.forward(x.slice(0, from, from + rows)), labels.slice(0, from, from + rows));
        });
        parallel.step();
        return loss;
    }

    @Override
    public void close() {
        model.close();
    }
}
