package org.toydiff.bench.blas;

import com.google.gson.Gson;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A JVM that measures the hardware with loops of the Vector API, so that it needs no C compiler.
///
/// Multiply-adds run in sixteen independent chains, more than any processor needs to hide their latency. For the
/// bandwidth, memory is read, scaled in place, copied and added to; the best rate counts, and memory that is
/// overwritten counts only as written.
final class RoofChild {
    private static final int CHAINS = 16;
    private static final int STEPS = 1_000;
    private static final int REPEATS = 50;

    /// The rounds without a better time after which a measurement ends.
    private static final int ROUNDS = 10;

    private static final double BETTER = 0.99;
    private static final double SECONDS = 0.02;
    private static final double PEAK_SECONDS = 0.3;
    private static final long SMALLEST_BYTES = 1 << 13;
    private static final long LARGEST_BYTES = 1 << 27;
    private static final int PASS_BYTES = 1 << 22;

    /// The alignment of a huge page, so that arrays begin alike however they are mapped.
    private static final long PAGE_BYTES = 1 << 21;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final long VECTOR = FLOATS.vectorByteSize();

    /// Keeps the compiler from dropping unused results.
    private static volatile double sink;

    private final int threads;
    private final ExecutorService pool;

    private RoofChild(int threads) {
        this.threads = threads;
        pool = Executors.newFixedThreadPool(threads, task -> {
            var thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
    }

    /// One thread's share of a timed piece of work.
    private interface Work {
        void run(int thread);
    }

    /// Prints one line of JSON for each number of threads.
    ///
    /// @param arguments the numbers of threads
    public static void main(String[] arguments) throws Exception {
        for (String threads : arguments) {
            var child = new RoofChild(Integer.parseInt(threads));
            System.out.println(new Gson().toJson(child.measure()));
            child.pool.shutdown();
        }
    }

    private Roof measure() throws InterruptedException, ExecutionException {
        double steps = (double) CHAINS * STEPS * REPEATS * threads;
        double floatFlops = 2 * steps * FLOATS.length();
        double doubleFlops = 2 * steps * DoubleVector.SPECIES_PREFERRED.length();
        double floatSeconds = best(PEAK_SECONDS, thread -> repeat(RoofChild::floatChains));
        double doubleSeconds = best(PEAK_SECONDS, thread -> repeat(RoofChild::doubleChains));
        return new Roof(threads, floatFlops / floatSeconds / 1e9, doubleFlops / doubleSeconds / 1e9, bandwidth());
    }

    /// Runs a short loop many times, so that the compiler compiles it sooner.
    private static void repeat(DoubleSupplier chains) {
        for (int i = 0; i < REPEATS; i++) {
            sink = chains.getAsDouble();
        }
    }

    private List<Roof.Bandwidth> bandwidth() throws InterruptedException, ExecutionException {
        List<Roof.Bandwidth> steps = new ArrayList<>();
        for (long bytes = SMALLEST_BYTES; bytes <= LARGEST_BYTES; bytes *= 2) {
            steps.add(new Roof.Bandwidth(bytes, bandwidth(bytes)));
        }
        return steps;
    }

    private double bandwidth(long bytes) throws InterruptedException, ExecutionException {
        long each = bytes / threads;
        int passes = (int) Math.max(1, PASS_BYTES / each);
        double moved = (double) bytes * passes;
        try (var arena = Arena.ofShared()) {
            List<MemorySegment> all = IntStream.range(0, threads)
                    .mapToObj(thread -> arena.allocate(each, PAGE_BYTES))
                    .toList();
            List<MemorySegment> from =
                    all.stream().map(whole -> whole.asSlice(0, each / 2)).toList();
            List<MemorySegment> to =
                    all.stream().map(whole -> whole.asSlice(each / 2)).toList();
            double read = moved / best(SECONDS, thread -> sink = sum(all.get(thread), passes));
            double scaled = 2 * moved / best(SECONDS, thread -> scale(all.get(thread), passes));
            double copied = moved / best(SECONDS, thread -> copy(from.get(thread), to.get(thread), passes));
            double added = 1.5 * moved / best(SECONDS, thread -> add(from.get(thread), to.get(thread), passes));
            return Roof.best(read, scaled, copied, added) / 1e9;
        }
    }

    /// Returns the least time in which all threads do a piece of work, in seconds, from the first start to the last
    /// end.
    private double best(double seconds, Work work) throws InterruptedException, ExecutionException {
        long least = Long.MAX_VALUE;
        long begin = System.nanoTime();
        for (int rounds = 0; rounds < ROUNDS || System.nanoTime() - begin < seconds * 1e9; rounds++) {
            long time = once(work);
            if (time < BETTER * least) {
                rounds = 0;
            }
            least = Math.min(least, time);
        }
        return least / 1e9;
    }

    private long once(Work work) throws InterruptedException, ExecutionException {
        var ready = new CyclicBarrier(threads);
        List<Callable<long[]>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int thread = t;
            tasks.add(() -> {
                ready.await();
                long start = System.nanoTime();
                work.run(thread);
                return new long[] {start, System.nanoTime()};
            });
        }
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        for (Future<long[]> task : pool.invokeAll(tasks)) {
            first = Math.min(first, task.get()[0]);
            last = Math.max(last, task.get()[1]);
        }
        return last - first;
    }

    private static double floatChains() {
        FloatVector factor = FloatVector.broadcast(FLOATS, (float) 0.999);
        FloatVector v0 = FloatVector.broadcast(FLOATS, 0);
        FloatVector v1 = FloatVector.broadcast(FLOATS, 1);
        FloatVector v2 = FloatVector.broadcast(FLOATS, 2);
        FloatVector v3 = FloatVector.broadcast(FLOATS, 3);
        FloatVector v4 = FloatVector.broadcast(FLOATS, 4);
        FloatVector v5 = FloatVector.broadcast(FLOATS, 5);
        FloatVector v6 = FloatVector.broadcast(FLOATS, 6);
        FloatVector v7 = FloatVector.broadcast(FLOATS, 7);
        FloatVector v8 = FloatVector.broadcast(FLOATS, 8);
        FloatVector v9 = FloatVector.broadcast(FLOATS, 9);
        FloatVector v10 = FloatVector.broadcast(FLOATS, 10);
        FloatVector v11 = FloatVector.broadcast(FLOATS, 11);
        FloatVector v12 = FloatVector.broadcast(FLOATS, 12);
        FloatVector v13 = FloatVector.broadcast(FLOATS, 13);
        FloatVector v14 = FloatVector.broadcast(FLOATS, 14);
        FloatVector v15 = FloatVector.broadcast(FLOATS, 15);
        for (int i = 0; i < STEPS; i++) {
            v0 = v0.fma(factor, factor);
            v1 = v1.fma(factor, factor);
            v2 = v2.fma(factor, factor);
            v3 = v3.fma(factor, factor);
            v4 = v4.fma(factor, factor);
            v5 = v5.fma(factor, factor);
            v6 = v6.fma(factor, factor);
            v7 = v7.fma(factor, factor);
            v8 = v8.fma(factor, factor);
            v9 = v9.fma(factor, factor);
            v10 = v10.fma(factor, factor);
            v11 = v11.fma(factor, factor);
            v12 = v12.fma(factor, factor);
            v13 = v13.fma(factor, factor);
            v14 = v14.fma(factor, factor);
            v15 = v15.fma(factor, factor);
        }
        return v0.add(v1)
                .add(v2)
                .add(v3)
                .add(v4)
                .add(v5)
                .add(v6)
                .add(v7)
                .add(v8)
                .add(v9)
                .add(v10)
                .add(v11)
                .add(v12)
                .add(v13)
                .add(v14)
                .add(v15)
                .lane(0);
    }

    private static double doubleChains() {
        var species = DoubleVector.SPECIES_PREFERRED;
        DoubleVector factor = DoubleVector.broadcast(species, 0.999);
        DoubleVector v0 = DoubleVector.broadcast(species, 0);
        DoubleVector v1 = DoubleVector.broadcast(species, 1);
        DoubleVector v2 = DoubleVector.broadcast(species, 2);
        DoubleVector v3 = DoubleVector.broadcast(species, 3);
        DoubleVector v4 = DoubleVector.broadcast(species, 4);
        DoubleVector v5 = DoubleVector.broadcast(species, 5);
        DoubleVector v6 = DoubleVector.broadcast(species, 6);
        DoubleVector v7 = DoubleVector.broadcast(species, 7);
        DoubleVector v8 = DoubleVector.broadcast(species, 8);
        DoubleVector v9 = DoubleVector.broadcast(species, 9);
        DoubleVector v10 = DoubleVector.broadcast(species, 10);
        DoubleVector v11 = DoubleVector.broadcast(species, 11);
        DoubleVector v12 = DoubleVector.broadcast(species, 12);
        DoubleVector v13 = DoubleVector.broadcast(species, 13);
        DoubleVector v14 = DoubleVector.broadcast(species, 14);
        DoubleVector v15 = DoubleVector.broadcast(species, 15);
        for (int i = 0; i < STEPS; i++) {
            v0 = v0.fma(factor, factor);
            v1 = v1.fma(factor, factor);
            v2 = v2.fma(factor, factor);
            v3 = v3.fma(factor, factor);
            v4 = v4.fma(factor, factor);
            v5 = v5.fma(factor, factor);
            v6 = v6.fma(factor, factor);
            v7 = v7.fma(factor, factor);
            v8 = v8.fma(factor, factor);
            v9 = v9.fma(factor, factor);
            v10 = v10.fma(factor, factor);
            v11 = v11.fma(factor, factor);
            v12 = v12.fma(factor, factor);
            v13 = v13.fma(factor, factor);
            v14 = v14.fma(factor, factor);
            v15 = v15.fma(factor, factor);
        }
        return v0.add(v1)
                .add(v2)
                .add(v3)
                .add(v4)
                .add(v5)
                .add(v6)
                .add(v7)
                .add(v8)
                .add(v9)
                .add(v10)
                .add(v11)
                .add(v12)
                .add(v13)
                .add(v14)
                .add(v15)
                .lane(0);
    }

    /// Sums into eight accumulators, so that the additions do not wait for one another.
    private static double sum(MemorySegment x, int passes) {
        FloatVector total = FloatVector.zero(FLOATS);
        for (int pass = 0; pass < passes; pass++) {
            FloatVector s0 = FloatVector.zero(FLOATS);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            FloatVector s4 = s0;
            FloatVector s5 = s0;
            FloatVector s6 = s0;
            FloatVector s7 = s0;
            for (long i = 0; i <= x.byteSize() - 8 * VECTOR; i += 8 * VECTOR) {
                s0 = s0.add(load(x, i));
                s1 = s1.add(load(x, i + VECTOR));
                s2 = s2.add(load(x, i + 2 * VECTOR));
                s3 = s3.add(load(x, i + 3 * VECTOR));
                s4 = s4.add(load(x, i + 4 * VECTOR));
                s5 = s5.add(load(x, i + 5 * VECTOR));
                s6 = s6.add(load(x, i + 6 * VECTOR));
                s7 = s7.add(load(x, i + 7 * VECTOR));
            }
            total = total.add(s0.add(s1).add(s2.add(s3)).add(s4.add(s5).add(s6.add(s7))));
        }
        return total.lane(0);
    }

    private static void copy(MemorySegment from, MemorySegment to, int passes) {
        for (int pass = 0; pass < passes; pass++) {
            to.copyFrom(from);
        }
    }

    /// Multiplies by −1: a negation is slower in the first caches.
    private static void scale(MemorySegment x, int passes) {
        FloatVector factor = FloatVector.broadcast(FLOATS, -1);
        for (int pass = 0; pass < passes; pass++) {
            for (long i = 0; i <= x.byteSize() - 4 * VECTOR; i += 4 * VECTOR) {
                store(load(x, i).mul(factor), x, i);
                store(load(x, i + VECTOR).mul(factor), x, i + VECTOR);
                store(load(x, i + 2 * VECTOR).mul(factor), x, i + 2 * VECTOR);
                store(load(x, i + 3 * VECTOR).mul(factor), x, i + 3 * VECTOR);
            }
        }
    }

    private static void add(MemorySegment x, MemorySegment y, int passes) {
        for (int pass = 0; pass < passes; pass++) {
            for (long i = 0; i <= x.byteSize() - 4 * VECTOR; i += 4 * VECTOR) {
                store(load(x, i).add(load(y, i)), y, i);
                store(load(x, i + VECTOR).add(load(y, i + VECTOR)), y, i + VECTOR);
                store(load(x, i + 2 * VECTOR).add(load(y, i + 2 * VECTOR)), y, i + 2 * VECTOR);
                store(load(x, i + 3 * VECTOR).add(load(y, i + 3 * VECTOR)), y, i + 3 * VECTOR);
            }
        }
    }

    private static FloatVector load(MemorySegment from, long at) {
        return FloatVector.fromMemorySegment(FLOATS, from, at, ByteOrder.nativeOrder());
    }

    private static void store(FloatVector vector, MemorySegment to, long at) {
        vector.intoMemorySegment(to, at, ByteOrder.nativeOrder());
    }
}
