package org.toydiff.bench.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Blas;

/// Runs the tool as a user does, on OpenBLAS and on faulty ones built here.
class BlasBenchTest {
    /// A library with the functions that toydiff requires; the compiler replaces `GEMM` by a statement that runs
    /// after each product.
    private static final String SOURCE = """
            #include <dlfcn.h>
            #include <stdlib.h>
            #define PASS(name) \\
                void name(void) { abort(); }
            PASS(cblas_dgemm) PASS(cblas_dgemv) PASS(cblas_sgemv) PASS(cblas_ddot)
            float cblas_sdot(int n, const float *x, int incx, const float *y, int incy) {
                float sum = 0;
                for (int i = 0; i < n; i++) sum += x[i * incx] * y[i * incy];
                return sum;
            }
            void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                             const float *b, int ldb, float beta, float *c, int ldc) {
                static int calls, eights;
                calls++;
                eights += m == 8;
                for (int i = 0; i < m; i++)
                    for (int j = 0; j < n; j++) {
                        float sum = 0;
                        for (int l = 0; l < k; l++) sum += a[i * lda + l] * b[l * ldb + j];
                        c[i * ldc + j] = sum;
                    }
                GEMM;
            }
            """;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    private ProcessBuilder tool(String... arguments) {
        List<String> command = new ArrayList<>(ChildCommands.java(BlasBench.class, null));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
    }

    private Outcome run(String... arguments) throws Exception {
        int exit = tool(arguments).start().waitFor();
        return new Outcome(exit, Files.readString(folder.resolve("out")), ownLines());
    }

    /// Returns stderr without the JVM's warning about its modules.
    private String ownLines() throws IOException {
        return String.join(
                "\n",
                Files.readAllLines(folder.resolve("err")).stream()
                        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                        .toList());
    }

    /// Builds a library whose float product is right except for a statement that follows it.
    private Path library(String gemm) throws Exception {
        assumeTrue(hasCompiler(), "there is no C compiler on the PATH to build a bad library with");
        Path source = Files.writeString(folder.resolve("bad.c"), SOURCE);
        Path library = folder.resolve("libbad.so");
        var command =
                List.of("cc", "-shared", "-fPIC", "-O1", "-DGEMM=" + gemm, "-o", library.toString(), source.toString());
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
        return library;
    }

    private static boolean hasCompiler() {
        return succeeds(List.of("cc", "--version"));
    }

