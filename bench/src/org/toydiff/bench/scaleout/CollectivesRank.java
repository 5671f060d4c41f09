package org.toydiff.bench.scaleout;

import java.util.Locale;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.bench.peer.Timing;
import org.toydiff.distributed.ProcessGroup;

/// Measures [ProcessGroup#allReduce] as `native/allreduce.c` measures `MPI_Allreduce`: the same sizes, samples and
/// statistics. Rank 0 prints the table.
public final class CollectivesRank {
    private static final int LARGEST_BYTES = 1 << 26;
    private static final int GROWTH = 4;
    private static final int MIN_SAMPLES = 5;
    private static final int MAX_SAMPLES = 101;
    private static final double SAMPLE_MICROS = 1000;
    private static final double SAMPLING_MICROS = 250_000;
    private static final int WARM_UP_CALLS = 3;

    /// The time in which the JVM compiles the path of a call.
    private static final double COMPILING_MICROS = 2e6;

    private static final int COMPILING_CALLS = 100;

    private final ProcessGroup group;

    private CollectivesRank(ProcessGroup group) {
        this.group = group;
    }

    /// Measures all sizes.
    ///
    /// @param arguments not used
    public static void main(String[] arguments) {
        try (var group = ProcessGroup.mpi()) {
            new CollectivesRank(group).measure();
        }
    }

    private void measure() {
        compile();
        print("# " + group.library() + ", " + group.size() + " ranks");
        print(String.format("# %8s %12s %8s", "bytes", "allreduce", "GB/s"));
        for (long bytes = Float.BYTES; bytes <= LARGEST_BYTES; bytes *= GROWTH) {
            double micros = median(bytes / Float.BYTES);
            print(String.format(
                    Locale.ROOT,
                    "%10d %12.2f %8.3f",
                    bytes,
                    micros,
                    CollectiveTable.busBandwidth(group.size(), bytes, micros)));
        }
    }

    private void print(String line) {
        if (group.rank() == 0) {
            System.out.println(line);
        }
    }

    /// Repeats a call until rank 0 has done so for some time.
    private void compile() {
        try (var arena = TensorArena.ofShared()) {
            Tensor data = Tensor.zeros(1);
            for (double micros = 0; micros < COMPILING_MICROS; ) {
                micros += COMPILING_CALLS * ofRank0(sample(data, COMPILING_CALLS));
            }
        }
    }

    /// Returns the median over the samples of the slowest rank's times, in microseconds.
    private double median(long elements) {
        try (var arena = TensorArena.ofShared()) {
            requireSums(elements);
            Tensor data = Tensor.zeros(elements);
            sample(data, WARM_UP_CALLS);
            double estimate = ofRank0(sample(data, WARM_UP_CALLS));
            int calls = (int) Math.clamp(SAMPLE_MICROS / estimate, 1, SAMPLE_MICROS);
            int samples = (int) Math.clamp(SAMPLING_MICROS / (calls * estimate), MIN_SAMPLES, MAX_SAMPLES);
            double[] micros = new double[samples];
            for (int i = 0; i < samples; i++) {
                micros[i] = sample(data, calls);
            }
            return Timing.median(slowest(micros));
        }
    }

    private double sample(Tensor data, int calls) {
        group.barrier();
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            group.allReduce(data);
        }
        return (System.nanoTime() - start) / 1e3 / calls;
    }

    /// Returns the value of rank 0 on every rank, so that all plan the same calls.
    private double ofRank0(double value) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.scalar(DType.FLOAT64, value);
            group.broadcast(x, 0);
            return x.item();
        }
    }

    private double[] slowest(double[] micros) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor all = Tensor.empty(DType.FLOAT64, group.size(), micros.length);
            group.allGather(Tensor.of(DType.FLOAT64, micros, micros.length), all);
            return all.max(0).toDoubleArray();
        }
    }

    private void requireSums(long elements) {
        Tensor data = Tensor.full(group.rank() + 1, elements);
        group.allReduce(data);
        double expected = group.size() * (group.size() + 1) / 2.0;
        float[] sums = data.toFloatArray();
        for (float sum : sums) {
            if (sum != expected) {
                throw new AssertionError("allReduce of " + elements + " floats: " + sum + " instead of " + expected);
            }
        }
    }
}
