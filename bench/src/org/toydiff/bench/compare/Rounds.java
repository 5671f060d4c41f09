package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Measures contestants in turn, A B C A B C …, so that what changes on the machine meanwhile meets all alike.
final class Rounds {
    /// A pool of threads spins for a while after its last work; the next contestant waits for that.
    private static final long PAUSE_MILLIS = 50;

    private final int rounds;
    private final double warmUpSeconds;

    /// @param rounds rounds that count
    /// @param warmUpSeconds how long each contestant is asked before them
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

    /// Measures at once: what is started anew for each round has nothing to warm up.
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
