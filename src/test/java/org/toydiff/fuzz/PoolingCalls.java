package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// Calls of what reads windows of the last axis or the last two.
final class PoolingCalls {
    private PoolingCalls() {}

    static List<Row> rows() {
        return List.of(
                Row.of("maxPool", (m, c) -> pool(true, m, c)),
                Row.of("avgPool", (m, c) -> pool(false, m, c)),
                Row.of("adaptiveAvgPool", PoolingCalls::adaptive),
                Row.of("upsampleNearest", PoolingCalls::nearest),
                Row.of("upsampleLinear", PoolingCalls::linear));
    }

    private static String text(long[] numbers) {
        String list = Arrays.toString(numbers);
        return "new long[] {" + list.substring(1, list.length() - 1) + "}";
    }

    private static long[] settings(Choice c, int axes, int least, int most) {
        long[] settings = new long[axes];
        Arrays.setAll(settings, i -> least + c.below(most - least + 1));
        return settings;
    }

    private static Held input(Machine m, Choice c) {
        return m.floating(c, held -> held.rank() >= 2 && held.rank() <= 4);
    }

    private static int axes(Choice c, Held x) {
        return x.rank() == 2 ? 1 : x.rank() == 4 ? 2 : 1 + c.below(2);
    }

    /// A mean counts the border.
    private static void pool(boolean largest, Machine m, Choice c) {
        Held x = input(m, c);
        int axes = axes(c, x);
        long[] kernel = settings(c, axes, c.oneIn(20) ? 0 : 1, 3);
        long[] stride = settings(c, axes, 1, 3);
        long[] padding = settings(c, axes, 0, c.oneIn(3) ? 1 : 0);
        long[] ones = settings(c, axes, 1, 1);
        String arguments = text(kernel) + ", " + text(stride) + ", " + text(padding) + ", ";
        String call =
                largest ? ".maxPool(" + arguments + text(ones) + ", false)" : ".avgPool(" + arguments + "false, true)";
        ElementCalls.attempt(m, c, x + call, x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    ToDoubleFunction<double[]> reference = largest ? Reference::max : Reference::mean;
                    return pooled(x.known, kernel, stride, padding, largest ? Double.NEGATIVE_INFINITY : 0, reference);
                })
                .within(() -> pooled(x.known, kernel, stride, padding, 0, PoolingCalls::size))
                .gives(() -> largest
                        ? x.tensor.maxPool(kernel, stride, padding, ones, false)
                        : x.tensor.avgPool(kernel, stride, padding, false, true));
    }

    private static double size(double[] values) {
        return Arrays.stream(values).map(Math::abs).sum();
    }

    private static Dense pooled(
            Dense x,
            long[] kernel,
            long[] stride,
            long[] padding,
            double border,
            ToDoubleFunction<double[]> reference) {
        int axes = kernel.length;
        int first = x.rank() - axes;
        Dense.require(first == 1 || first == 2);
        long[] shape = x.shape().clone();
        for (int i = 0; i < axes; i++) {
            Dense.require(kernel[i] > 0 && 2 * padding[i] <= kernel[i] && shape[first + i] > 0);
            long room = shape[first + i] + 2 * padding[i] - kernel[i];
            Dense.require(room >= 0);
            shape[first + i] = room / stride[i] + 1;
        }
        return Dense.build(shape, at -> {
            double[] window = new double[(int) Dense.size(kernel)];
            for (int k = 0; k < window.length; k++) {
                long[] from = at.clone();
                int rest = k;
                boolean inside = true;
                for (int i = axes - 1; i >= 0; i--) {
                    from[first + i] = at[first + i] * stride[i] - padding[i] + rest % kernel[i];
                    rest /= (int) kernel[i];
                    inside &= from[first + i] >= 0 && from[first + i] < x.shape()[first + i];
                }
                window[k] = inside ? x.at(from) : border;
            }
            return reference.applyAsDouble(window);
        });
    }

    private static void adaptive(Machine m, Choice c) {
        Held x = input(m, c);
        long[] size = settings(c, axes(c, x), c.oneIn(20) ? -1 : 0, 4);
        ElementCalls.attempt(m, c, x + ".adaptiveAvgPool(" + text(size) + ")", x)
                .mayRefuse()
                .gives(() -> x.tensor.adaptiveAvgPool(size));
    }

    private static void nearest(Machine m, Choice c) {
        Held x = input(m, c);
        int axes = axes(c, x);
        long[] size = settings(c, axes, c.oneIn(20) ? 0 : 1, 5);
        ElementCalls.attempt(m, c, x + ".upsampleNearest(" + text(size) + ")", x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    return nearest(x.known, size);
                })
                .gives(() -> x.tensor.upsampleNearest(size));
    }

    private static Dense nearest(Dense x, long[] size) {
        int first = x.rank() - size.length;
        Dense.require(first == 1 || first == 2);
        long[] shape = x.shape().clone();
        for (int i = 0; i < size.length; i++) {
            Dense.require(size[i] > 0 && shape[first + i] > 0);
            shape[first + i] = size[i];
        }
        return Dense.build(shape, at -> {
            long[] from = at.clone();
            for (int i = first; i < from.length; i++) {
                from[i] = at[i] * x.shape()[i] / shape[i];
            }
            return x.at(from);
        });
    }

    private static void linear(Machine m, Choice c) {
        Held x = input(m, c);
        boolean aligned = c.coin();
        double factor = c.of(0.5, 1.0, 1.7, 2.0, 3.0);
        double[] factors = new double[axes(c, x)];
        Arrays.fill(factors, factor);
        String list = factor + (factors.length == 1 ? "" : ", " + factor);
        ElementCalls.attempt(m, c, x + ".upsampleLinear(" + aligned + ", new double[] {" + list + "})", x)
                .mayRefuse()
                .gives(() -> x.tensor.upsampleLinear(aligned, factors));
    }
}
