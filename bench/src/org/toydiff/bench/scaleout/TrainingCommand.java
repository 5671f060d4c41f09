package org.toydiff.bench.scaleout;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.toydiff.bench.compare.CommandLines;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.Timing;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Compares training on ranks of this machine with one process on all of its cores, and with the [StepModel].
@Command(
        name = "training",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Compares training steps on ranks of this machine, which divide its cores and the batch, with those of one"
                    + " process on all cores, by turns.",
            "Times are medians over the rounds, in milliseconds. A speed is that of the ranks over that of one process; the"
                    + " prediction is the cost model's, from a process on the cores of one rank and the collectives."
        })
final class TrainingCommand implements Callable<Integer> {
    /// Bits differ between one batch and shards of it; a wrong update differs by far more.
    private static final double LOSS_TOLERANCE = 1e-3;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            defaultValue = "2",
            description = "The number of ranks, 2 or more (default: ${DEFAULT-VALUE}).")
    private int ranks;

    @Option(
            names = "--batch",
            paramLabel = "N",
            split = ",",
            defaultValue = "1024,8192",
            description = "Batches, multiples of the ranks (default: ${DEFAULT-VALUE}).")
    private int[] batches;

    @Option(
            names = "--optimizer",
            paramLabel = "NAME",
            defaultValue = "sgd",
            description = "sgd or adam (default: ${DEFAULT-VALUE}).")
    private String optimizer;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "The number of rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Override
    public Integer call() throws IOException {
        requireValidOptions();
        PrintWriter out = spec.commandLine().getOut();
        Network network = MpiRun.network(ranks);
        out.println(network.describe());
        out.println(heading());
        for (int batch : batches) {
            out.println(measure(batch, network));
            out.flush();
        }
        return 0;
    }

    /// Returns the row of a batch.
    private String measure(int batch, Network network) throws IOException {
        List<Double> alone = new ArrayList<>();
        List<Double> together = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            System.err.println("batch " + batch + ", round " + round + " of " + rounds);
            TrainingRank.Result one = alone(batch);
            TrainingRank.Result several = together(batch);
            requireEqualLosses(one.loss(), several.loss());
            alone.add(one.millis());
            together.add(several.millis());
        }
        return row(batch, median(alone), median(together), predicted(network, batch));
    }

    private void requireValidOptions() {
        boolean valid = ranks >= 2 && rounds >= 1 && optimizer.matches("sgd|adam");
        for (int batch : batches) {
            valid = valid && batch >= NodeMeasurement.MIN_BATCH && batch % ranks == 0;
        }
        if (!valid) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--ranks must be 2 or more, --rounds 1 or more, --optimizer sgd or adam, --batch a multiple of the"
                            + " ranks and " + NodeMeasurement.MIN_BATCH + " or more");
        }
    }

    private TrainingRank.Result alone(int batch) throws IOException {
        return TrainingRank.Result.parse(CommandLines.output(command("alone", batch), ProcessBuilder.Redirect.INHERIT));
    }

    private TrainingRank.Result together(int batch) throws IOException {
        return TrainingRank.Result.parse(MpiRun.output(ranks, command("together", batch)));
    }

    private List<String> command(String mode, int batch) {
        List<String> command = CommandLines.java(TrainingRank.class);
        command.addAll(List.of(mode, optimizer, Integer.toString(batch)));
        return command;
    }

    /// Returns the time of a step by the cost model, in milliseconds.
    private double predicted(Network network, int batch) throws IOException {
        int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / ranks);
        List<String> command = CommandLines.java(NodeMeasurement.class, "-Dtoydiff.threads=" + threads);
        command.addAll(List.of(optimizer, Integer.toString(batch)));
        NodeCost rank = NodeMeasurement.parse(CommandLines.output(command, ProcessBuilder.Redirect.INHERIT));
        double bytes = NodeMeasurement.parameters(StartingNumbers.STEP_WIDTHS) * (double) Float.BYTES;
        var model = new StepModel(rank, bytes, StepModel.BUCKET_BYTES, 0, false);
        return model.time(network, ranks).step() * 1e3;
    }

    /// Requires that the ranks train the net that one process trains.
    static void requireEqualLosses(double alone, double together) throws IOException {
        if (!(Math.abs(alone - together) <= LOSS_TOLERANCE * Math.abs(alone))) {
            throw new IOException("one process has the loss " + alone + " after ten steps and the ranks " + together
                    + "; they do not train alike, so that their times cannot be compared");
        }
    }

    private static double median(List<Double> values) {
        return Timing.median(values.stream().mapToDouble(x -> x).toArray());
    }

    private String heading() {
        return String.format(
                "%8s %14s %14s %8s %14s", "batch", "one process ms", ranks + " ranks ms", "speed", "predicted ms");
    }

    private static String row(int batch, double alone, double together, double predicted) {
        return String.format(
                Locale.ROOT, "%8d %14.3f %14.3f %8.3f %14.3f", batch, alone, together, alone / together, predicted);
    }
}
