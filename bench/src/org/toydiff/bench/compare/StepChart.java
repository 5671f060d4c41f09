package org.toydiff.bench.compare;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.style.Styler;

/// Draws a bar for each library and row: its step time over toydiff's.
final class StepChart {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 480;
    private static final float LABEL_POINTS = 9;
    private static final Map<String, Color> COLORS = Map.of(
            Peers.TOYDIFF, new Color(0x1b6ca8),
            Peers.PYTORCH, new Color(0xe07b39),
            Peers.JAX, new Color(0x5a9367),
            Peers.DJL, new Color(0x9a6fb0));

    private StepChart() {}

    static void write(Path folder, WorkloadResults step) throws IOException {
        // Drawing needs no screen.
        System.setProperty("java.awt.headless", "true");
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title("Training step of 784-512-256-10: time relative to toydiff (lower is faster)")
                .xAxisTitle("optimizer and batch")
                .yAxisTitle("time / toydiff's time")
                .build();
        style(chart);
        for (String library : List.of(Peers.TOYDIFF, Peers.PYTORCH, Peers.JAX, Peers.DJL)) {
            addBars(chart, library, step.measurements());
        }
        ChartEncoder.saveChart(chart, folder.resolve("step.svg").toString(), "svg");
    }

    private static void style(CategoryChart chart) {
        var styler = chart.getStyler();
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotGridVerticalLinesVisible(false);
        styler.setAvailableSpaceFill(0.85);
        styler.setYAxisMin(0.0);
        styler.setYAxisDecimalPattern("0.00");
        styler.setLabelsVisible(true);
        styler.setLabelsPosition(1.03);
        styler.setLabelsFont(styler.getLabelsFont().deriveFont(LABEL_POINTS));
    }

    private static void addBars(CategoryChart chart, String library, List<Measurement> rows) {
        List<String> names = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (Measurement row : rows) {
            if (row.has(library)) {
                names.add(row.name());
                ratios.add(row.ratio(library, Peers.TOYDIFF));
            }
        }
        if (!names.isEmpty()) {
            chart.addSeries(library, names, ratios).setFillColor(COLORS.get(library));
        }
    }
}
