package org.toydiff.bench.scaleout;

import java.util.function.DoubleSupplier;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.Timing;
import org.toydiff.bench.peer.ToydiffTraining;
import org.toydiff.distributed.ProcessGroup;

/// Times training steps of 784-512-256-10 in one process, or in the processes of an MPI job, each of which computes its
/// part of the batch. The process of rank 0 prints the median in milliseconds and an early loss.
///
/// Usage: `TrainingRank alone|together OPTIMIZER BATCH`
public final class TrainingRank {
    /// The median of a time, in milliseconds, and the loss of a step at the start of training.
    record Result(double millis, double loss) {
        static Result parse(String output) {
            double[] numbers = ChildOutput.parse(output);
            return new Result(numbers[0], numbers[1]);
        }
    }

    /// The examples of the timed steps, and of those before them in which the JVM compiles.
    private static final int EXAMPLES = 1 << 18;

    private static final int MIN_STEPS = 21;

    /// The step whose loss is printed, late enough to show whether updates are right.
    private static final int COMPARED_STEP = 10;

    private TrainingRank() {}

    /// Trains and prints.
    ///
    /// @param arguments see [TrainingRank]
    public static void main(String[] arguments) {
        int batch = Integer.parseInt(arguments[2]);
        try (var training = new ToydiffTraining(arguments[1], StartingNumbers.STEP_WIDTHS)) {
            training.use(batch);
            switch (arguments[0]) {
                case "alone" -> print(time(batch, training::step));
                case "together" -> together(training, batch);
                default -> throw new IllegalArgumentException(arguments[0] + " is neither alone nor together");
            }
        }
    }

    private static void together(ToydiffTraining training, int batch) {
        try (var group = ProcessGroup.mpi();
                var parallel = training.parallel(group, group.size())) {
            Result result = time(batch, () -> training.step(parallel, group.size()));
            if (group.rank() == 0) {
                print(result);
            }
        }
    }

    private static Result time(int batch, DoubleSupplier step) {
        int steps = Math.max(MIN_STEPS, EXAMPLES / batch);
        double loss = Double.NaN;
        for (int i = 0; i < steps; i++) {
            double current = step.getAsDouble();
            loss = i == COMPARED_STEP ? current : loss;
        }
        double[] millis = new double[steps];
        for (int i = 0; i < steps; i++) {
            long start = System.nanoTime();
            step.getAsDouble();
            millis[i] = (System.nanoTime() - start) / 1e6;
        }
        return new Result(Timing.median(millis), loss);
    }

    private static void print(Result result) {
        ChildOutput.print(result.millis, result.loss);
    }
}
