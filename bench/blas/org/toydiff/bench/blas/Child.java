package org.toydiff.bench.blas;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.toydiff.Blas;
import org.toydiff.internal.blas.BlasLibrary;
import org.toydiff.internal.blas.CBlas;

/// A JVM that loads one library and answers requests, one per line, as `native/blas.c` does: `open` allocates
/// operands, checks one call and warms up the path to the library; `time CALLS SAMPLES` takes samples; `close`
/// frees the operands and counts the elements of the result that are not finite or denormal.
final class Child {
    /// The threads that share a call: the library's own, or toydiff's over a library confined to one.
    enum Threading {
        OWN,
        POOL
    }

    private static final int WARM_UP_RUNS = 2_000;
    private static final int WARM_UP_CALLS = 10;

    private final Threading threading;
    private final int threads;
    private final Set<Problem> warm = new HashSet<>();

    private Operands operands;
    private PoolCalls pool;
    private Calls.Loop loop;

    private Child(Threading threading, int threads) {
        this.threading = threading;
        this.threads = threads;
    }

    /// Answers requests until stdin ends.
    ///
    /// @param arguments the threading and the number of threads
    public static void main(String[] arguments) throws IOException {
        // Ctrl-C interrupts the parent too, and the parent ends this JVM.
        Runtime.getRuntime().addShutdownHook(new Thread(Child::linger));
        // The library's output must not be mistaken for an answer.
        PrintStream answers = System.out;
        System.setOut(System.err);
        var child = new Child(Threading.valueOf(arguments[0].toUpperCase(Locale.ROOT)), Integer.parseInt(arguments[1]));
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var gson = new Gson();
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(gson.toJson(child.answer(line)));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static void linger() {
        try {
            Thread.sleep(5_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Map<String, ?> answer(String line) {
        String[] words = line.split(" ");
        try {
            return switch (words[0]) {
                case "hello" -> hello();
                case "open" -> open(Problem.parse(words));
                case "time" -> time(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
                case "close" -> close();
                default -> Map.of("error", "no such request: " + line);
            };
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            free();
            return Map.of("error", String.valueOf(e.getMessage()));
        }
    }

    private Map<String, ?> hello() {
        String path = Blas.library();
        if (threading == Threading.POOL) {
            Blas.setThreads(threads);
        } else {
            // The loader has set the number of threads to one.
            CBlas.setThreads(threads);
        }
        return Map.of("path", path, "version", Blas.version(), "core", Blas.core());
    }

    private Map<String, ?> open(Problem problem) {
        if (!BlasLibrary.has(problem.symbol()) && threading == Threading.OWN) {
            return Map.of("lacks", problem.symbol());
        }
        operands = new Operands(problem);
        if (threading == Threading.POOL) {
            pool = new PoolCalls(operands);
            loop = pool;
            pool.runOnce();
        } else {
            loop = Calls.of(operands);
            loop.run(1);
        }
        String fault = Check.fault(operands);
        if (fault != null) {
            free();
            return Map.of("wrong", fault);
        }
        warmUp(problem);
        operands.fillForTiming();
        return Map.of();
    }

    /// Runs the loop on tiny operands until it is compiled.
    private void warmUp(Problem problem) {
        // This is the only routine in which OpenBLAS crashes on small products.
        if (problem.routine() != Routine.GEMM_BATCH_STRIDED && warm.add(problem.tiny())) {
            try (var tiny = new Operands(problem.tiny());
                    var tinyPool = threading == Threading.POOL ? new PoolCalls(tiny) : null) {
                Calls.Loop calls = tinyPool != null ? tinyPool : Calls.of(tiny);
                for (int i = 0; i < WARM_UP_RUNS; i++) {
                    calls.run(WARM_UP_CALLS);
                }
                calls.run(WARM_UP_RUNS * WARM_UP_CALLS);
            }
        }
    }

    /// Takes samples, without the time that restoring the operands takes.
    private Map<String, ?> time(int calls, int samples) {
        double[] times = new double[samples];
        boolean restores = operands.problem.routine().consumed() > 0;
        for (int sample = 0; sample < samples; sample++) {
            long nanos = nanos(loop, calls);
            times[sample] = (restores ? nanos - nanos(this::restore, calls) : nanos) / 1e3 / calls;
        }
        return Map.of("times_us", times);
    }

    private static long nanos(Calls.Loop loop, int calls) {
        long start = System.nanoTime();
        loop.run(calls);
        return System.nanoTime() - start;
    }

    private void restore(int calls) {
        for (int i = 0; i < calls; i++) {
            operands.restore();
        }
    }

    private Map<String, ?> close() {
        Map<String, Long> found = new LinkedHashMap<>();
        found.put("not_finite", operands.countNotFinite());
        found.put("denormal", operands.countDenormal());
        free();
        return found;
    }

    private void free() {
        if (pool != null) {
            pool.close();
        }
        if (operands != null) {
            operands.close();
        }
        pool = null;
        operands = null;
        loop = null;
    }
}
