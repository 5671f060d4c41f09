package org.toydiff.bench.scaleout;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Prints the times that a [StepModel] predicts.
@Command(
        name = "predict",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Predicts the step time and the efficiency of data-parallel training on 1 to 64 nodes.",
            "Times that are not given are measured on this machine, with linear layers and ReLU trained by SGD."
        })
final class PredictCommand implements Callable<Integer> {
    private static final int RANKS_HERE = 2;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--layers",
            paramLabel = "N",
            split = ",",
            defaultValue = "784,512,256,10",
            description = "The sizes of the layers to measure (default: ${DEFAULT-VALUE}).")
    private int[] layers;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "8192",
            description = "The rows of one node's batch to measure (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--forward-ms", paramLabel = "T", description = "The forward pass over one node's batch.")
    private Double forwardMillis;

    @Option(names = "--backward-ms", paramLabel = "T", description = "The backward pass.")
    private Double backwardMillis;

    @Option(names = "--update-ms", paramLabel = "T", description = "The optimizer's update of all parameters.")
    private Double updateMillis;

    @Option(
            names = "--fixed-part",
            paramLabel = "F",
            description = "The part of both passes that takes as long for a smaller batch, 0 to 1.")
    private Double fixedPart;

    @Option(
            names = "--sum-gbs",
            paramLabel = "B",
            description = "GB of a gradient that a node adds to another one in a second.")
    private Double sumGigabytes;

    @Option(
            names = "--parameters",
            paramLabel = "N",
            description = "The number of parameters, in float32 (default: those of --layers).")
    private Long parameters;

    @Option(
            names = "--bucket-kib",
            paramLabel = "N",
            description = "The size of a bucket of gradients in KiB (default: ${DEFAULT-VALUE}, DataParallel's).")
    private double bucketKib = StepModel.BUCKET_BYTES / 1024;

    @Option(
            names = "--shards",
            paramLabel = "N",
            defaultValue = "0",
            description = "The shards of the global batch; 0 is one for each node (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(names = "--weak", description = "The global batch grows with the nodes; otherwise it is that of one node.")
    private boolean weak;

    @Option(
            names = "--network",
            paramLabel = "NET",
            split = ",",
            defaultValue = "here,10:30,25:20,100:2",
            description = "Networks, as Gb/s:latency in microseconds; \"here\" is measured between two ranks of this"
                    + " machine (default: ${DEFAULT-VALUE}).")
    private List<String> networks;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,2,4,8,16,32,64",
            description = "Numbers of nodes, of one rank each (default: ${DEFAULT-VALUE}).")
    private int[] nodes;

    @Override
    public Integer call() throws IOException {
        requireValidOptions();
        List<Network> measured = new ArrayList<>();
        for (String network : networks) {
            measured.add(network(network));
        }
        NodeCost cost = cost();
        long count = parameters != null ? parameters : NodeMeasurement.parameters(layers);
        var model = new StepModel(cost, count * (double) Float.BYTES, bucketKib * 1024, shards, weak);
        PrintWriter out = spec.commandLine().getOut();
        out.println(heading(model));
        measured.forEach(network -> out.print("\n" + table(model, network, nodes)));
        out.flush();
        return 0;
    }

    private void requireValidOptions() {
        require(layers.length >= 2 && positive(layers), "--layers must have two or more positive sizes");
        require(batch >= NodeMeasurement.MIN_BATCH, "--batch must be " + NodeMeasurement.MIN_BATCH + " or more");
        require(nodes.length > 0 && positive(nodes), "--nodes must be positive");
        require(parameters == null || parameters > 0, "--parameters must be positive");
        require(bucketKib > 0, "--bucket-kib must be positive");
        require(shards >= 0, "--shards must not be negative");
        require(sumGigabytes == null || sumGigabytes > 0, "--sum-gbs must be positive");
        require(fixedPart == null || fixedPart >= 0 && fixedPart <= 1, "--fixed-part must be within 0 and 1");
        require(
                Stream.of(forwardMillis, backwardMillis, updateMillis).allMatch(t -> t == null || t >= 0),
                "times must not be negative");
    }

    private void require(boolean valid, String message) {
        if (!valid) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private static boolean positive(int[] numbers) {
        for (int number : numbers) {
            if (number <= 0) {
                return false;
            }
        }
        return true;
    }

    private Network network(String word) throws IOException {
        if (word.equals("here")) {
            return MpiRun.network(RANKS_HERE);
        }
        try {
            String[] numbers = word.split(":", 2);
            double gigabits = Double.parseDouble(numbers[0]);
            double micros = Double.parseDouble(numbers[1]);
            require(gigabits > 0 && micros >= 0, "--network: " + word + " must be positive");
            return Network.of(numbers[0] + " Gb/s", gigabits, micros);
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new ParameterException(
                    spec.commandLine(), "--network: " + word + " is neither \"here\" nor Gb/s:microseconds", e);
        }
    }

    /// Returns the costs given, and for those that are not measures all of them.
    private NodeCost cost() {
        boolean given = Stream.of(forwardMillis, backwardMillis, updateMillis, fixedPart, sumGigabytes)
                .allMatch(Objects::nonNull);
        NodeCost measured = given ? new NodeCost(0, 0, 0, 0, 0) : measure();
        return new NodeCost(
                forwardMillis == null ? measured.forward() : forwardMillis / 1e3,
                backwardMillis == null ? measured.backward() : backwardMillis / 1e3,
                updateMillis == null ? measured.update() : updateMillis / 1e3,
                fixedPart == null ? measured.fixedPart() : fixedPart,
                sumGigabytes == null ? measured.sumPerByte() : 1e-9 / sumGigabytes);
    }

    private NodeCost measure() {
        System.err.println("measuring a training step");
        return NodeMeasurement.measure("sgd", layers, batch);
    }

    private static String heading(StepModel model) {
        NodeCost node = model.node();
        return String.format(
                Locale.ROOT,
                "one node: forward %.2f ms, backward %.2f ms, of which %.1f %% whatever the batch; update %.2f ms;"
                        + " sums %.1f GB/s%n%,.0f B of gradients in buckets of %,.0f B; %s, %s",
                node.forward() * 1e3,
                node.backward() * 1e3,
                node.fixedPart() * 100,
                node.update() * 1e3,
                1e-9 / node.sumPerByte(),
                model.gradientBytes(),
                model.bucketBytes(),
                model.shards() == 0 ? "a shard for each node" : model.shards() + " shards",
                model.weak() ? "a batch that grows with the nodes" : "the same batch on any number of nodes");
    }

    /// Returns the table of a network, with times in milliseconds.
    static String table(StepModel model, Network network, int... nodes) {
        var text = new StringBuilder(String.format(
                Locale.ROOT,
                "%s%n%5s %10s %14s %10s %10s %10s %10s %10s%n",
                network.describe(),
                "nodes",
                "passes ms",
                "communication",
                "exposed",
                "update",
                "step ms",
                "speed-up",
                "efficiency"));
        for (int p : nodes) {
            StepModel.Time time = model.time(network, p);
            text.append(String.format(
                    Locale.ROOT,
                    "%5d %10.3f %14.3f %10.3f %10.3f %10.3f %10.2f %10.3f%n",
                    p,
                    time.passes() * 1e3,
                    time.communication() * 1e3,
                    time.exposed() * 1e3,
                    time.update() * 1e3,
                    time.step() * 1e3,
                    model.speedUp(network, p),
                    model.efficiency(network, p)));
        }
        return text.toString();
    }
}
