package org.toydiff.bench.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.toydiff.bench.peer.Timing;

/// One row of a table: what each contestant was measured at in each round, the one that others are compared
/// with first.
record Measurement(String name, String unit, Map<String, List<Double>> rounds) {
    static Measurement of(String name, String unit) {
        return new Measurement(name, unit, new LinkedHashMap<>());
    }

    void add(String contestant, double value) {
        rounds.computeIfAbsent(contestant, key -> new ArrayList<>()).add(value);
    }

    boolean has(String contestant) {
        return rounds.containsKey(contestant);
    }

    double median(String contestant) {
        return Timing.median(rounds.get(contestant).stream().mapToDouble(d -> d).toArray());
    }

    /// The median of one over the median of another.
    double ratio(String over, String under) {
        return median(over) / median(under);
    }

    /// The geometric mean of [#ratio] over some measurements, NaN without any that has both.
    static double meanRatio(Stream<Measurement> measurements, String over, String under) {
        double mean = measurements
                .filter(m -> m.has(over) && m.has(under))
                .mapToDouble(m -> Math.log(m.ratio(over, under)))
                .average()
                .orElse(Double.NaN);
        return Math.exp(mean);
    }
}
