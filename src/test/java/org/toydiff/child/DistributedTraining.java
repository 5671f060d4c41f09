package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.train.Callback;
import org.toydiff.train.ConsoleProgress;
import org.toydiff.train.Trainer;
import org.toydiff.train.Training;
import org.toydiff.train.metrics.Accuracy;
import org.toydiff.train.report.History;

/// Trains by [Trainer#processes] on 4 shards, and prints losses, metrics and the parameters at the end.
///
/// Arguments: a folder for checkpoints or `-`; epochs; a mode: `eager`, `compiled`, `resume`, `stop` (one process
/// asks to stop in step 5), `kill` (one process is killed in step 7).
public final class DistributedTraining {
    private static final int SHARDS = 4;
    private static final int EXAMPLES = 92;
    private static final int BATCH = 21;
    private static final int INPUTS = 10;

    private DistributedTraining() {}

    public static void main(String[] args) throws IOException {
        try (var group = ProcessGroup.mpi()) {
            if (args[2].equals("stop")) {
                System.out.println("refused: " + refused(group));
            }
            lines(group, args).forEach(System.out::println);
        }
    }

    /// Runs a training.
    ///
    /// @return the loss of each step, the columns of each epoch, and the parameters and state at the end
    public static List<String> lines(ProcessGroup group, String... args) throws IOException {
        List<String> lines = new ArrayList<>();
        try (var arena = TensorArena.ofShared()) {
            Tensor.manualSeed(9);
            var net = new Sequential(
                    new Linear(INPUTS, 40),
                    new BatchNorm1d(40),
                    new ReLU(),
                    new Dropout(0.1),
                    new Linear(40, 120),
                    new ReLU(),
                    new Linear(120, 3));
            var optimizer = new Adam(net.parameters(), 1e-3);
            var trainer = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
                    .metrics(new Accuracy())
                    .clipNorm(1)
                    .epochs(Integer.parseInt(args[1]))
                    .compiled(args[2].equals("compiled"))
                    .callbacks(ConsoleProgress.standard(), fault(args[2], group))
                    .processes(group, SHARDS);
            if (!args[0].equals("-")) {
                trainer.checkpoints(Path.of(args[0])).checkpointEvery(3);
            }
            if (args[2].equals("resume")) {
                trainer.resume();
            }
            var random = new SplittableRandom(4);
            Training training = trainer.fit(
                    DataLoader.of(data(random), BATCH).shuffle(5).prefetch(1), DataLoader.of(data(random), BATCH));
            History history = training.history();
            for (int row = 0; row < history.steps(); row++) {
                lines.add("step " + history.stepValue("loss", row) + " " + history.stepValue("accuracy", row) + " "
                        + history.stepValue("gradient_norm", row) + " " + history.stepValue("examples", row));
            }
            for (int row = 0; row < history.epochs(); row++) {
                lines.add("epoch " + history.epochValue("loss", row) + " " + history.epochValue("validation_loss", row)
                        + " " + history.epochValue("validation_accuracy", row));
            }
            lines.add("stopped: " + training.stopReason());
            add(lines, net.stateDict());
            // The trainer has put it together again.
            add(lines, optimizer.stateDict());
            optimizer.step();
        }
        return lines;
    }

    /// The message of a training whose processes shuffle differently.
    private static String refused(ProcessGroup group) throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var net = new Linear(INPUTS, 3);
            var trainer = Trainer.of(net, new Adam(net.parameters(), 1e-3), Functional::crossEntropyLoss)
                    .processes(group, SHARDS);
            var loader = DataLoader.of(data(new SplittableRandom(4)), BATCH);
            try {
                trainer.fit(loader.shuffle(group.rank()));
                return "";
            } catch (IllegalStateException e) {
                return e.getMessage();
            }
        }
    }

    private static TensorDataset data(SplittableRandom random) {
        return new TensorDataset(
                Tensor.randn(random, EXAMPLES, INPUTS),
                Tensor.rand(random, EXAMPLES).multiply(3).floor().cast(DType.INT64));
    }

    private static Callback fault(String mode, ProcessGroup group) {
        boolean last = group.rank() == group.size() - 1;
        return new Callback() {
            @Override
            public void onStepEnd(Training training) {
                if (last && mode.equals("stop") && training.step() == 5) {
                    training.stop("asked to");
                }
                if (last && mode.equals("kill") && training.step() == 7) {
                    Runtime.getRuntime().halt(137);
                }
            }
        };
    }

    private static void add(List<String> lines, Map<String, Tensor> state) {
        state.forEach((name, tensor) -> lines.add(
                name + " " + Arrays.hashCode(tensor.cast(DType.FLOAT64).toDoubleArray())));
    }
}
