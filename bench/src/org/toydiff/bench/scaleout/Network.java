package org.toydiff.bench.scaleout;

import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;

/// A network in which a message of n bytes takes α + nβ seconds (R. W. Hockney, "The communication challenge for MPP:
/// Intel Paragon and Meiko CS-2", Parallel Computing 20(3), 1994).
///
/// @param name the name in tables
/// @param latency α, in seconds
/// @param secondsPerByte β, the reciprocal of the bandwidth
record Network(String name, double latency, double secondsPerByte) {
    Network {
        if (!(latency >= 0 && secondsPerByte >= 0)) {
            throw new IllegalArgumentException("network " + name + ": latency " + latency + " s and " + secondsPerByte
                    + " s per byte; neither may be negative");
        }
    }

    /// Returns a network by its bandwidth in Gb/s and its latency in microseconds.
    static Network of(String name, double gigabits, double micros) {
        return new Network(name, micros / 1e6, 8 / (gigabits * 1e9));
    }

    /// Returns the time of a collective that takes p − 1 steps, in each of which every node sends and receives one
    /// slice of p: (p − 1)α + ((p − 1)/p)nβ.
    ///
    /// These are `MPI_Alltoall` by pairwise exchange and `MPI_Allgather` by a ring, the algorithms for long messages in
    /// R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of Collective Communication Operations in MPICH",
    /// International Journal of High Performance Computing Applications 19(1), 2005. One of each has the traffic of an
    /// all-reduce by a ring.
    ///
    /// @param nodes p
    /// @param bytes n, the bytes of all slices together
    double collective(int nodes, double bytes) {
        return (nodes - 1) * (latency + bytes / nodes * secondsPerByte);
    }

    /// Returns the name, the latency in microseconds and the bandwidth in Gb/s.
    String describe() {
        return String.format(Locale.ROOT, "%s: latency %.2f us, %.2f Gb/s", name, latency * 1e6, 8e-9 / secondsPerByte);
    }

    /// Fits the latency and the bandwidth to the measured times of an `MPI_Alltoall` and an `MPI_Allgather`, by least
    /// squares of the relative errors, so that all sizes count alike.
    ///
    /// @param ranks the number of ranks that were measured, 2 or more
    /// @param exchangeMicros the times in microseconds of two or more sizes in bytes
    static Network fit(String name, int ranks, SortedMap<Long, Double> exchangeMicros) {
        double weights = 0;
        double sizes = 0;
        double squares = 0;
        double times = 0;
        double products = 0;
        for (Map.Entry<Long, Double> point : exchangeMicros.entrySet()) {
            double size = point.getKey();
            double time = point.getValue() / 1e6;
            double weight = 1 / (time * time);
            weights += weight;
            sizes += weight * size;
            squares += weight * size * size;
            times += weight * time;
            products += weight * size * time;
        }
        double slope = (weights * products - sizes * times) / (weights * squares - sizes * sizes);
        double intercept = (times - slope * sizes) / weights;
        int steps = 2 * (ranks - 1);
        // Noise can make one of them negative, where the other explains all.
        return new Network(name, Math.max(0, intercept / steps), Math.max(0, slope * ranks / steps));
    }
}
