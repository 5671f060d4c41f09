package org.toydiff.bench.scaleout;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
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
            "Measures collectives between ranks of this machine, from 4 bytes to 64 MiB.",
            "Times are medians over the rounds, in microseconds; bandwidths are those of the bus, in GB/s."
        })
final class CollectivesCommand implements Callable<Integer> {
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
        List<String> tables = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            System.err.println("round " + round + " of " + rounds);
            tables.add(MpiRun.collectivesInC(ranks));
        }
        SortedMap<Long, Double> exchange = medians(tables, CollectiveTable.EXCHANGE);
        System.out.print(table(medians(tables, CollectiveTable.ALL_REDUCE), exchange));
        System.out.println(
                Network.fit("fitted to the exchange", ranks, exchange).describe());
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

    private String table(SortedMap<Long, Double> allReduce, SortedMap<Long, Double> exchange) {
        var text = new StringBuilder(
                String.format("%10s %12s %8s %12s %8s%n", "bytes", "allreduce", "GB/s", "exchange", "GB/s"));
        allReduce.forEach((bytes, micros) -> text.append(String.format(
                Locale.ROOT,
                "%10d %12.2f %8.3f %12.2f %8.3f%n",
                bytes,
                micros,
                CollectiveTable.busBandwidth(ranks, bytes, micros),
                exchange.get(bytes),
                CollectiveTable.busBandwidth(ranks, bytes, exchange.get(bytes)))));
        return text.toString();
    }
}
