package org.toydiff.bench.scaleout;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.Timing;
import org.toydiff.bench.peer.ToydiffTraining;

/// Measures the costs of a training step on this machine, on all of toydiff's threads.
///
/// Usage: `NodeMeasurement OPTIMIZER BATCH`, for 784-512-256-10 in a process of its own.
public final class NodeMeasurement {
    private static final double WARM_UP_SECONDS = 2;
    private static final double SECONDS = 2;
    private static final int MIN_SAMPLES = 9;

    /// The divisor of the batch for a second measurement, from which the fixed part follows.
    private static final int DIVISOR = 8;

    /// The smallest batch that can be measured.
    static final int MIN_BATCH = DIVISOR;

    private NodeMeasurement() {}

    /// Measures and prints the costs, for [#parse].
    ///
    /// @param arguments see [NodeMeasurement]
    public static void main(String[] arguments) {
        NodeCost cost = measure(arguments[0], StartingNumbers.STEP_WIDTHS, Integer.parseInt(arguments[1]));
        ChildOutput.print(cost.forward(), cost.backward(), cost.update(), cost.fixedPart(), cost.sumPerByte());
    }

    /// Returns the costs that [#main] printed.
    static NodeCost parse(String output) {
        double[] costs = ChildOutput.parse(output);
        return new NodeCost(costs[0], costs[1], costs[2], costs[3], costs[4]);
    }

    /// Measures linear layers with ReLU between.
    ///
    /// @param optimizer `sgd`, with momentum, or `adam`
    /// @param widths the sizes of the layers, the input's first
    /// @param batch the rows of the batch, [#MIN_BATCH] or more
    static NodeCost measure(String optimizer, int[] widths, int batch) {
        try (var training = new ToydiffTraining(optimizer, widths)) {
            double[] whole = phases(training, batch);
            double[] small = phases(training, batch / DIVISOR);
            double part = (double) (batch / DIVISOR) / batch;
            return new NodeCost(
                    whole[0],
                    whole[1],
                    whole[2],
                    fixedPart(whole[0] + whole[1], small[0] + small[1], part),
                    sumPerByte(parameters(widths)));
        }
    }

    /// Returns the number of weights and biases.
    static long parameters(int[] widths) {
        long parameters = 0;
        for (int i = 0; i + 1 < widths.length; i++) {
            parameters += (widths[i] + 1L) * widths[i + 1];
        }
        return parameters;
    }

    /// Solves `small = whole·(f + (1 − f)·part)` for f. Noise can move it out of its range, as a cache can that is
    /// large enough for the small batch alone.
    static double fixedPart(double whole, double small, double part) {
        return Math.clamp((small / whole - part) / (1 - part), 0.0, 1.0);
    }

    /// Returns the medians of the phases' times, in seconds.
    private static double[] phases(ToydiffTraining training, int batch) {
        training.use(batch);
        repeat(WARM_UP_SECONDS, training::step);
        List<double[]> samples = new ArrayList<>();
        repeat(SECONDS, () -> samples.add(training.phases()));
        double[] medians = new double[3];
        for (int phase = 0; phase < medians.length; phase++) {
            int i = phase;
            medians[phase] = median(samples.stream().mapToDouble(sample -> sample[i]));
        }
        return medians;
    }

    private static void repeat(double seconds, Runnable call) {
        long start = System.nanoTime();
        for (int i = 0; i < MIN_SAMPLES || System.nanoTime() - start < seconds * 1e9; i++) {
            call.run();
        }
    }

    private static double sumPerByte(long elements) {
        try (var operands = TensorArena.ofConfined()) {
            Tensor a = Tensor.zeros(elements);
            Tensor b = Tensor.zeros(elements);
            List<Double> seconds = new ArrayList<>();
            repeat(SECONDS / 4, () -> {
                try (var result = TensorArena.ofConfined()) {
                    long start = System.nanoTime();
                    a.add(b);
                    seconds.add((System.nanoTime() - start) / 1e9);
                }
            });
            return median(seconds.stream().mapToDouble(s -> s)) / (elements * Float.BYTES);
        }
    }

    private static double median(DoubleStream values) {
        return Timing.median(values.toArray());
    }
}
