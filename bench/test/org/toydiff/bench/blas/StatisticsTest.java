package org.toydiff.bench.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Percentiles, the roof, and the four forms of a report.
class StatisticsTest {
    private static final Library LIBRARY = new Library("openblas", "openblas", "/lib/x.so", "OpenBLAS <0>", "Zen");
    private static final Problem PRODUCT =
            Problem.of(Routine.GEMM, "NT", false, 1, Problem.Layout.DEFAULT, 100, 200, 50);
    private static final Roof ROOF = new Roof(
            2,
            100,
            50,
            List.of(
                    new Roof.Bandwidth(1 << 10, 200),
                    new Roof.Bandwidth(1 << 20, 40),
                    new Roof.Bandwidth(1 << 24, 10)));

    private static BlasReport report() {
        var report = new BlasReport(Map.of("Processor", "P </script>", "Cores", "2", "JDK", "25", "Date", "today"));
        report.add(LIBRARY);
        report.add(ROOF);
        report.add(new Result(
                PRODUCT,
                LIBRARY,
                2,
                Result.Status.OK,
                null,
                Statistics.of(100),
                Statistics.of(99),
                Statistics.of(125),
                Statistics.of(120),
                ROOF.percent(PRODUCT, 100)));
        report.add(new Result(
                Problem.of(Routine.SYRK, "N", true, 1, Problem.Layout.DEFAULT, 4, 4),
                LIBRARY,
                2,
                Result.Status.LACKING,
                "the library has no cblas_dsyrk",
                null,
                null,
                null,
                null,
                Double.NaN));
        report.addSmallest(new Result(
                PRODUCT,
                LIBRARY,
                1,
                Result.Status.OK,
                null,
                Statistics.of(0.012),
                Statistics.of(0.005),
                null,
                null,
                1));
        report.note("a note");
        return report;
    }

    @Test
    void percentilesLieBetweenTheNearestRanks() {
        double[] values = IntStream.rangeClosed(1, 11).mapToDouble(i -> 12 - i).toArray();
        assertEquals(new Statistics(6, 2, 10, 11), Statistics.of(values));
        assertEquals(
                new Statistics(2.5, 1.3, 3.7, 4).toString(),
                rounded(Statistics.of(4, 1, 3, 2)).toString());
        assertEquals(new Statistics(7, 7, 7, 1), Statistics.of(7));
    }

    private static Statistics rounded(Statistics s) {
        return new Statistics(s.median(), Math.round(s.p10() * 1e9) / 1e9, Math.round(s.p90() * 1e9) / 1e9, s.count());
    }

    @Test
    void theRoofIsTheLongerOfArithmeticAndMemoryTraffic() {
        assertEquals(2e6, PRODUCT.flops());
        assertEquals(20, ROOF.percent(PRODUCT, 100), 1e-12, "2 MFLOP at 100 GFLOP/s take 20 us");
        Problem sum = Problem.of(Routine.DOT, "-", false, 1, Problem.Layout.DEFAULT, 100);
        assertEquals(100 * 800 / 200e3, ROOF.percent(sum, 1), 1e-12, "800 bytes fit into the first cache");
        assertEquals(10, ROOF.gbs(1e9), "nothing is larger than memory");
    }

    @Test
    void aDisturbedMeasurementDoesNotLowerTheRoof() {
        var roof = new Roof(
                1,
                1,
                1,
                List.of(new Roof.Bandwidth(100, 30), new Roof.Bandwidth(200, 50), new Roof.Bandwidth(300, 10)));
        assertEquals(50, roof.gbs(100), "200 bytes moved at 50, and 100 are no slower");
        assertEquals(50, roof.gbs(200));
        assertEquals(10, roof.gbs(201));
    }

    @Test
    void bfloat16HasNoRoof() {
        Problem product = Problem.of(Routine.GEMM_BF16, "NN", false, 1, Problem.Layout.DEFAULT, 100, 200, 50);
        assertEquals(Double.NaN, ROOF.percent(product, 100));
        var result = new Result(
                product, LIBRARY, 2, Result.Status.OK, null, Statistics.of(100), null, null, null, Double.NaN);
        var report = new BlasReport(Map.of());
        report.add(result);
        assertTrue(Table.of(report).contains("gemm_bf16  NN       bfloat16  100  200  50"), Table.of(report));
        assertFalse(Json.of(report).contains("roof_percent"));
    }