    private static boolean succeeds(List<String> command) {
        try {
            return new ProcessBuilder(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException | InterruptedException e) {
            return false;
        }
    }

    private static List<JsonObject> results(String json) {
        return StreamSupport.stream(
                        JsonParser.parseString(json)
                                .getAsJsonObject()
                                .getAsJsonArray("results")
                                .spliterator(),
                        false)
                .map(result -> result.getAsJsonObject())
                .toList();
    }

    private static JsonObject result(String json, String routine, String library) {
        return results(json).stream()
                .filter(result -> result.get("routine").getAsString().equals(routine)
                        && result.get("library").getAsString().equals(library))
                .findFirst()
                .orElseThrow();
    }

    private static String status(String json, String routine, String library) {
        return result(json, routine, library).get("status").getAsString();
    }

    @Test
    void everyRoutineAndVariantIsRightAndTimedInBothDtypes() {
        for (Routine routine : Routine.values()) {
            for (String variant : routine.variants) {
                for (boolean wide : new boolean[] {false, true}) {
                    check(Problem.of(routine, variant, wide, 2, new Problem.Layout(-3, 128), 130, 110, 120));
                }
            }
        }
    }

    private static void check(Problem general) {
        Problem problem = general.routine().isBatch()
                ? general
                : Problem.of(
                        general.routine(),
                        general.variant(),
                        general.wide(),
                        1,
                        general.layout(),
                        general.m(),
                        general.n(),
                        general.k());
        Blas.library();
        try (var operands = new Operands(problem)) {
            assertEquals(128, operands.segment(0).address() % 256, "aligned as asked, and no better");
            Calls.of(operands).run(1);
            assertEquals(null, Check.fault(operands));
            operands.fillForTiming();
            Calls.of(operands).run(1_000);
            assertEquals(0, operands.countNotFinite(), problem + " stays finite");
            assertEquals(0, operands.countDenormal(), problem + " stays normal");
        }
    }

    @Test
    void oneWrongElementIsCaughtInEveryRoutine() {
        Blas.library();
        for (Routine routine : Routine.values()) {
            Problem problem =
                    Problem.of(routine, routine.variants.getLast(), false, 1, Problem.Layout.DEFAULT, 113, 111, 110);
            try (var operands = new Operands(problem)) {
                Calls.of(operands).run(1);
                if (routine.isScalar()) {
                    operands.scalar *= 1.001;
                } else {
                    Matrix y = operands.matrix(operands.result(), 0);
                    long row = y.rows() - 1;
                    long column = Math.min(7, y.columns() - 1);
                    y.set(row, column, y.get(row, column) + 1e-3);
                }
                String fault = Check.fault(operands);
                assertTrue(fault != null && fault.startsWith(problem.toString()), problem + ": " + fault);
            }
        }
    }

    @Test
    void theTableFollowsTheMeasurements() throws Exception {
        Outcome outcome = run(
                "--routines",
                "gemm,axpy",
                "--sizes",
                "16",
                "--threads",
                "1",
                "--csv",
                folder.resolve("x.csv").toString(),
                "--html",
                folder.resolve("x.html").toString());
        assertEquals(0, outcome.exit, outcome.err);
        assertTrue(outcome.out.startsWith("routine  variant  dtype"), outcome.out);
        assertTrue(outcome.out.contains("openblas: OpenBLAS"), outcome.out);
        List<String> csv = Files.readAllLines(folder.resolve("x.csv"));
        assertEquals(4, csv.size(), csv.toString());
        String[] gemm = csv.get(1).split(",");
        assertEquals("gemm", gemm[0]);
        double micros = Double.parseDouble(gemm[8]);
        assertTrue(micros > 0.01 && micros < 1e4, csv.get(1));
        assertEquals(
                2 * 16 * 16 * 16 / micros / 1e3, Double.parseDouble(gemm[11]), 1e-4 * Double.parseDouble(gemm[11]));
        assertTrue(csv.get(2).startsWith("gemm,NN,float,16,16,16,openblas+pool,1,"), csv.get(2));
        requireWholePage(Files.readString(folder.resolve("x.html")), csv.size() - 2);
    }

    /// Requires that the page holds the measurements, the machine and the script that draws them.
    private static void requireWholePage(String html, int results) {
        JsonObject json = StatisticsTest.data(html);
        assertEquals(results, json.getAsJsonArray("results").size());
        assertEquals(1, json.getAsJsonArray("roofs").size());
        assertEquals(
                Integer.toString(Runtime.getRuntime().availableProcessors()),
                json.getAsJsonObject("machine").get("Cores").getAsString());
        assertTrue(html.contains("Licensed to the Apache Software Foundation"), "the charts' library");
        String page = html.replaceAll("(?s)<script>.*?</script>", "");
        assertFalse(Pattern.compile("\\{\\{").matcher(page).find(), "nothing is left out");
        assertFalse(Pattern.compile("src=|href=\"[^d]").matcher(page).find(), "nothing is fetched");
    }

    @Test
    void kernelsOlderThanTheProcessorAreWarnedOfInConsoleAndPage() throws Exception {
        assumeTrue(Host.instructionSets().containsAll(Set.of("avx2", "fma")), "a processor with AVX2");
        Path page = folder.resolve("x.html");
        ProcessBuilder tool = tool("--sizes", "8", "--threads", "1", "--html", page.toString());
        tool.environment().put("OPENBLAS_CORETYPE", "Prescott");
        assertEquals(0, tool.start().waitFor());
        String start = "openblas uses kernels for Prescott, but this processor has AVX";
        assertTrue(ownLines().startsWith("blasbench: warning: " + start), ownLines());
        JsonObject data = StatisticsTest.data(Files.readString(page));
        assertTrue(data.getAsJsonArray("notes").toString().contains(start), data.toString());
    }

    @Test
    void aWrongLibraryIsCaughtAndTheRunGoesOn() throws Exception {
        Path library = library("c[ldc * (m - 1) + n - 1] += 0.001f");
        Outcome outcome = run(
                "--library",
                library.toString(),
                "--library",
                "openblas",
                "--routines",
                "gemm,axpy",
                "--sizes",
                "32",
                "--threads",
                "1",
                "--json");
        assertEquals(0, outcome.exit, outcome.err);
        assertEquals("wrong", status(outcome.out, "gemm", "libbad.so"));
        assertTrue(
                result(outcome.out, "gemm", "libbad.so")
                        .get("detail")
                        .getAsString()
                        .startsWith("gemm NN float 32x32x32: element [31, 31] is "),
                outcome.out);
        assertEquals("ok", status(outcome.out, "gemm", "openblas"));
        assertEquals("n/a", status(outcome.out, "axpy", "libbad.so"), "it has no such routine");
        assertEquals("ok", status(outcome.out, "axpy", "openblas"));
    }

    @Test
    void aLibraryThatCrashesIsReportedAndTheRunGoesOn() throws Exception {
        Path library = library("if (calls == 100) abort()");
        Outcome outcome = run(
                "--library", library.toString(), "--routines", "gemm,dot", "--sizes", "8", "--threads", "1", "--json");
        assertEquals(0, outcome.exit, outcome.err);
        assertEquals("crashed", status(outcome.out, "gemm", "libbad.so"));
        String detail = result(outcome.out, "gemm", "libbad.so").get("detail").getAsString();
        assertTrue(detail.startsWith("the child ended with exit code 134 (SIGABRT)"), detail);
        assertEquals("ok", status(outcome.out, "dot", "libbad.so"), "by another child");
    }

    @Test
    void numbersThatGoBadWhileTimedAreReported() throws Exception {
        Path library = library("if (eights > 50) c[0] = 0.0f / (float) (calls < 0)");
        Outcome outcome = run("--library", library.toString(), "--sizes", "8", "--threads", "1", "--json");
        assertEquals("wrong", status(outcome.out, "gemm", "libbad.so"));
        assertEquals(
                "1 elements are NaN or infinite after many calls",
                result(outcome.out, "gemm", "libbad.so").get("detail").getAsString());
        Path denormal = library("if (eights > 50) c[0] = 1e-40f");
        outcome = run("--library", denormal.toString(), "--sizes", "8", "--threads", "1", "--json");
        assertEquals("ok", status(outcome.out, "gemm", "libbad.so"));
        assertTrue(outcome.err.contains("1 elements became denormal, which makes arithmetic slow"), outcome.err);
    }

    @Test
    void wrongUsageEndsWithOneLineAndExitCodeTwo() throws Exception {
        Path text = Files.writeString(folder.resolve("text.so"), "not a library");
        for (Map.Entry<String, String> wrong : Map.of(
                        "--routines nonsense",
                        "nonsense is not one of axpy",
                        "--library " + text,
                        "no CBLAS library: ",
                        "--nonsense",
                        "Unknown option: '--nonsense'",
                        "--csv " + folder.resolve("missing") + "/x.csv",
                        "cannot be written")
                .entrySet()) {
            Outcome outcome = run(wrong.getKey().split(" "));
            assertEquals(2, outcome.exit, wrong.getKey());
            assertEquals("", outcome.out);
            assertEquals(1, outcome.err.lines().count(), outcome.err);
            assertTrue(outcome.err.startsWith("blasbench: ") && outcome.err.contains(wrong.getValue()), outcome.err);
        }
    }

    @Test
    void helpNamesEveryRoutineAndPreset() throws Exception {
        Outcome outcome = run("--help");
        assertEquals(0, outcome.exit);
        for (Routine routine : Routine.values()) {
            assertTrue(outcome.out.contains(routine.word()), routine.word());
        }
        for (Preset preset : Preset.values()) {
            assertTrue(outcome.out.contains(preset.name().toLowerCase(java.util.Locale.ROOT)), preset.name());
        }
    }

    /// Returns the command prefix that makes a program heed interrupts, which are ignored in a shell's background,
    /// where the tests may run.
    private static List<String> heedingInterrupts() {
        boolean can = succeeds(List.of("env", "--default-signal=INT", "true"));
        return can ? List.of("env", "--default-signal=INT") : List.of();
    }

    @Test
    void anInterruptLeavesTheTableTheRowsAndThePageAndNoChild() throws Exception {
        Path csv = folder.resolve("x.csv");
        Path page = folder.resolve("x.html");
        ProcessBuilder tool =
                tool("--sizes", "64:2048", "--threads", "1", "--csv", csv.toString(), "--html", page.toString());
        tool.command().addAll(0, heedingInterrupts());
        Process process = tool.redirectError(ProcessBuilder.Redirect.PIPE).start();
        List<ProcessHandle> children;
        try (BufferedReader progress = process.errorReader()) {
            String line = progress.readLine();
            while (line != null && !line.startsWith("2 of 6")) {
                line = progress.readLine();
            }
            assertEquals(3, Files.readAllLines(csv).size(), "rows are written as results come");
            children = process.descendants().toList();
            assertFalse(children.isEmpty(), "children are at work");
            // The signal of Ctrl-C.
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                    .start()
                    .waitFor();
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
        }
        assertEquals(128 + 2, process.exitValue());
        for (ProcessHandle child : children) {
            assertFalse(child.isAlive(), "left behind: " + child.info());
        }
        String out = Files.readString(folder.resolve("out"));
        assertEquals(1, out.lines().filter(line -> line.startsWith("gemm  ")).count(), out);
        assertTrue(out.contains("note: Interrupted; these are the results so far."), out);
        assertFalse(out.contains("crashed"), out);
        assertEquals(3, Files.readAllLines(csv).size());
        assertEquals(
                1,
                StatisticsTest.data(Files.readString(page))
                        .getAsJsonArray("results")
                        .size());
    }
}
