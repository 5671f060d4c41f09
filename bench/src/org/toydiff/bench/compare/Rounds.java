package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Measures contestants in turn, A B C A B C …, so that changes of the machine's state affect all alike.
final class Rounds {
    /// The pause in which a pool of threads stops spinning after its last work, before the next contestant's turn.
    private static final long PAUSE_MILLIS = 50;

    private final int rounds;
    private final double warmUpSeconds;

    /// @param rounds the number of timed rounds
    /// @param warmUpSeconds the time for which each contestant is warmed up before them
    Rounds(int rounds, double warmUpSeconds) {
        this.rounds = rounds;
        this.warmUpSeconds = warmUpSeconds;
    }

    /// Warms each contestant up, then measures.
    Measurement warm(String name, String unit, List<Contestant> contestants) throws IOException {
        for (Contestant contestant : contestants) {
            warmUp(contestant);
        }
        return cold(name, unit, contestants);
    }

    /// Measures without a warm-up, for processes that are started in each round.
    Measurement cold(String name, String unit, List<Contestant> contestants) throws IOException {
        Measurement measurement = Measurement.of(name, unit);
        for (int round = 0; round < rounds; round++) {
            for (Contestant contestant : contestants) {
                pause();
                measurement.add(contestant.name(), contestant.measure().once());
            }
        }
        Progress.say("  " + name + "  " + summary(measurement));
        return measurement;
    }

    private void warmUp(Contestant contestant) throws IOException {
        pause();
        long start = System.nanoTime();
        do {
            contestant.measure().once();
        } while (System.nanoTime() - start < warmUpSeconds * 1e9);
    }

    private static String summary(Measurement measurement) {
        return measurement.rounds().keySet().stream()
                .map(name -> String.format(Locale.ROOT, "%s %,.4g", name, measurement.median(name)))
                .collect(Collectors.joining("   ", "", " " + measurement.unit()));
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
