package org.toydiff.bench.scaleout;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.toydiff.bench.compare.CommandLines;
import org.toydiff.bench.peer.Timing;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Measures collectives between ranks of this machine.
@Command(
        name = "collectives",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measures all-reduce between ranks of this machine in C and in toydiff by turns, from 4 bytes to 64 MiB.",
            "Times are medians over the rounds, in microseconds; bandwidths are those of the bus, in GB/s."
        })
final class CollectivesCommand implements Callable<Integer> {
    private static final long LARGE_BYTES = 1 << 20;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            defaultValue = "2",
            description = "The number of ranks, 2 or more (default: ${DEFAULT-VALUE}).")
    private int ranks;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "The number of rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Override
    public Integer call() throws IOException {
        if (ranks < 2 || rounds < 1) {
            throw new ParameterException(spec.commandLine(), "--ranks must be 2 or more, --rounds 1 or more");
        }
        List<String> inC = new ArrayList<>();
        List<String> inJava = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            System.err.println("round " + round + " of " + rounds);
            inC.add(MpiRun.collectivesInC(ranks));
            inJava.add(MpiRun.output(ranks, CommandLines.java(CollectivesRank.class)));
        }
        SortedMap<Long, Double> reference = medians(inC, CollectiveTable.ALL_REDUCE);
        SortedMap<Long, Double> own = medians(inJava, CollectiveTable.ALL_REDUCE);
        SortedMap<Long, Double> exchange = medians(inC, CollectiveTable.EXCHANGE);
        PrintWriter out = spec.commandLine().getOut();
        out.print(table(ranks, reference, own, exchange));
        out.printf(
                Locale.ROOT, "bandwidth of toydiff / C from 1 MiB on, geometric mean: %.3f%n", ratio(reference, own));
        SortedMap<Long, Double> least = medians(inC, CollectiveTable.LEAST_EXCHANGE);
        out.println(Network.fit("fitted to the least times of the exchange", ranks, least)
                .describe());
        out.flush();
        return 0;
    }

    /// Returns the medians of a column over the rounds.
    static SortedMap<Long, Double> medians(List<String> tables, int column) {
        SortedMap<Long, List<Double>> rounds = new TreeMap<>();
        for (String table : tables) {
            CollectiveTable.micros(table, column)
                    .forEach((bytes, micros) -> rounds.computeIfAbsent(bytes, key -> new ArrayList<>())
                            .add(micros));
        }
        SortedMap<Long, Double> medians = new TreeMap<>();
        rounds.forEach((bytes, micros) -> medians.put(
                bytes, Timing.median(micros.stream().mapToDouble(x -> x).toArray())));
        return medians;
    }

    /// Returns the geometric mean of the bandwidths' ratios over the sizes where bandwidth counts.
    static double ratio(SortedMap<Long, Double> reference, SortedMap<Long, Double> own) {
        return Math.exp(reference.tailMap(LARGE_BYTES).entrySet().stream()
                .mapToDouble(size -> Math.log(size.getValue() / own.get(size.getKey())))
                .average()
                .orElse(Double.NaN));
    }

    /// Returns the table of times in microseconds and bandwidths in GB/s.
    static String table(
            int ranks,
            SortedMap<Long, Double> reference,
            SortedMap<Long, Double> own,
            SortedMap<Long, Double> exchange) {
        var text = new StringBuilder(String.format(
                "%10s %12s %8s %12s %8s %8s %12s %8s%n",
                "bytes", "C allreduce", "GB/s", "toydiff", "GB/s", "ratio", "C exchange", "GB/s"));
        reference.forEach((bytes, micros) -> text.append(String.format(
                Locale.ROOT,
                "%10d %12.2f %8.3f %12.2f %8.3f %8.3f %12.2f %8.3f%n",
                bytes,
                micros,
                CollectiveTable.busBandwidth(ranks, bytes, micros),
                own.get(bytes),
                CollectiveTable.busBandwidth(ranks, bytes, own.get(bytes)),
                micros / own.get(bytes),
                exchange.get(bytes),
                CollectiveTable.busBandwidth(ranks, bytes, exchange.get(bytes)))));
        return text.toString();
    }
}
