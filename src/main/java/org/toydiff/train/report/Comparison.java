package org.toydiff.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.files.HtmlPage;
import org.toydiff.internal.files.OptionalLibrary;

/// A comparison of several runs in a single HTML file that needs no network: their curves of losses, metrics,
/// learning rate and gradient norm in the same charts, and tables of their best and last epochs, time and memory.
///
/// ```java
/// Map<String, History> runs = new LinkedHashMap<>();
/// runs.put("SGD", History.readJson(Path.of("sgd.json")));
/// runs.put("Adam", History.readJson(Path.of("adam.json")));
/// Comparison.of(runs).best("validation_accuracy", true).write(Path.of("comparison.html"));
/// ```
///
/// Runs may have different columns, and different numbers of steps and epochs. Needs the libraries of a [Report].
public final class Comparison {
    private final Map<String, History> runs;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private String title = "Comparison of runs";
    private String best;
    private boolean higherIsBetter;

    private Comparison(Map<String, History> runs) {
        this.runs = runs;
    }

    /// Makes a comparison of runs. If every run has the column `validation_loss`, or else `loss`, its smallest value
    /// marks the best epochs.
    ///
    /// @param runs the history of each run by its name, in display order; the map is copied, the histories are not
    /// @return the comparison, whose methods named after its parts add those
    /// @throws IllegalArgumentException if there are no runs
    public static Comparison of(Map<String, History> runs) {
        Map<String, History> copy = new LinkedHashMap<>();
        runs.forEach((name, history) ->
                copy.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(history, "history")));
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("Comparison: no runs; give at least one history");
        }
        var comparison = new Comparison(copy);
        for (String column : new String[] {"loss", "validation_loss"}) {
            if (comparison.lacking(column) == null) {
                comparison.best = column;
            }
        }
        return comparison;
    }

    /// Sets the heading.
    ///
    /// @param title the heading
    /// @return this
    public Comparison title(String title) {
        this.title = Objects.requireNonNull(title, "title");
        return this;
    }

    /// Adds a line to the facts about the runs. Unlike a report, a comparison shows none by itself, because the
    /// runs may come from other processes.
    ///
    /// @param name the name of the fact: `Data`
    /// @param value its value: `Fashion-MNIST`
    /// @return this
    public Comparison fact(String name, String value) {
        facts.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /// Marks the best epoch of each run, and the best run, by a column.
    ///
    /// @param column a column of epochs of every run: `validation_accuracy`
    /// @param higherIsBetter whether the largest value is the best
    /// @return this
    /// @throws IllegalArgumentException if a run has no such column
    public Comparison best(String column, boolean higherIsBetter) {
        String lacking = lacking(column);
        if (lacking != null) {
            throw new IllegalArgumentException("Comparison: best " + column + " is not a column of epochs of the run "
                    + lacking + "; use one of " + runs.get(lacking).epochColumns());
        }
        this.best = column;
        this.higherIsBetter = higherIsBetter;
        return this;
    }

    /// Returns a run without a column of epochs, or null.
    private String lacking(String column) {
        return runs.keySet().stream()
                .filter(name -> !runs.get(name).epochColumns().contains(column))
                .findFirst()
                .orElse(null);
    }

    /// Writes the page, and replaces a file that exists.
    ///
    /// @param file the file, whose folder is created if it does not exist
    /// @throws IOException if it cannot be written
    /// @throws IllegalStateException if ECharts or Gson is missing: the message names the artifact to add
    public void write(Path file) throws IOException {
        OptionalLibrary.GSON.require("comparison");
        OptionalLibrary.ECHARTS.require("comparison");
        String page = HtmlPage.of(
                title,
                ComparisonData.of(this),
                HtmlPage.text(Comparison.class, "curves.js"),
                HtmlPage.text(Comparison.class, "comparison.js"));
        AtomicFile.writeText(file, writer -> writer.write(page));
    }

    Map<String, History> runs() {
        return runs;
    }

    Map<String, String> facts() {
        return facts;
    }

    String best() {
        return best;
    }

    boolean higherIsBetter() {
        return higherIsBetter;
    }
}
