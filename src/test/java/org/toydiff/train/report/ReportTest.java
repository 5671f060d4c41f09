package org.toydiff.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.CompiledFunction;
import org.toydiff.ExecutionPlan;
import org.toydiff.MemoryPlan;
import org.toydiff.ReleaseSchedule;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.train.metrics.ConfusionMatrix;

/// The page contains the data, loads nothing from elsewhere, and no text breaks it.
class ReportTest {
    private static final String HOSTILE = "</script><script>alert(1)</script> {{charts}} <!-- \u2028 \"&";

    @TempDir
    private Path folder;

    private static History history(int epochs, int stepsPerEpoch) {
        var history = new History(
                List.of("epoch", "loss", "accuracy", "validation_loss", "seconds", "peak_bytes", "gc_count"),
                List.of("epoch", "step", "loss", "seconds", "wait_seconds", "live_bytes", "peak_bytes"));
        int step = 0;
        for (int epoch = 1; epoch <= epochs; epoch++) {
            for (int i = 0; i < stepsPerEpoch; i++) {
                step++;
                history.addStep(epoch, step, 1.0 / step, step * 1e-3, 0, 1000, 1000 + step);
            }
            history.addEpoch(epoch, 1.0 / epoch, 1 - 1.0 / epoch, epoch == 2 ? 0.25 : 0.5, 0.1, 2000, 0);
        }
        return history;
    }

    private String page(Report report) throws IOException {
        Path file = folder.resolve("report.html");
        report.write(file);
        return Files.readString(file);
    }

    private static JsonObject data(String page) {
        String start = "<script id=\"data\" type=\"application/json\">";
        int from = page.indexOf(start) + start.length();
        return JsonParser.parseString(page.substring(from, page.indexOf("</script>", from)))
                .getAsJsonObject();
    }

    private static double[] numbers(JsonElement array) {
        JsonArray values = array.getAsJsonArray();
        double[] numbers = new double[values.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = values.get(i).isJsonNull() ? Double.NaN : values.get(i).getAsDouble();
        }
        return numbers;
    }

    private static int count(String text, String part) {
        return (text.length() - text.replace(part, "").length()) / part.length();
    }

    @Test
    void theDataIsThatOfTheHistory() throws IOException {
        History history = history(3, 5);
        JsonObject data = data(page(Report.of(history).best("validation_loss", false)));
        for (String column : history.epochColumns()) {
            assertEquals(
                    Arrays.toString(history.epochValues(column)),
                    Arrays.toString(numbers(data.getAsJsonObject("epochs").get(column))));
        }
        for (String column : history.stepColumns()) {
            assertEquals(
                    Arrays.toString(history.stepValues(column)),
                    Arrays.toString(numbers(data.getAsJsonObject("steps").get(column))));
        }
        assertEquals(1, data.get("best").getAsInt());
        JsonObject times = data.getAsJsonObject("stepTimes");
        assertEquals(15, DoubleStream.of(numbers(times.get("counts"))).sum());
        assertEquals(0.008, times.get("p50").getAsDouble());
        assertEquals(0.015, times.get("p99").getAsDouble());
    }

    @Test
    void theFactsAreTheSeedTheVersionsAndTheCallersOwn() throws IOException {
        Tensor.manualSeed(42);
        JsonObject facts =
                data(page(Report.of(history(1, 1)).fact("Threads", "many"))).getAsJsonObject("facts");
        assertEquals("42", facts.get("Seed").getAsString());
        assertEquals("many", facts.get("Threads").getAsString());
        assertTrue(facts.keySet().containsAll(List.of("toydiff", "Machine", "JVM", "BLAS")), facts.toString());
        try (var arena = TensorArena.ofConfined()) {
            Tensor.setRandomState(Tensor.randomState());
        }
        assertFalse(
                data(page(Report.of(history(1, 1)))).getAsJsonObject("facts").has("Seed"));
        Tensor.manualSeed(0);
    }

    @Test
    void thePageHasALanguageATitleLandmarksAndNames() throws IOException {
        PageStructure.requireAccessible(page(Report.of(history(2, 3)).title("Digits")), "Digits");
    }

