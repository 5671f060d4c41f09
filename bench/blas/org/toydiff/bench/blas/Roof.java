package org.toydiff.bench.blas;

import com.google.gson.Gson;
import java.util.Arrays;
import java.util.List;

/// The limits of the hardware on some number of threads: the rate of fused multiply-adds and the bandwidth of
/// memory.
///
/// @param floatGflops the peak in FLOAT32
/// @param doubleGflops the peak in FLOAT64
/// @param bandwidth the bandwidths, in ascending order of the working set
record Roof(int threads, double floatGflops, double doubleGflops, List<Bandwidth> bandwidth) {
    /// The bandwidth in GB/s of a working set of this many bytes altogether.
    record Bandwidth(long bytes, double gbs) {}

    static Roof parse(String json) {
        return new Gson().fromJson(json, Roof.class);
    }

    double gflops(boolean wide) {
        return wide ? doubleGflops : floatGflops;
    }

    /// Returns the bandwidth of a working set in GB/s: the best one measured at its size or above, so that caches
    /// count and a disturbed measurement does not.
    double gbs(double bytes) {
        return bandwidth.stream()
                .filter(step -> step.bytes >= bytes)
                .mapToDouble(Bandwidth::gbs)
                .max()
                .orElseGet(this::memoryGbs);
    }

    /// Returns the best bandwidth in GB/s: that of the first cache, as a rule.
    double cacheGbs() {
        return bandwidth.stream().mapToDouble(Bandwidth::gbs).max().orElseThrow();
    }

    /// Returns the bandwidth beyond all caches in GB/s.
    double memoryGbs() {
        return bandwidth.getLast().gbs;
    }

    /// Returns the least time that arithmetic and memory allow, as a percentage of the measured time; NaN for bfloat16,
    /// whose multiply-adds are not measured.
    double percent(Problem problem, double microseconds) {
        if (problem.precision(0) == NumberFormat.BFLOAT16) {
            return Double.NaN;
        }
        double arithmetic = problem.flops() / gflops(problem.wide()) / 1e3;
        double memory = problem.trafficBytes() / gbs(problem.memoryBytes()) / 1e3;
        return 100 * Math.max(arithmetic, memory) / microseconds;
    }

    /// Returns the largest value.
    static double best(double... values) {
        return Arrays.stream(values).max().orElseThrow();
    }
}