    @Test
    void aPoolIsSlowerIfItsMedianExceedsMostTimesOnOneThread() {
        double[] onOne = IntStream.rangeClosed(1, 11).mapToDouble(i -> i).toArray();
        Result one = pooled(1, onOne);
        assertFalse(pooled(2, 10).comparedWithOne(List.of(one)).isSlowerInPool());
        assertTrue(pooled(2, 10.1).comparedWithOne(List.of(pooled(2, 1), one)).isSlowerInPool());
        assertFalse(one.comparedWithOne(List.of(one)).isSlowerInPool(), "it is that one");
        assertFalse(pooled(2, 99).comparedWithOne(List.of(pooled(2, 1))).isSlowerInPool(), "nothing to compare with");
    }

    private static Result pooled(int threads, double... times) {
        Statistics pool = Statistics.of(times);
        return new Result(PRODUCT, LIBRARY, threads, Result.Status.OK, null, pool, null, pool, null, 1);
    }

    @Test
    void theCsvHasTheColumnsOfItsHeaderAndGrowsByWholeRows() throws IOException {
        var text = new StringWriter();
        try (var csv = new Csv(new BufferedWriter(text))) {
            for (Result result : report().results()) {
                csv.add(result);
                assertTrue(text.toString().endsWith("\r\n"), "written at once");
            }
        }
        List<String> lines = text.toString().lines().toList();
        assertEquals(
                "routine,variant,dtype,m,n,k,library,threads,median_us,p10_us,p90_us,gflops,gbs,roof_percent,c_median_us,"
                        + "jvm_c_ratio,remark",
                lines.get(0));
        assertEquals(
                "gemm,NT,float,100,200,50,openblas,2,100.000,100.000,100.000,20.0000,1.40000,20.0000,99.0000,0.990000,",
                lines.get(1));
        assertEquals(
                "gemm,NT,float,100,200,50,openblas+pool,2,125.000,125.000,125.000,16.0000,1.12000,16.0000,n/a,n/a,"
                        + "slower than on one thread",
                lines.get(2));
        assertEquals(
                "syrk,N,double,4,4,4,openblas,2,n/a,n/a,n/a,n/a,n/a,n/a,n/a,n/a,the library has no cblas_dsyrk",
                lines.get(3));
        assertEquals(4, lines.size());
    }

    @Test
    void theTableIsAlignedAndMarksMissingTimes() {
        List<String> lines = Table.of(report()).lines().toList();
        assertEquals(lines.get(0).indexOf("library"), lines.get(1).indexOf("openblas"));
        assertEquals(
                lines.get(0).indexOf("JVM/C") + "JVM/C".length(), lines.get(1).indexOf("0.990") + "0.990".length());
        assertTrue(lines.get(1).endsWith("  125.0*"), lines.get(1));
        assertTrue(lines.get(2).endsWith("  -"), lines.get(2));
        assertTrue(lines.contains("* slower on several of toydiff's threads than on one"), lines.toString());
        assertTrue(lines.contains("- openblas has no cblas_dsyrk"), lines.toString());
        assertTrue(lines.contains("openblas: OpenBLAS <0>, kernels for Zen, /lib/x.so"), lines.toString());
        assertTrue(
                lines.contains(
                        "a call to openblas costs 7.0 ns more than from C (gemm of one element: 12.0 and 5.0 ns)"),
                lines.toString());
        assertTrue(lines.contains("note: a note"));
    }

    @Test
    void numbersHaveFourDigits() {
        assertEquals("0.0123", Table.number(0.0123));
        assertEquals("1.235", Table.number(1.23456));
        assertEquals("123.5", Table.number(123.456));
        assertEquals("123457", Table.number(123456.7));
        assertEquals("0", Table.number(0));
    }

