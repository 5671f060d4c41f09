package org.toydiff.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The page of a comparison contains the data of every run and its best epoch.
class ComparisonTest {
    @TempDir
    private Path folder;

    private static History history(double... validationLosses) {
        var history = new History(List.of("epoch", "loss", "validation_loss"), List.of("epoch", "step", "loss"));
        int epoch = 0;
        for (double loss : validationLosses) {
            epoch++;
            history.addStep(epoch, epoch, 2 * loss);
            history.addEpoch(epoch, loss / 2, loss);
        }
        return history;
    }

    private static Map<String, History> runs(History first, History second) {
        Map<String, History> runs = new LinkedHashMap<>();
        runs.put("first", first);
        runs.put("</script><b>&", second);
        return runs;
    }

    private String page(Comparison comparison) throws IOException {
        Path file = folder.resolve("comparison.html");
        comparison.write(file);
        return Files.readString(file);
    }

    private JsonObject data(Comparison comparison) throws IOException {
        String page = page(comparison);
        String start = "<script id=\"data\" type=\"application/json\">";
        int from = page.indexOf(start) + start.length();
        return JsonParser.parseString(page.substring(from, page.indexOf("</script>", from)))
                .getAsJsonObject();
    }

    @Test
    void everyRunIsThereWithItsBestEpoch() throws IOException {
        JsonObject data = data(Comparison.of(runs(history(4, 2, 3), history(5, 1))));
        JsonArray runs = data.getAsJsonArray("runs");
        JsonObject second = runs.get(1).getAsJsonObject();
        assertEquals("</script><b>&", second.get("name").getAsString());
        assertEquals(
                "[5,1]", second.getAsJsonObject("epochs").get("validation_loss").toString());
        assertEquals("[10,2]", second.getAsJsonObject("steps").get("loss").toString());
        assertEquals(2, second.get("stepCount").getAsInt());
        assertEquals("validation_loss", data.get("bestColumn").getAsString());
        assertEquals(1, runs.get(0).getAsJsonObject().get("best").getAsInt());
        assertEquals(1, second.get("best").getAsInt());
        assertEquals(1, data.get("bestRun").getAsInt());
    }

    @Test
    void theBestMayBeTheLargestAndRunsWithoutNumbersHaveNone() throws IOException {
        JsonObject data =
                data(Comparison.of(runs(history(4, 2, 3), history(Double.NaN))).best("validation_loss", true));
        assertEquals(0, data.get("bestRun").getAsInt());
        JsonArray runs = data.getAsJsonArray("runs");
        assertEquals(0, runs.get(0).getAsJsonObject().get("best").getAsInt());
        assertEquals(-1, runs.get(1).getAsJsonObject().get("best").getAsInt());
        assertFalse(data(Comparison.of(runs(history(), history(Double.NaN)))).has("bestRun"));
    }

    @Test
    void runsMayHaveDifferentColumns() throws IOException {
        var other = new History(List.of("loss"), List.of("seconds"));
        other.addEpoch(3);
        JsonObject data = data(Comparison.of(runs(history(4), other)));
        assertEquals("loss", data.get("bestColumn").getAsString(), "the only one that both have");
        var none = new History(List.of("perplexity"), List.of("perplexity"));
        assertFalse(data(Comparison.of(runs(history(4), none))).has("bestColumn"));
    }

    @Test
    void thePageIsAccessibleAndShowsTheFactsGivenAlone() throws IOException {
        Comparison comparison =
                Comparison.of(runs(history(1), history(2))).title("SGD or Adam").fact("Data", "digits");
        PageStructure.requireAccessible(page(comparison), "SGD or Adam");
        assertEquals(
                "{\"Data\":\"digits\"}",
                data(comparison).getAsJsonObject("facts").toString());
    }

    @Test
    void badSettingsAreNamed() {
        assertEquals(
                "Comparison: no runs; give at least one history",
                assertThrows(IllegalArgumentException.class, () -> Comparison.of(Map.of()))
                        .getMessage());
        Comparison comparison = Comparison.of(runs(history(1), history(2)));
        String message = assertThrows(IllegalArgumentException.class, () -> comparison.best("f1", true))
                .getMessage();
        assertEquals(
                "Comparison: best f1 is not a column of epochs of the run first; use one of"
                        + " [epoch, loss, validation_loss]",
                message);
        assertTrue(Files.notExists(folder.resolve("comparison.html")));
    }
}
