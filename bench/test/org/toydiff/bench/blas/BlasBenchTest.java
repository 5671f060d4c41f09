package org.toydiff.bench.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Blas;
import org.toydiff.internal.blas.BlasLibrary;

/// Runs the tool as a user does, once on OpenBLAS beside a library with a fault of every kind that is built here.
class BlasBenchTest {
    /// A library with the functions that toydiff requires, right except for operands of 16 rows or elements: gemm has
    /// a wrong element, dot ends the process, and after a while gemv yields infinity and axpy a denormal. It has
    /// functions of oneMKL, and lacks many of CBLAS.
    private static final String SOURCE = """
            #include <math.h>
            #include <stddef.h>
            #include <stdint.h>
            #include <stdlib.h>
            #include <string.h>
            enum { TRANSPOSE = 112, PACKED = 151 };
            #define AT(x, transpose, ld, i, j) ((transpose) == TRANSPOSE ? x[(j) * ld + (i)] : x[(i) * ld + (j)])
            #define PRODUCT(name, T, R, read) \
                void name(int order, int ta, int tb, int m, int n, int k, R alpha, const T *a, int lda, const T *b, \
                          int ldb, R beta, R *c, int ldc) { \
                    for (int i = 0; i < m; i++) \
                        for (int j = 0; j < n; j++) { \
                            R sum = 0; \
                            for (int l = 0; l < k; l++) \
                                sum += read(AT(a, ta, lda, i, l)) * read(AT(b, tb, ldb, l, j)); \
                            c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]); \
                        } \
                }
            static float widened(uint16_t x) {
                uint32_t bits = (uint32_t) x << 16;
                float number;
                memcpy(&number, &bits, sizeof number);
                return number;
            }
            PRODUCT(right, float, float, )
            PRODUCT(cblas_dgemm, double, double, )
            PRODUCT(cblas_gemm_bf16bf16f32, uint16_t, float, widened)
            void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                             const float *b, int ldb, float beta, float *c, int ldc) {
                right(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
                if (m == 16) c[ldc * (m - 1) + n - 1] += 0.001f;
            }
            void cblas_sgemv(int order, int t, int m, int n, float alpha, const float *a, int lda, const float *x, int incx,
                             float beta, float *y, int incy) {
                static int calls;
                right(order, t, 111, t == TRANSPOSE ? n : m, 1, t == TRANSPOSE ? m : n, alpha, a, lda, x, incx, beta, y, incy);
                if (m == 16 && ++calls > 50) y[0] = INFINITY;
            }
            void cblas_dgemv(int order, int t, int m, int n, double alpha, const double *a, int lda, const double *x,
                             int incx, double beta, double *y, int incy) {
                cblas_dgemm(order, t, 111, t == TRANSPOSE ? n : m, 1, t == TRANSPOSE ? m : n, alpha, a, lda, x, incx, beta, y,
                            incy);
            }
            float cblas_sdot(int n, const float *x, int incx, const float *y, int incy) {
                static int calls;
                if (n == 16 && ++calls == 100) abort();
                float sum = 0;
                for (int i = 0; i < n; i++) sum += x[i * incx] * y[i * incy];
                return sum;
            }
            double cblas_ddot(int n, const double *x, int incx, const double *y, int incy) {
                double sum = 0;
                for (int i = 0; i < n; i++) sum += x[i * incx] * y[i * incy];
                return sum;
            }
            void cblas_saxpy(int n, float alpha, const float *x, int incx, float *y, int incy) {
                static int calls;
                for (int i = 0; i < n; i++) y[i * incy] += alpha * x[i * incx];
                if (n == 16 && ++calls > 50) y[0] = 1e-40f;
            }
            size_t cblas_sgemm_pack_get_size(int identifier, int m, int n, int k) { return sizeof(float) * k * n; }
            void cblas_sgemm_pack(int order, int identifier, int t, int m, int n, int k, float alpha, const float *b, int ld,
                                  float *to) {
                for (int i = 0; i < k; i++)
                    for (int j = 0; j < n; j++) to[i * n + j] = alpha * AT(b, t, ld, i, j);
            }
            void cblas_sgemm_compute(int order, int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b,
                                     int ldb, float beta, float *c, int ldc) {
                if (tb == PACKED) right(order, ta, 111, m, n, k, 1, a, lda, b, n, beta, c, ldc);
            }
            """;

    private static final List<String> ROUTINES =
            List.of("gemm", "dot", "gemv", "axpy", "gemm_bf16", "gemm_pack", "gemm_compute");

