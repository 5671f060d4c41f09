package org.toydiff.bench.peer;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

/// Trains linear layers with ReLU in between from the starting numbers, with DJL on PyTorch.
public final class DjlTraining implements AutoCloseable {
    private final Model model;
    private final Trainer trainer;
    private final int width;
    private NDManager data;
    private NDArray x;
    private NDArray labels;

    static {
        DjlOperands.settings();
    }

    /// Creates a net and its optimizer.
    ///
    /// @param optimizer `sgd` or `adam`
    /// @param widths the sizes of the layers, the input's first
    public DjlTraining(String optimizer, int... widths) {
        width = widths[0];
        model = Model.newInstance("net", "PyTorch");
        model.setBlock(net(widths));
        trainer = model.newTrainer(
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()).optOptimizer(optimizer(optimizer)));
        trainer.initialize(new Shape(1, width));
        setParameters(widths);
    }

    private static SequentialBlock net(int[] widths) {
        var net = new SequentialBlock();
        for (int layer = 1; layer < widths.length; layer++) {
            if (layer > 1) {
                net.add(Activation.reluBlock());
            }
            net.add(Linear.builder().setUnits(widths[layer]).build());
        }
        return net;
    }

    private static Optimizer optimizer(String name) {
        return switch (name) {
            case "sgd" ->
                Optimizer.sgd()
                        .setLearningRateTracker(Tracker.fixed((float) StartingNumbers.SGD_RATE))
                        .optMomentum((float) StartingNumbers.MOMENTUM)
                        .build();
            case "adam" ->
                Optimizer.adam()
                        .optLearningRateTracker(Tracker.fixed((float) StartingNumbers.ADAM_RATE))
                        .build();
            default -> throw new IllegalArgumentException(name + " is neither sgd nor adam");
        };
    }

    private void setParameters(int[] widths) {
        int layer = 0;
        for (Parameter parameter : model.getBlock().getParameters().values()) {
            int out = widths[layer + 1];
            if (parameter.getType() == Parameter.Type.WEIGHT) {
                parameter.getArray().set(DjlOperands.weight(layer, widths[layer], out));
            } else {
                parameter.getArray().set(DjlOperands.zeros(out));
                layer++;
            }
        }
    }

    /// Creates the batch that the next steps train on.
    ///
    /// @param rows the number of rows
    public void use(int rows) {
        closeData();
        data = model.getNDManager().newSubManager();
        x = DjlOperands.inputs(data, rows, width);
        labels = DjlOperands.labels(data, rows);
    }

    /// Runs one step: forward, backward, update.
    ///
    /// @return the loss before the update
    public double step() {
        // Results belong to the manager of the inputs, so closing this one frees them.
        try (NDManager step = data.newSubManager()) {
            x.tempAttach(step);
            labels.tempAttach(step);
            NDArray loss;
            try (GradientCollector gradients = trainer.newGradientCollector()) {
                NDList logits = trainer.forward(new NDList(x));
                loss = trainer.getLoss().evaluate(new NDList(labels), logits);
                gradients.backward(loss);
            }
            trainer.step();
            return loss.getFloat();
        }
    }

    private void closeData() {
        if (data != null) {
            data.close();
        }
    }

    @Override
    public void close() {
        closeData();
        trainer.close();
        model.close();
    }
}
