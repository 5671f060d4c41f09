package org.toydiff.fuzz;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// Runs a random program and a random graph for one seed after another, makes what fails small, and watches that every
/// one comes to its end.
final class Fuzzer implements Runnable {
    /// A program takes milliseconds; one that takes so long does not end.
    private static final long PATIENCE_MILLIS = 30_000;

    /// So many kinds of findings are enough for one run.
    private static final int MAX_KINDS = 12;

    private final long first;
    private final long atLeast;
    private final Map<String, String> findings = Collections.synchronizedMap(new LinkedHashMap<>());
    private volatile long seed;
    private volatile long calls;

    private Fuzzer(long first, long atLeast) {
        this.first = first;
        this.atLeast = atLeast;
    }

    /// Makes that many calls, beginning with the program of a seed.
    ///
    /// @return what was found, a text for each kind of it
    static Map<String, String> run(long first, long calls) throws InterruptedException {
        var fuzzer = new Fuzzer(first, calls);
        fuzzer.watch();
        return new LinkedHashMap<>(fuzzer.findings);
    }

    /// The program runs on a thread of its own, whose name is the call under way: that shows when it hangs, and in the
    /// JVM's own report when it crashes.
    private void watch() throws InterruptedException {
        Thread worker = Thread.ofPlatform().daemon().name("fuzz").start(this);
        long watched = -1;
        long since = 0;
        while (!worker.join(Duration.ofSeconds(1))) {
            long now = System.nanoTime() / 1_000_000;
            if (watched != seed) {
                watched = seed;
                since = now;
            } else if (now - since > PATIENCE_MILLIS) {
                findings.put(
                        "end",
                        "does not end: " + worker.getName() + "\n    at " + join(worker.getStackTrace(), 30) + "\n"
                                + again());
                return;
            }
        }
    }

    @Override
    public void run() {
        try {
            for (seed = first; calls < atLeast && findings.size() < MAX_KINDS; seed++) {
                calls += program() + graph();
            }
        } catch (Throwable thrown) {
            findings.put(
                    "own",
                    "the fuzzer's own fault: " + thrown + "\n    at " + join(thrown.getStackTrace(), 30) + "\n"
                            + again());
        }
    }

    private int program() {
        long[] program = CallProgram.of(seed);
        try {
            return CallProgram.run(seed, program);
        } catch (Finding finding) {
            if (isNew(finding)) {
                long[] small = CallProgram.shrink(program, part -> fails(finding, () -> CallProgram.run(seed, part)));
                note(finding, () -> CallProgram.run(seed, small));
            }
            return program.length;
        }
    }

    private int graph() {
        Graph graph = GraphMaker.of(seed);
        Thread.currentThread().setName("fuzz seed " + seed + ", its graph");
        try {
            GraphCheck.check(graph, seed);
        } catch (Finding finding) {
            if (isNew(finding)) {
                Graph small = GraphShrinker.shrink(graph, part -> fails(finding, () -> GraphCheck.check(part, seed)));
                note(finding, () -> GraphCheck.check(small, seed));
            }
        }
        return graph.steps().size();
    }

    private static boolean fails(Finding finding, Runnable program) {
        try {
            program.run();
            return false;
        } catch (Finding other) {
            return other.kind().equals(finding.kind());
        }
    }

    private boolean isNew(Finding finding) {
        return !findings.containsKey(finding.kind());
    }

    /// Notes what the smaller program finds, or the first one should that find it no more.
    private void note(Finding finding, Runnable small) {
        Finding shown = finding;
        try {
            small.run();
        } catch (Finding smaller) {
            shown = smaller;
        }
        Throwable cause = shown.getCause();
        String trace = cause == null ? "" : "    at " + join(cause.getStackTrace(), 8) + "\n";
        findings.put(
                finding.kind(),
                "seed " + seed + ", call " + calls + ": " + shown.getMessage() + "\n" + trace + shown.program()
                        + again());
    }

    private String again() {
        return "again: -Dtoydiff.fuzz.seed=" + seed + " -Dtoydiff.fuzz.calls=1\n";
    }

    private static String join(StackTraceElement[] trace, int most) {
        return String.join(
                "\n    at ",
                Arrays.stream(trace)
                        .limit(most)
                        .map(StackTraceElement::toString)
                        .toList());
    }
}