    private static final boolean HAS_AVX2 = hasAvx2();

    /// The library that is built; null without a C compiler.
    private static Path faulty;

    /// The run that most tests look at, and its files.
    private static Outcome outcome;

    private static String json;
    private static List<String> csv;
    private static String page;

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    private static ProcessBuilder tool(Path folder, String... arguments) {
        List<String> command = new ArrayList<>(ChildCommands.java(BlasBench.class, null));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
    }

    private static Outcome run(Path folder, ProcessBuilder tool) throws Exception {
        int exit = tool.start().waitFor();
        return new Outcome(exit, Files.readString(folder.resolve("out")), ownLines(folder));
    }

    /// Returns stderr without the JVM's warning about its modules.
    private static String ownLines(Path folder) throws IOException {
        return String.join(
                "\n",
                Files.readAllLines(folder.resolve("err")).stream()
                        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                        .toList());
    }

    /// Measures seven routines of both libraries, OpenBLAS with old kernels, and writes all forms of the report.
    @BeforeAll
    static void runOnBothLibraries() throws Exception {
        faulty = hasCompiler() ? library() : null;
        List<String> arguments = new ArrayList<>(
                faulty == null ? List.of() : List.of("--library", faulty.toString(), "--library", "openblas"));
        arguments.addAll(List.of("--routines", String.join(",", ROUTINES), "--sizes", "16", "--threads", "1"));
        for (String form : List.of("csv", "json", "html")) {
            arguments.addAll(List.of("--" + form, shared.resolve(form).toString()));
        }
        ProcessBuilder tool = tool(shared, arguments.toArray(String[]::new));
        if (HAS_AVX2) {
            tool.environment().put("OPENBLAS_CORETYPE", "Prescott");
        }
        outcome = run(shared, tool);
        assertEquals(0, outcome.exit, outcome.err);
        json = Files.readString(shared.resolve("json"));
        csv = Files.readAllLines(shared.resolve("csv"));
        page = Files.readString(shared.resolve("html"));
    }

