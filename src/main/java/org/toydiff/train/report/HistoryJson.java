package org.toydiff.train.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.Arrays;

/// The columns of a history as JSON, for the charts of a page.
final class HistoryJson {
    /// More steps than this are grouped.
    private static final int MAX_POINTS = 2000;

    private HistoryJson() {}

    static JsonObject epochs(HistoryTable epochs) {
        var columns = new JsonObject();
        for (String name : epochs.names()) {
            columns.add(name, array(epochs.column(name)));
        }
        return columns;
    }

    /// Adds the columns of steps, their number, and the number of steps in a group, for each of which a column has
    /// one value.
    static void addSteps(HistoryTable steps, JsonObject to) {
        var columns = new JsonObject();
        int group = Math.max(1, Math.ceilDiv(steps.rows(), MAX_POINTS));
        for (String name : steps.names()) {
            columns.add(name, array(grouped(name, steps, group)));
        }
        to.add("steps", columns);
        to.addProperty("stepCount", steps.rows());
        to.addProperty("stepGroup", group);
    }

    /// Returns one value for each group of steps: the mean of losses and times, the largest peak, the number of
    /// skipped steps, the last of others.
    private static double[] grouped(String name, HistoryTable steps, int group) {
        double[] grouped = new double[Math.ceilDiv(steps.rows(), group)];
        for (int i = 0; i < grouped.length; i++) {
            double[] part = steps.column(name, i * group, Math.min(steps.rows(), (i + 1) * group));
            grouped[i] = switch (name) {
                case "loss", "gradient_norm", "seconds", "wait_seconds", "examples_per_second" ->
                    Arrays.stream(part).average().orElseThrow();
                case "skipped_steps" -> Arrays.stream(part).sum();
                case "peak_bytes" -> Arrays.stream(part).max().orElseThrow();
                default -> part[part.length - 1];
            };
        }
        return grouped;
    }

    /// Returns numbers as JSON, which has no NaN and no infinities: they are null.
    static JsonArray array(double... values) {
        var array = new JsonArray(values.length);
        for (double value : values) {
            if (!Double.isFinite(value)) {
                array.add(JsonNull.INSTANCE);
            } else if (value == Math.rint(value) && Math.abs(value) < 0x1p53) {
                array.add((long) value);
            } else {
                array.add(value);
            }
        }
        return array;
    }
}
