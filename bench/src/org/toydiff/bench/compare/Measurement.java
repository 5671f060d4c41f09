package org.toydiff.bench.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.toydiff.bench.peer.Timing;

/// One row of a table: the values of each contestant, one for each round. The contestant that others are compared
/// with is the first.
record Measurement(String name, String unit, Map<String, List<Double>> rounds) {
    static Measurement of(String name, String unit) {
        return new Measurement(name, unit, new LinkedHashMap<>());
    }

    void add(String contestant, double value) {
        rounds.computeIfAbsent(contestant, key -> new ArrayList<>()).add(value);
    }

    /// Returns the contestant that others are compared with.
    String first() {
        return rounds.keySet().iterator().next();
    }

    boolean has(String contestant) {
        return rounds.containsKey(contestant);
    }

    double median(String contestant) {
        return Timing.median(rounds.get(contestant).stream().mapToDouble(d -> d).toArray());
    }

    /// Returns the median of one contestant over that of another.
    double ratio(String over, String under) {
        return median(over) / median(under);
    }

    /// Returns the geometric mean of [#ratio] over the measurements that have both contestants; NaN if none has.
    static double meanRatio(Stream<Measurement> measurements, String over, String under) {
        double mean = measurements
                .filter(m -> m.has(over) && m.has(under))
                .mapToDouble(m -> Math.log(m.ratio(over, under)))
                .average()
                .orElse(Double.NaN);
        return Math.exp(mean);
    }
}