    @Test
    void manyStepsAreShownInGroups() throws IOException {
        History history = history(2, 2500);
        JsonObject data = data(page(Report.of(history)));
        JsonObject steps = data.getAsJsonObject("steps");
        assertEquals(3, data.get("stepGroup").getAsInt());
        double[] numbers = numbers(steps.get("step"));
        assertEquals(Math.ceilDiv(5000, 3), numbers.length);
        assertEquals(3, numbers[0]);
        assertEquals(5000, numbers[numbers.length - 1]);
        assertEquals((1 + 1.0 / 2 + 1.0 / 3) / 3, numbers(steps.get("loss"))[0], 1e-15);
        assertEquals(6000, numbers(steps.get("peak_bytes"))[numbers.length - 1]);
    }

    @Test
    void thePageLoadsNothing() throws IOException {
        try (var arena = TensorArena.ofConfined()) {
            var net = new Sequential(new Linear(4, 3));
            String page = page(Report.of(history(2, 3)).model(net).confusion(new ConfusionMatrix(3), "x"));
            int charts = page.indexOf("<script>", page.indexOf("id=\"data\""));
            int end = page.indexOf("</script>", charts);
            assertTrue(end - charts > 500_000, "ECharts is inside");
            String own = (page.substring(0, charts) + page.substring(end))
                    .replace("<link rel=\"icon\" href=\"data:,\">", "");
            for (String outside :
                    List.of("http:", "https:", "src=", "href=", "url(", "@import", "import(", "fetch(", "XMLHttp")) {
                assertFalse(own.contains(outside), outside);
            }
            assertTrue(own.contains("default-src 'none'"), "nor may the charts load anything");
        }
    }

    @Test
    void hostileTextsAreNotExecuted() throws IOException {
        var report = Report.of(history(1, 1))
                .title(HOSTILE)
                .fact("Note", HOSTILE)
                .confusion(new ConfusionMatrix(2), "x")
                .classNames(HOSTILE, "b");
        String page = page(report);
        assertEquals(3, count(page, "<script"));
        assertEquals(3, count(page, "</script"));
        assertEquals(1, count(page, "Content-Security-Policy"));
        assertTrue(
                page.contains("<h1>&lt;/script>&lt;script>alert(1)&lt;/script> {{charts}} &lt;!-- \u2028 &quot;&amp;"));
        assertEquals(HOSTILE, data(page).getAsJsonObject("facts").get("Note").getAsString());
        JsonObject confusion = data(page).getAsJsonObject("confusion");
        assertEquals(HOSTILE, confusion.getAsJsonArray("labels").get(0).getAsString());
    }

    @Test
    void confusionAndModelAreThere() throws IOException {
        try (var arena = TensorArena.ofConfined()) {
            var matrix = new ConfusionMatrix(3);
            Tensor output = Tensor.of(new float[][] {{1, 0, 0}, {0, 1, 0}, {0, 1, 0}});
            matrix.update(output, Tensor.of(new int[] {0, 1, 2}));
            var net = new Sequential(new Linear(4, 3), new ReLU());
            JsonObject data = data(page(Report.of(history(1, 1)).model(net).confusion(matrix, "test")));
            JsonObject confusion = data.getAsJsonObject("confusion");
            assertEquals("[[1,0,0],[0,1,0],[0,1,0]]", confusion.get("counts").toString());
            assertEquals(
                    "[[1,1,1,1],[0.5,1,0.6666666666666666,1],[null,0,0,1]]",
                    confusion.get("scores").toString());
            assertEquals(
                    "[[\"0.weight\",\"[3, 4]\",12],[\"0.bias\",\"[3]\",3]]",
                    data.getAsJsonObject("model").get("parameters").toString());
            assertEquals(
                    net.toString(), data.getAsJsonObject("model").get("text").getAsString());
        }
    }

