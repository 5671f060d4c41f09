package org.toydiff;

import java.util.Map;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.Timing;
import org.toydiff.bench.peer.ToydiffTraining;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.RowWork;

/// The SGD training step of 784-512-256-10 as a straight line: the kernels and products of the library's own step,
/// started one after another on preallocated tensors, without graph, schedule, arenas or checks. The extra time of
/// the library's step is the cost of autograd.
///
/// It is in the library's package because launches are package-private.
public final class StraightLine implements AutoCloseable {
    private static final int[] WIDTHS = StartingNumbers.STEP_WIDTHS;
    private static final int LAYERS = WIDTHS.length - 1;

    private final TensorArena arena = TensorArena.ofShared();
    private final Tensor[] weights = new Tensor[LAYERS];
    private final Tensor[] biases = new Tensor[LAYERS];
    private final Tensor[] weightGradients = new Tensor[LAYERS];
    private final Tensor[] biasGradients = new Tensor[LAYERS];
    private final Tensor[] weightVelocities = new Tensor[LAYERS];
    private final Tensor[] biasVelocities = new Tensor[LAYERS];

    /// The input and each layer's output, which backward overwrites with the gradient of the activation's input.
    private final Tensor[] values = new Tensor[LAYERS + 1];

    private final Tensor labels;
    private final Tensor losses;
    private final Tensor loss = Tensor.empty();
    private final Tensor share;
    private final Tensor logitsGradient;

    private StraightLine(int batch) {
        for (int i = 0; i < LAYERS; i++) {
            weights[i] = Tensor.empty(WIDTHS[i + 1], WIDTHS[i]);
            StartingNumbers.writeWeight(weights[i].segment(), i, WIDTHS[i], WIDTHS[i + 1]);
            biases[i] = Tensor.zeros(WIDTHS[i + 1]);
            weightGradients[i] = Tensor.emptyLike(weights[i]);
            biasGradients[i] = Tensor.emptyLike(biases[i]);
            weightVelocities[i] = Tensor.zerosLike(weights[i]);
            biasVelocities[i] = Tensor.zerosLike(biases[i]);
            values[i + 1] = Tensor.empty(batch, WIDTHS[i + 1]);
        }
        values[0] = Tensor.empty(batch, WIDTHS[0]);
        StartingNumbers.writeInputs(values[0].segment(), values[0].size());
        labels = Tensor.empty(DType.INT32, batch);
        StartingNumbers.writeLabels(labels.segment(), batch);
        losses = Tensor.empty(batch);
        share = Tensor.full(1.0 / batch, batch);
        logitsGradient = Tensor.emptyLike(values[LAYERS]);
    }

    /// Times steps, after checking that their losses equal those of the library's own step.
    ///
    /// @param words the batch and the number of samples
    /// @return the answer to the request
    public static Map<String, ?> run(String... words) {
        int batch = Integer.parseInt(words[0]);
        // The launches expect the library to be loaded.
        Blas.library();
        requireSameLosses(batch);
        try (var line = new StraightLine(batch)) {
            return Timing.samples(Integer.parseInt(words[1]), line::step);
        }
    }

    private static void requireSameLosses(int batch) {
        double[] own = new double[3];
        try (var line = new StraightLine(batch)) {
            for (int i = 0; i < own.length; i++) {
                own[i] = line.step();
            }
        }
        try (var training = new ToydiffTraining("sgd", WIDTHS)) {
            training.use(batch);
            for (double loss : own) {
                double expected = training.step();
                if (Math.abs(loss - expected) > 1e-6 * expected) {
                    throw new IllegalStateException("the straight line's loss is " + loss + ", the step's " + expected);
                }
            }
        }
    }

    private double step() {
        forward();
        backward();
        for (int i = 0; i < LAYERS; i++) {
            Updates.sgd(
                    weights[i],
                    weightGradients[i],
                    weightVelocities[i],
                    StartingNumbers.SGD_RATE,
                    1,
                    StartingNumbers.MOMENTUM,
                    false,
                    0);
            Updates.sgd(
                    biases[i],
                    biasGradients[i],
                    biasVelocities[i],
                    StartingNumbers.SGD_RATE,
                    1,
                    StartingNumbers.MOMENTUM,
                    false,
                    0);
        }
        return loss.item();
    }

    private void forward() {
        for (int i = 0; i < LAYERS; i++) {
            ProductLaunch.beginThen(biases[i], i + 1 < LAYERS ? Activation.RELU : null, values[i + 1]);
            ProductLaunch.product(values[i], weights[i].matrixTranspose(), 0, values[i + 1]);
            ProductLaunch.endThen();
        }
        Launch.rows(RowWork.Kind.CROSS_ENTROPY, values[LAYERS], null, labels, RowWork.NONE, losses);
        Launch.reduction(ReductionKind.MEAN, 0, losses, loss.shape, loss);
    }

    private void backward() {
        Launch.rows(RowWork.Kind.CROSS_ENTROPY_GRADIENT, values[LAYERS], share, labels, RowWork.NONE, logitsGradient);
        Tensor g = logitsGradient;
        for (int i = LAYERS - 1; i >= 0; i--) {
            Launch.reduction(ReductionKind.SUM, 0, g, biasGradients[i].shape, biasGradients[i]);
            ProductLaunch.productOfSwapped(g, values[i], 0, weightGradients[i]);
            if (i > 0) {
                ProductLaunch.beginThrough(Activation.RELU, values[i]);
                ProductLaunch.product(g, weights[i], 0, values[i]);
                ProductLaunch.endThen();
                g = values[i];
            }
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