    private static boolean hasAvx2() {
        try {
            return Host.instructionSets().containsAll(Set.of("avx2", "fma"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path library() throws Exception {
        Path source = Files.writeString(shared.resolve("bad.c"), SOURCE);
        Path library = shared.resolve("libbad.so");
        var command = List.of("cc", "-shared", "-fPIC", "-O1", "-o", library.toString(), source.toString());
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
        return library;
    }

    private static void assumeFaultyLibrary() {
        assumeTrue(faulty != null, "there is no C compiler on the PATH to build a bad library with");
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

    private static JsonObject result(String routine, String library) {
        return JsonParser.parseString(json).getAsJsonObject().getAsJsonArray("results").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(result -> result.get("routine").getAsString().equals(routine)
                        && result.get("library").getAsString().equals(library))
                .findFirst()
                .orElseThrow();
    }

    private static String status(String routine, String library) {
        return result(routine, library).get("status").getAsString();
    }

    private static String detail(String routine, String library) {
        return result(routine, library).get("detail").getAsString();
    }

    @Test
    void everyRoutineAndVariantIsRightAndTimedInBothDtypes() {
        for (Routine routine : ofTheBundledLibrary()) {
            for (String variant : routine.variants) {
                for (boolean wide : new boolean[] {false, true}) {
                    check(routine, variant, wide, 1, 130, 110, 120);
                    if (routine != Routine.GEMM_BATCH_STRIDED) {
                        check(routine, variant, wide, 1, 50, 110, 3);
                        check(routine, variant, wide, routine.isLapack() ? 1 : 1_000, 13, 11, 12);
                        check(routine, variant, wide, 1, 1, 1, 1);
                    }
                }
            }
        }
    }

    private static List<Routine> ofTheBundledLibrary() {
        Blas.library();
        return Stream.of(Routine.values())
                .filter(routine -> BlasLibrary.has(routine.symbol(false)))
                .toList();
    }

    private static void check(Routine routine, String variant, boolean wide, int calls, int... sizes) {
        Problem problem =
                Problem.of(routine, variant, wide, routine.isBatch() ? 2 : 1, new Problem.Layout(-3, 128), sizes);
        try (var operands = new Operands(problem)) {
            assertEquals(128, operands.segment(0).address() % 256, "aligned as asked, and no better");
            Calls.of(operands).run(1);
            assertEquals(null, Check.fault(operands));
            operands.fillForTiming();
            Calls.of(operands).run(calls);
            assertEquals(0, operands.countNotFinite(), problem + " stays finite");
            assertEquals(0, operands.countDenormal(), problem + " stays normal");
        }
    }

    @Test
    void oneWrongElementIsCaughtInEveryRoutine() {
        for (Routine routine : ofTheBundledLibrary()) {
            Problem problem =
                    Problem.of(routine, routine.variants.getLast(), false, 1, Problem.Layout.DEFAULT, 113, 111, 110);
            try (var operands = new Operands(problem)) {
                Calls.of(operands).run(1);
                if (routine.isScalar()) {
                    operands.scalar *= 1.001;
                    requireFault(operands);
                }
                for (int result : routine.results()) {
                    Matrix y = operands.matrix(result, 0);
                    long row = y.rows() - 1;
                    long column = Math.min(7, y.columns() - 1);
                    double right = y.get(row, column);
                    y.set(row, column, right + 1e-3);
                    requireFault(operands);
                    y.set(row, column, right);
                }
            }
        }
    }

    private static void requireFault(Operands operands) {
        String fault = Check.fault(operands);
        assertTrue(fault != null && fault.startsWith(operands.problem + ": "), operands.problem + ": " + fault);
    }

    @Test
    void aFailureThatLapackReportsIsAFault() {
        Blas.library();
        Problem problem = Problem.of(Routine.POTRF, "-", true, 1, Problem.Layout.DEFAULT, 9);
        try (var operands = new Operands(problem)) {
            operands.original(0).set(3, 3, -1);
            Calls.of(operands).run(1);
            assertEquals(problem + ": it returned 4", Check.fault(operands));
        }
    }

    @Test
    void theTableFollowsTheMeasurements() {
        assertTrue(outcome.out.startsWith("routine       variant  dtype"), outcome.out);
        assertTrue(outcome.out.contains("openblas: OpenBLAS"), outcome.out);
        int results = ROUTINES.size() * (faulty == null ? 1 : 2);
        int pooled = 3;
        assertEquals(1 + results + pooled, csv.size(), csv.toString());
        String[] gemm = row("gemm,NN,float,16,16,16,openblas,1,").split(",");
        double micros = Double.parseDouble(gemm[8]);
        assertTrue(micros > 0.01 && micros < 1e4, gemm[8]);
        assertEquals(
                2 * 16 * 16 * 16 / micros / 1e3, Double.parseDouble(gemm[11]), 1e-4 * Double.parseDouble(gemm[11]));
        for (String product : List.of("gemm,NN,float,16,16,16", "gemv,N,float,16,16,1", "dot,-,float,1,16,1")) {
            assertTrue(Double.parseDouble(row(product + ",openblas+pool,1,").split(",")[8]) > 0, product);
        }
        requireWholePage(page, results);
    }

    private static String row(String start) {
        return csv.stream().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
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
    void kernelsOlderThanTheProcessorAreWarnedOfInConsoleAndPage() {
        assumeTrue(HAS_AVX2, "a processor with AVX2");
        String start = "openblas uses kernels for Prescott, but this processor has AVX";
        assertTrue(outcome.err.startsWith("blasbench: warning: " + start), outcome.err);
        JsonObject data = StatisticsTest.data(page);
        assertTrue(data.getAsJsonArray("notes").toString().contains(start), data.toString());
    }

    @Test
    void aWrongResultIsCaughtAndTheRunGoesOn() {
        assumeFaultyLibrary();
        assertEquals("wrong", status("gemm", "libbad.so"));
        String detail = detail("gemm", "libbad.so");
        assertTrue(detail.startsWith("gemm NN float 16x16x16: element [15, 15] is "), detail);
        for (String routine : List.of("gemm", "dot", "gemv", "axpy")) {
            assertEquals("ok", status(routine, "openblas"), routine);
        }
    }

    @Test
    void aRoutineThatALibraryLacksIsADashWithTheReasonAndNoError() {
        assertEquals("n/a", status("gemm_bf16", "openblas"));
        assertEquals("the library has no cblas_gemm_bf16bf16f32", detail("gemm_bf16", "openblas"));
        assertEquals(
                "cblas_gemm_bf16bf16f32",
                result("gemm_bf16", "openblas").get("lacks").getAsString());
        String line = outcome.out
                .lines()
                .filter(row -> row.startsWith("gemm_bf16") && row.contains("openblas"))
                .findFirst()
                .orElseThrow();
        assertTrue(line.endsWith("  -"), line);
        String reason = "- openblas has no cblas_gemm_bf16bf16f32, cblas_sgemm_pack, cblas_sgemm_compute";
        assertTrue(outcome.out.lines().anyMatch(reason::equals), outcome.out);
    }

    @Test
    void theProductsOfOneMklAreRightWhereALibraryHasThem() {
        assumeFaultyLibrary();
        for (String routine : List.of("gemm_bf16", "gemm_pack", "gemm_compute")) {
            assertEquals("ok", status(routine, "libbad.so"), routine);
            assertTrue(result(routine, "libbad.so").has("c"), "also from C");
        }
    }

    @Test
    void aLibraryThatCrashesIsReportedAndTheRunGoesOn() {
        assumeFaultyLibrary();
        assertEquals("crashed", status("dot", "libbad.so"));
        String detail = detail("dot", "libbad.so");
        assertTrue(detail.startsWith("the child ended with exit code 134 (SIGABRT)"), detail);
        assertEquals("ok", status("axpy", "libbad.so"), "by another child");
    }

    @Test
    void numbersThatGoBadWhileTimedAreReported() {
        assumeFaultyLibrary();
        assertEquals("wrong", status("gemv", "libbad.so"));
        assertEquals("1 elements are NaN or infinite after many calls", detail("gemv", "libbad.so"));
        assertEquals("1 elements became denormal, which makes arithmetic slow", detail("axpy", "libbad.so"));
        assertTrue(outcome.out.contains("axpy - float 1x16x1: 1 elements became denormal"), outcome.out);
    }

    @Test
    void wrongUsageEndsWithOneLineAndExitCodeTwo() throws Exception {
        for (Map.Entry<String, String> wrong : Map.of(
                        "--routines nonsense",
                        "nonsense is not one of axpy",
                        "--nonsense",
                        "Unknown option: '--nonsense'",
                        "--csv " + folder.resolve("missing") + "/x.csv",
                        "cannot be written")
                .entrySet()) {
            var err = new StringWriter();
            int exit = BlasBench.commandLine()
                    .setErr(new PrintWriter(err))
                    .execute(wrong.getKey().split(" "));
            requireOneLine(new Outcome(exit, "", err.toString()), wrong.getValue());
        }
        Path text = Files.writeString(folder.resolve("text.so"), "not a library");
        requireOneLine(run(folder, tool(folder, "--library", text.toString())), "no CBLAS library: ");
    }

    private static void requireOneLine(Outcome outcome, String message) {
        assertEquals(2, outcome.exit, message);
        assertEquals("", outcome.out);
        assertEquals(1, outcome.err.lines().count(), outcome.err);
        assertTrue(outcome.err.startsWith("blasbench: ") && outcome.err.contains(message), outcome.err);
    }

    @Test
    void helpNamesEveryRoutineAndPreset() {
        String help = BlasBench.commandLine().getUsageMessage();
        for (Routine routine : Routine.values()) {
            assertTrue(help.contains(routine.word()), routine.word());
        }
        for (Preset preset : Preset.values()) {
            assertTrue(help.contains(preset.name().toLowerCase(Locale.ROOT)), preset.name());
        }
        assertTrue(help.contains("(\"roof %\","), help);
    }

    /// Returns the command prefix that makes a program heed interrupts, which are ignored in a shell's background,
    /// where the tests may run.
    private static List<String> heedingInterrupts() {
        boolean can = succeeds(List.of("env", "--default-signal=INT", "true"));
        return can ? List.of("env", "--default-signal=INT") : List.of();
    }

    @Test
    void anInterruptLeavesTheTableTheRowsAndThePageAndNoChild() throws Exception {
        Path rows = folder.resolve("x.csv");
        Path html = folder.resolve("x.html");
        ProcessBuilder tool = tool(
                folder, "--sizes", "64:2048", "--threads", "1", "--csv", rows.toString(), "--html", html.toString());
        tool.command().addAll(0, heedingInterrupts());
        Process process = tool.redirectError(ProcessBuilder.Redirect.PIPE).start();
        List<ProcessHandle> children;
        try (BufferedReader progress = process.errorReader()) {
            String line = progress.readLine();
            while (line != null && !line.startsWith("2 of 6")) {
                line = progress.readLine();
            }
            assertEquals(3, Files.readAllLines(rows).size(), "rows are written as results come");
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
        assertEquals(3, Files.readAllLines(rows).size());
        assertEquals(
                1,
                StatisticsTest.data(Files.readString(html))
                        .getAsJsonArray("results")
                        .size());
    }
}