    @Test
    void thePlanOfACompiledStepIsThere() throws IOException {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> {
                    CompiledFunction.onEachRun(HOSTILE, () -> {});
                    return x.exp().matmul(x).relu().sum();
                })) {
            compiled.run(Tensor.rand(8, 8));
            ExecutionPlan plan = compiled.plan();
            String page = page(Report.of(history(1, 1)).plan(plan));
            assertEquals(3, count(page, "<script"), "no text breaks the page");
            JsonObject data = data(page).getAsJsonObject("plan");
            assertEquals(plan.plannedBytes(), data.get("planned").getAsLong());
            assertEquals(plan.lowerBoundBytes(), data.get("lowerBound").getAsLong());
            assertEquals(plan.fusedLoops(), data.get("fused").getAsInt());
            assertEquals(plan.launches().size(), data.getAsJsonArray("launches").size());
            assertEquals(plan.svg(), data.get("svg").getAsString());
            assertFalse(data(page(Report.of(history(1, 1)))).has("plan"));
        }
    }

    private static ReleaseSchedule schedule() {
        var net = new Sequential(new Linear(20, 30), new ReLU(), new Linear(30, 10), new ReLU(), new Linear(10, 5));
        return MemoryPlan.of(
                        in -> Functional.crossEntropyLoss(net.forward(in.get(0)), in.get(1)),
                        List.of(Tensor.rand(64, 20), Tensor.of(new int[64])))
                .schedule();
    }

    @Test
    void blocksAddUpToTheLiveBytesOfTheSchedule() {
        try (var arena = TensorArena.ofConfined()) {
            ReleaseSchedule schedule = schedule();
            for (int most : new int[] {0, 3, 1000}) {
                BlockLifetimes lifetimes = BlockLifetimes.of(schedule, most);
                assertTrue(lifetimes.blocks().size() <= most);
                for (int i = 0; i < lifetimes.times().size(); i++) {
                    int time = lifetimes.times().get(i);
                    long drawn = lifetimes.others().get(i);
                    for (ReleaseSchedule.Entry block : lifetimes.blocks()) {
                        drawn += block.made() <= time && time < block.step() ? block.bytes() : 0;
                    }
                    assertEquals(lifetimes.live().get(i), drawn);
                    if (time >= 0 && time < schedule.liveBytes().size()) {
                        assertEquals(schedule.liveBytes().get(time), drawn, "after step " + time);
                    }
                }
                assertEquals(0, lifetimes.live().getLast());
            }
        }
    }

    @Test
    void theScheduleIsThere() throws IOException {
        try (var arena = TensorArena.ofConfined()) {
            ReleaseSchedule schedule = schedule();
            JsonObject data =
                    data(page(Report.of(history(1, 1)).schedule(schedule))).getAsJsonObject("schedule");
            assertEquals(schedule.peakBytes(), data.get("peak").getAsLong());
            assertEquals(schedule.liveBytes().size() - 1, data.get("steps").getAsInt());
            BlockLifetimes lifetimes = BlockLifetimes.of(schedule, 1000);
            assertEquals(
                    lifetimes.blocks().size(), data.getAsJsonArray("blocks").size());
            assertEquals(
                    lifetimes.live().toString(), data.get("live").toString().replace(",", ", "));
        }
    }

    @Test
    void anEmptyHistoryAndOneOfOtherColumnsHaveAPage() throws IOException {
        assertTrue(data(page(Report.of(history(0, 0)))).has("epochs"));
        var history = new History(List.of("perplexity"), List.of("perplexity"));
        history.addEpoch(Double.NaN);
        history.addStep(Double.POSITIVE_INFINITY);
        JsonObject data = data(page(Report.of(history).best("perplexity", true)));
        assertEquals("[null]", data.getAsJsonObject("epochs").get("perplexity").toString());
        assertEquals(0, data.get("best").getAsInt());
    }

    @Test
    void badSettingsAreNamed() {
        Report report = Report.of(history(1, 1));
        assertEquals(
                "Report: best f1 is not a column of epochs; use one of [epoch, loss, accuracy, validation_loss, seconds,"
                        + " peak_bytes, gc_count]",
                assertThrows(IllegalArgumentException.class, () -> report.best("f1", true))
                        .getMessage());
        report.confusion(new ConfusionMatrix(3), "x").classNames("a");
        assertEquals(
                "Report: 1 class names for 3 classes; give one for each",
                assertThrows(IllegalStateException.class, () -> report.write(folder.resolve("r.html")))
                        .getMessage());
        assertFalse(Files.exists(folder.resolve("r.html")));
    }
}
