package org.toydiff.internal.plan;

import java.util.Locale;

/// Draws a memory plan as an SVG picture: time across, address up, one rectangle for each block, with its name and
/// numbers where the pointer rests on it.
public final class PlanDrawing {
    private static final int WIDTH = 1_000;
    private static final int HEIGHT = 500;
    private static final int LEFT = 110;
    private static final int TOP = 30;
    private static final int BOTTOM = 40;
    private static final int TICKS = 5;

    /// Hues far apart for blocks that follow each other: multiples of the golden angle.
    private static final double HUE = 137.508;

    private final int steps;
    private final long bytes;
    private final StringBuilder svg = new StringBuilder();
    private int drawn;

    /// Begins a picture.
    ///
    /// @param title its title
    /// @param steps the number of steps
    /// @param bytes the bytes of the plan
    public PlanDrawing(String title, int steps, long bytes) {
        this.steps = Math.max(1, steps);
        this.bytes = Math.max(1, bytes);
        int width = LEFT + WIDTH + 20;
        int height = TOP + HEIGHT + BOTTOM;
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">%n",
                width, height);
        add("<style>rect.block { stroke: #fff; stroke-width: 0.5 } rect.block:hover { stroke: #000; stroke-width: 2 }"
                + "</style>%n");
        add("<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>%n", width, height);
        add("<text x=\"%d\" y=\"18\">%s</text>%n", LEFT, escaped(title));
        axes();
    }

    private void axes() {
        for (int i = 0; i <= TICKS; i++) {
            long at = bytes * i / TICKS;
            add("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%,d B</text>%n", LEFT - 6, y(at) + 4, at);
            add(
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>%n",
                    LEFT, LEFT + WIDTH, y(at), y(at));
            int step = (int) ((long) steps * i / TICKS);
            add("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%,d</text>%n", x(step), TOP + HEIGHT + 18, step);
        }
        add("<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>%n", LEFT + WIDTH / 2, TOP + HEIGHT + 34);
    }

    /// Draws a block.
    ///
    /// @param name its name
    /// @param offset where it begins, in bytes
    /// @param size its bytes
    /// @param first the step from whose beginning on it lives
    /// @param last the step to whose end it lives
    public void block(String name, long offset, long size, int first, int last) {
        double left = x(first);
        double top = y(offset + size);
        add(
                "<rect class=\"block\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"hsl(%.0f,60%%,65%%)\">",
                left, top, x(Math.min(last + 1, steps)) - left, y(offset) - top, drawn++ * HUE % 360);
        add("<title>%s: %,d B at %,d, steps %,d to %,d</title></rect>%n", escaped(name), size, offset, first, last);
    }

    /// {@return the picture}
    public String end() {
        return svg + "</svg>" + System.lineSeparator();
    }

    private double x(int step) {
        return LEFT + (double) WIDTH * step / steps;
    }

    private double y(long address) {
        return TOP + HEIGHT - (double) HEIGHT * address / bytes;
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
