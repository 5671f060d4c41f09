package org.toydiff.train.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Map;
import org.toydiff.ExecutionPlan;
import org.toydiff.Memory;
import org.toydiff.ReleaseSchedule;
import org.toydiff.Tensor;
import org.toydiff.train.metrics.ConfusionMatrix;

/// The data of a report as JSON, for its script.
final class ReportData {
    private static final int MAX_BLOCKS = 1000;
    private static final int BINS = 40;

    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private final Report report;
    private final JsonObject root = new JsonObject();

    private ReportData(Report report) {
        this.report = report;
    }

    /// Returns the data, with `<`, `>` and `&` escaped.
    static String of(Report report) {
        var data = new ReportData(report);
        data.addFacts();
        data.addEpochs();
        data.addSteps();
        if (report.model() != null) {
            data.addModel();
        }
        if (report.schedule() != null) {
            data.addSchedule();
        }
        if (report.plan() != null) {
            data.addPlan();
        }
        if (report.confusion() != null) {
            data.addConfusion();
        }
        return GSON.toJson(data.root);
    }

    private void addFacts() {
        root.add("facts", MachineFacts.json(report.facts()));
        root.addProperty("limit", Memory.limitBytes());
    }

    private void addEpochs() {
        HistoryTable epochs = report.history().epochTable();
        root.add("epochs", HistoryJson.epochs(epochs));
        if (report.best() != null && epochs.rows() > 0) {
            root.addProperty("bestColumn", report.best());
            root.addProperty("best", bestRow(epochs));
        }
    }

    /// Returns the row of the best epoch, the last row if no value is a number.
    private int bestRow(HistoryTable epochs) {
        return report.history()
                        .bestEpoch(report.best(), report.higherIsBetter())
                        .orElse(epochs.rows())
                - 1;
    }

    private void addSteps() {
        HistoryTable steps = report.history().stepTable();
        HistoryJson.addSteps(steps, root);
        if (steps.names().contains("seconds") && steps.rows() > 0) {
            root.add("stepTimes", times(steps.column("seconds")));
        }
    }

    /// Returns the distribution of step times; the last bin contains all beyond the 99.5th percentile.
    ///
    /// @param sorted the times, which are sorted in place
    private static JsonObject times(double[] sorted) {
        Arrays.sort(sorted);
        double low = sorted[0];
        double high = Math.max(percentile(sorted, 99.5), low + 1e-9);
        int[] counts = new int[BINS];
        for (double value : sorted) {
            counts[Math.clamp((long) ((value - low) / (high - low) * BINS), 0, BINS - 1)]++;
        }
        var times = new JsonObject();
        times.addProperty("low", low);
        times.addProperty("high", high);
        times.add("counts", GSON.toJsonTree(counts));
        times.addProperty("p50", percentile(sorted, 50));
        times.addProperty("p95", percentile(sorted, 95));
        times.addProperty("p99", percentile(sorted, 99));
        times.addProperty("max", sorted[sorted.length - 1]);
        return times;
    }

    /// Returns a percentile by the nearest rank.
    static double percentile(double[] sorted, double percent) {
        int rank = (int) Math.ceil(percent / 100 * sorted.length);
        return sorted[Math.clamp(rank - 1, 0, sorted.length - 1)];
    }

    private void addModel() {
        var model = new JsonObject();
        model.addProperty("text", report.model().toString());
        var parameters = new JsonArray();
        for (Map.Entry<String, Tensor> parameter :
                report.model().namedParameters().entrySet()) {
            var row = new JsonArray();
            row.add(parameter.getKey());
            row.add(Arrays.toString(parameter.getValue().shape()));
            row.add(parameter.getValue().size());
            parameters.add(row);
        }
        model.add("parameters", parameters);
        root.add("model", model);
    }

    private void addSchedule() {
        BlockLifetimes lifetimes = BlockLifetimes.of(report.schedule(), MAX_BLOCKS);
        var schedule = new JsonObject();
        var blocks = new JsonArray();
        for (ReleaseSchedule.Entry entry : lifetimes.blocks()) {
            var block = new JsonArray();
            block.add(entry.made());
            block.add(entry.step());
            block.add(entry.bytes());
            block.add(entry.kind() == ReleaseSchedule.Kind.VALUE ? "value" : "gradient");
            block.add(entry.op());
            block.add(Arrays.toString(entry.shape()));
            blocks.add(block);
        }
        schedule.add("blocks", blocks);
        schedule.add("others", GSON.toJsonTree(lifetimes.others()));
        schedule.add("times", GSON.toJsonTree(lifetimes.times()));
        schedule.add("live", GSON.toJsonTree(lifetimes.live()));
        schedule.addProperty("peak", report.schedule().peakBytes());
        schedule.addProperty("steps", report.schedule().liveBytes().size() - 1);
        root.add("schedule", schedule);
    }

    private void addPlan() {
        ExecutionPlan of = report.plan();
        var plan = new JsonObject();
        plan.addProperty("planned", of.plannedBytes());
        plan.addProperty("lowerBound", of.lowerBoundBytes());
        plan.addProperty("fused", of.fusedLoops());
        var launches = new JsonArray();
        of.launches().forEach(launch -> launches.add(launch.step() + "  " + launch));
        plan.add("launches", launches);
        plan.addProperty("svg", of.svg());
        root.add("plan", plan);
    }

    private void addConfusion() {
        ConfusionMatrix matrix = report.confusion();
        var labels = new JsonArray();
        var counts = new JsonArray();
        var scores = new JsonArray();
        for (int label = 0; label < matrix.classes(); label++) {
            labels.add(report.className(label));
            var row = new JsonArray();
            for (int predicted = 0; predicted < matrix.classes(); predicted++) {
                row.add(matrix.count(label, predicted));
            }
            counts.add(row);
            scores.add(HistoryJson.array(
                    matrix.precision(label), matrix.recall(label), matrix.f1(label), matrix.support(label)));
        }
        var confusion = new JsonObject();
        confusion.addProperty("of", report.confusionOf());
        confusion.add("labels", labels);
        confusion.add("counts", counts);
        confusion.add("scores", scores);
        root.add("confusion", confusion);
    }
}
