package org.toydiff.bench.blas;

import com.google.gson.Gson;
import java.util.Arrays;
import java.util.List;

/// What the hardware allows with some number of threads: fused multiply-adds, and bytes to and from memory.
///
/// @param floatGflops the peak in FLOAT32
/// @param doubleGflops the peak in FLOAT64
/// @param bandwidth what moves, by how much is worked on; ascending
record Roof(int threads, double floatGflops, double doubleGflops, List<Bandwidth> bandwidth) {
    /// GB/s through arrays of so many bytes altogether.
    record Bandwidth(long bytes, double gbs) {}

    static Roof parse(String json) {
        return new Gson().fromJson(json, Roof.class);
    }

    double gflops(boolean wide) {
        return wide ? doubleGflops : floatGflops;
    }

    /// GB/s for a working set: the best of those measured that hold it, so caches count, and a measurement that was
    /// disturbed does not.
    double gbs(double bytes) {
        return bandwidth.stream()
                .filter(step -> step.bytes >= bytes)
                .mapToDouble(Bandwidth::gbs)
                .max()
                .orElseGet(this::memoryGbs);
    }

    /// GB/s within the first cache, or what is fastest.
    double cacheGbs() {
        return bandwidth.stream().mapToDouble(Bandwidth::gbs).max().orElseThrow();
    }

    /// GB/s out of all caches.
    double memoryGbs() {
        return bandwidth.getLast().gbs;
    }

    /// How near a time comes to the least that arithmetic and memory allow, in percent.
    double percent(Problem problem, double microseconds) {
        double arithmetic = problem.flops() / gflops(problem.wide()) / 1e3;
        double memory = problem.trafficBytes() / gbs(problem.memoryBytes()) / 1e3;
        return 100 * Math.max(arithmetic, memory) / microseconds;
    }

    /// The larger of several.
    static double best(double... values) {
        return Arrays.stream(values).max().orElseThrow();
    }
}
