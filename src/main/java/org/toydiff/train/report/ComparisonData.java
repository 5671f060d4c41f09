package org.toydiff.train.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Map;

/// The data of a comparison as JSON, for its script.
final class ComparisonData {
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private ComparisonData() {}

    /// Returns the data, with `<`, `>` and `&` escaped.
    static String of(Comparison comparison) {
        var root = new JsonObject();
        var facts = new JsonObject();
        comparison.facts().forEach(facts::addProperty);
        root.add("facts", facts);
        var runs = new JsonArray();
        comparison.runs().forEach((name, history) -> runs.add(run(name, history)));
        root.add("runs", runs);
        if (comparison.best() != null) {
            addBest(comparison, root, runs);
        }
        return GSON.toJson(root);
    }

    private static JsonObject run(String name, History history) {
        var run = new JsonObject();
        run.addProperty("name", name);
        run.add("epochs", HistoryJson.epochs(history.epochTable()));
        HistoryJson.addSteps(history.stepTable(), run);
        return run;
    }

    /// Adds the row of the best epoch to each run, −1 if no value is a number, and the position of the best run.
    private static void addBest(Comparison comparison, JsonObject root, JsonArray runs) {
        root.addProperty("bestColumn", comparison.best());
        int position = 0;
        double best = Double.NaN;
        for (Map.Entry<String, History> run : comparison.runs().entrySet()) {
            History history = run.getValue();
            int row = history.bestEpoch(comparison.best(), comparison.higherIsBetter())
                            .orElse(0)
                    - 1;
            runs.get(position).getAsJsonObject().addProperty("best", row);
            if (row >= 0) {
                double value = history.epochValue(comparison.best(), row);
                if (Double.isNaN(best) || (comparison.higherIsBetter() ? value > best : value < best)) {
                    best = value;
                    root.addProperty("bestRun", position);
                }
            }
            position++;
        }
    }
}
