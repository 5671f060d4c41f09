package org.toydiff.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.toydiff.ExecutionPlan;
import org.toydiff.ReleaseSchedule;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.files.HtmlPage;
import org.toydiff.internal.files.OptionalLibrary;
import org.toydiff.nn.Layer;
import org.toydiff.train.metrics.ConfusionMatrix;

/// A report of a training, in a single HTML file that needs no network: curves of losses, metrics and learning rate,
/// step times, off-heap memory, the blocks of a step over time, the plan of a compiled step, tables and the confusion
/// matrix. Charts can be zoomed, smoothed, drawn on a log scale and saved as images. A [Comparison] shows several runs.
///
/// Parts without columns in the history, and parts that were not set, are left out. A [org.toydiff.train.Trainer]
/// writes a report; without a trainer:
/// ```java
/// Report.of(history)
///         .title("Digits")
///         .model(net)
///         .schedule(plan.schedule())
///         .confusion(matrix, "test images")
///         .write(Path.of("report.html"));
/// ```
///
/// Apache ECharts, whose script is copied into the page, draws the charts, and Gson writes the data; both must be
/// among the dependencies of the application. Settings follow the convention of [org.toydiff.data].
public final class Report {
    private final History history;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private String title = "Training report";
    private Layer model;
    private ReleaseSchedule schedule;
    private ExecutionPlan plan;
    private ConfusionMatrix confusion;
    private String confusionOf;
    private List<String> classNames = List.of();
    private String best;
    private boolean higherIsBetter;

    private Report(History history) {
        this.history = Objects.requireNonNull(history, "history");
    }

    /// Makes a report of a history, with facts about the machine and the JVM of this process.
    ///
    /// @param history the history, with the columns that [History] lists
    /// @return the report, whose methods named after its parts add those
    public static Report of(History history) {
        return new Report(history);
    }

    /// Sets the heading.
    ///
    /// @param title the heading
    /// @return this
    public Report title(String title) {
        this.title = Objects.requireNonNull(title, "title");
        return this;
    }

    /// Adds a line to the facts about the run.
    ///
    /// @param name the name of the fact: `Optimizer`
    /// @param value its value: `SGD(lr 0.1)`
    /// @return this
    public Report fact(String name, String value) {
        facts.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /// Adds the text of the model and a table of its parameters.
    ///
    /// @param model the trained model
    /// @return this
    public Report model(Layer model) {
        this.model = Objects.requireNonNull(model, "model");
        return this;
    }

    /// Adds a chart of the blocks of a step over time.
    ///
    /// @param schedule the schedule of the step, of [org.toydiff.MemoryPlan] or
    ///     [org.toydiff.Tensor#releaseSchedule()]
    /// @return this
    public Report schedule(ReleaseSchedule schedule) {
        this.schedule = Objects.requireNonNull(schedule, "schedule");
        return this;
    }

    /// Adds the plan of a compiled step: planned bytes and their lower bound, launches and fused loops, and a
    /// drawing of its memory.
    ///
    /// @param plan the plan, of [org.toydiff.CompiledFunction#plan()]
    /// @return this
    public Report plan(ExecutionPlan plan) {
        this.plan = Objects.requireNonNull(plan, "plan");
        return this;
    }

    /// Adds a confusion matrix, with precision, recall and F1 of each class.
    ///
    /// @param confusion the matrix, whose counts are read when the report is written
    /// @param of a description of its examples: `validation, epoch 10`
    /// @return this
    public Report confusion(ConfusionMatrix confusion, String of) {
        this.confusion = Objects.requireNonNull(confusion, "confusion");
        this.confusionOf = Objects.requireNonNull(of, "of");
        return this;
    }

    /// Names the classes of the confusion matrix, which are numbers without this call.
    ///
    /// @param names a name for each class, in the order of the labels
    /// @return this
    public Report classNames(String... names) {
        this.classNames = List.of(names);
        return this;
    }

    /// Marks the best epoch by a column.
    ///
    /// @param column a column of epochs: `validation_loss`
    /// @param higherIsBetter whether the largest value is the best
    /// @return this
    /// @throws IllegalArgumentException if the history has no such column
    public Report best(String column, boolean higherIsBetter) {
        if (!history.epochColumns().contains(column)) {
            throw new IllegalArgumentException(
                    "Report: best " + column + " is not a column of epochs; use one of " + history.epochColumns());
        }
        this.best = column;
        this.higherIsBetter = higherIsBetter;
        return this;
    }

    /// Writes the page, and replaces a file that exists.
    ///
    /// @param file the file, whose folder is created if it does not exist
    /// @throws IOException if it cannot be written
    /// @throws IllegalStateException if there are class names, but not one for each class of the confusion matrix,
    ///     or if ECharts or Gson is missing: the message names the artifact to add
    public void write(Path file) throws IOException {
        OptionalLibrary.GSON.require("report");
        OptionalLibrary.ECHARTS.require("report");
        if (confusion != null && !classNames.isEmpty() && classNames.size() != confusion.classes()) {
            throw new IllegalStateException("Report: " + classNames.size() + " class names for " + confusion.classes()
                    + " classes; give one for each");
        }
        String page = HtmlPage.of(
                title,
                ReportData.of(this),
                HtmlPage.text(Report.class, "curves.js"),
                HtmlPage.text(Report.class, "report.js"));
        AtomicFile.writeText(file, writer -> writer.write(page));
    }

    History history() {
        return history;
    }

    Map<String, String> facts() {
        return facts;
    }

    Layer model() {
        return model;
    }

    ReleaseSchedule schedule() {
        return schedule;
    }

    ExecutionPlan plan() {
        return plan;
    }

    ConfusionMatrix confusion() {
        return confusion;
    }

    String confusionOf() {
        return confusionOf;
    }

    String className(int label) {
        return classNames.isEmpty() ? Integer.toString(label) : classNames.get(label);
    }

    String best() {
        return best;
    }

    boolean higherIsBetter() {
        return higherIsBetter;
    }
}