    @Test
    void theJsonHoldsAll() {
        JsonObject json = JsonParser.parseString(Json.of(report())).getAsJsonObject();
        JsonObject first = json.getAsJsonArray("results").get(0).getAsJsonObject();
        assertEquals(0.99, first.get("jvm_c_ratio").getAsDouble(), 1e-12);
        assertEquals(125, first.getAsJsonObject("pool").get("median_us").getAsDouble());
        assertTrue(first.get("pool_slower_than_one_thread").getAsBoolean());
        assertEquals(
                "n/a",
                json.getAsJsonArray("results")
                        .get(1)
                        .getAsJsonObject()
                        .get("status")
                        .getAsString());
        assertEquals(
                7,
                json.getAsJsonArray("call_overhead")
                        .get(0)
                        .getAsJsonObject()
                        .get("overhead_ns")
                        .getAsDouble(),
                1e-9);
    }

    @Test
    void thePageNeedsNothingElseAndCannotBeBrokenOutOf() throws IOException {
        String page = Html.of(report());
        assertTrue(page.contains("Apache Software Foundation"), "ECharts is in it, with its licence");
        JsonObject data = data(page);
        assertEquals(
                "P </script>", data.getAsJsonObject("machine").get("Processor").getAsString());
        assertTrue(!page.contains("P </script>"), "text of the report is escaped");
        assertEquals("a note", data.getAsJsonArray("notes").get(0).getAsString());
        assertEquals(-1, page.replaceAll("(?s)<script>.*?</script>", "").indexOf("://"), "nothing is fetched");
        for (String part : List.of("<html lang=\"en\">", "<title>BLAS from the JVM</title>", "<main id=\"main\">")) {
            assertTrue(page.contains(part), part);
        }
    }

    /// Returns the data in a page.
    static JsonObject data(String page) {
        String start = "<script id=\"data\" type=\"application/json\">";
        int from = page.indexOf(start) + start.length();
        return JsonParser.parseString(page.substring(from, page.indexOf("</script>", from)))
                .getAsJsonObject();
    }

    @Test
    void kernelsOlderThanTheProcessorAreWarnedOf() {
        Set<String> avx2 = Set.of("avx", "avx2", "fma");
        Set<String> avx512 = Set.of("avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl");
        assertEquals(
                "openblas uses kernels for Prescott, but this processor has AVX-512: products may be several times slower"
                        + " than they could be; set OPENBLAS_CORETYPE=SkylakeX in the environment, which a library built"
                        + " with DYNAMIC_ARCH obeys.",
                KernelChoice.warning(kernelsFor("Prescott"), avx512).orElseThrow());
        assertTrue(KernelChoice.warning(kernelsFor("Sandybridge"), avx2)
                .orElseThrow()
                .contains("has AVX2: products may be several times slower than they could be;"
                        + " set OPENBLAS_CORETYPE=Haswell "));
        assertTrue(KernelChoice.warning(kernelsFor("Zen"), avx512)
                .orElseThrow()
                .contains("has AVX-512: products may be slower than they could be"));
        assertEquals(Optional.empty(), KernelChoice.warning(kernelsFor("Haswell"), avx2));
        assertEquals(Optional.empty(), KernelChoice.warning(kernelsFor("Cooperlake"), avx512));
        assertEquals(Optional.empty(), KernelChoice.warning(kernelsFor("unknown"), avx512));
        assertEquals(Optional.empty(), KernelChoice.warning(kernelsFor("Prescott"), Set.of("sse3")));
    }

    private static Library kernelsFor(String core) {
        return new Library("openblas", "openblas", "/lib/x.so", "OpenBLAS", core);
    }

    @Test
    void progressEstimatesTheTimeLeft() {
        var text = new ByteArrayOutputStream();
        var nanos = new AtomicLong();
        try (var progress = new TimeLeft(new PrintStream(text, true, StandardCharsets.UTF_8), false, 4, nanos::get)) {
            progress.prepare("measuring the cost of a call");
            progress.begin(1, PRODUCT);
            nanos.set(30_000_000_000L);
            progress.begin(2, PRODUCT);
            nanos.set(40_000_000_000L);
            progress.begin(3, PRODUCT);
        }
        assertEquals(
                List.of(
                        "measuring the cost of a call",
                        "1 of 4: " + PRODUCT,
                        "2 of 4: " + PRODUCT + ", about 1 min 30 s left",
                        "3 of 4: " + PRODUCT + ", about 40 s left"),
                text.toString(StandardCharsets.UTF_8).lines().toList());
    }
}
