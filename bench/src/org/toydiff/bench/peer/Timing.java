package org.toydiff.bench.peer;

import java.util.Arrays;
import java.util.Map;

/// Times the calls of a request. The clock is read for each sample, within which a short call is repeated.
public final class Timing {
    private static final long ELEMENTS_PER_SAMPLE = 1 << 22;

    private Timing() {}

    /// Times one call per sample.
    ///
    /// @param samples the number of samples
    /// @param call the call to time
    /// @return the answer to the request: `median_us` and `times_us`
    public static Map<String, ?> samples(int samples, Runnable call) {
        return samples(samples, 1, call);
    }

    /// Times samples of several calls each, after a few untimed samples.
    ///
    /// @param samples the number of samples
    /// @param calls the number of calls in each sample
    /// @param call the call to time
    /// @return the answer to the request: `median_us` and `times_us`, both per call
    public static Map<String, ?> samples(int samples, int calls, Runnable call) {
        double[] times = new double[samples];
        for (int sample = -untimed(samples); sample < samples; sample++) {
            long start = System.nanoTime();
            for (int i = 0; i < calls; i++) {
                call.run();
            }
            if (sample >= 0) {
                times[sample] = (System.nanoTime() - start) / 1e3 / calls;
            }
        }
        return Map.of("median_us", median(times), "times_us", times);
    }

    private static int untimed(int samples) {
        return Math.clamp(samples / 4, 2, 10);
    }

    /// Returns the number of calls that take about a millisecond together.
    ///
    /// @param elements the number of elements that a call processes
    /// @return 1 or more
    public static int callsPerSample(long elements) {
        return (int) Math.max(1, ELEMENTS_PER_SAMPLE / elements);
    }

    /// Returns the median.
    ///
    /// @param values one or more values
    /// @return the middle value, or the mean of the middle two
    public static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
