package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.List;
import org.toydiff.Tensor;

/// Calls of convolutions, with the naive loops beside them.
final class ConvolutionCalls {
    private ConvolutionCalls() {}

    static List<Row> rows() {
        return List.of(
                new Row("convolution", 8, ConvolutionCalls::convolution),
                new Row("transposedConvolution", 6, ConvolutionCalls::transposedConvolution),
                Row.of("unfold", ConvolutionCalls::unfold),
                Row.of("fold", ConvolutionCalls::fold));
    }

    /// Stride, padding and dilation of one or two axes, and groups.
    private record Settings(long[] stride, long[] padding, long[] dilation, long groups) {
        static Settings of(Choice c, int axes, long groups) {
            return new Settings(each(c, axes, 1), each(c, axes, 0), each(c, axes, 1), groups);
        }

        private static long[] each(Choice c, int axes, int least) {
            long[] values = new long[c.coin() ? 1 : c.oneIn(20) ? 3 : axes];
            Arrays.setAll(values, i -> c.oneIn(60) ? -1 : least + c.below(3));
            return values;
        }

        void requireInRange(int axes) {
            for (long[] values : new long[][] {stride, padding, dilation}) {
                Dense.require(values.length == 1 || values.length == axes);
                for (long value : values) {
                    Dense.require(value >= (values == padding ? 0 : 1));
                }
            }
        }

        private static long at(long[] values, int axis) {
            return values[values.length == 1 ? 0 : axis];
        }

        long position(int axis, long output, long tap) {
            return output * at(stride, axis) + tap * at(dilation, axis) - at(padding, axis);
        }

        long outputSize(int axis, long size, long taps) {
            long left = size + 2 * at(padding, axis) - at(dilation, axis) * (taps - 1) - 1;
            Dense.require(left >= 0);
            return left / at(stride, axis) + 1;
        }

        long inputSize(int axis, long size, long taps, long more) {
            Dense.require(more >= 0 && more < Math.max(at(stride, axis), at(dilation, axis)));
            long whole =
                    (size - 1) * at(stride, axis) - 2 * at(padding, axis) + at(dilation, axis) * (taps - 1) + more + 1;
            Dense.require(whole >= 1);
            return whole;
        }

        String text() {
            return array(stride) + ", " + array(padding) + ", " + array(dilation);
        }
    }

    private static String array(long... values) {
        return "new long[] " + Arrays.toString(values).replace('[', '{').replace(']', '}');
    }

    private static Dense sizes(Dense x) {
        return Reference.map(x, Math::abs);
    }

    private static long[] shape(Choice c, long n, long channels, int axes, int most) {
        long[] shape = new long[2 + axes];
        shape[0] = n;
        shape[1] = channels;
        for (int i = 0; i < axes; i++) {
            shape[2 + i] = c.oneIn(60) ? 0 : 1 + c.below(most);
        }
        return shape;
    }

    private static long examples(Choice c) {
        return c.oneIn(12) ? 0 : 1 + c.below(3);
    }

    /// Requires an image or feature map and a weight that fit each other, besides channels.
    private static void requireOperands(Dense x, Dense weight) {
        Dense.require(x.rank() == weight.rank() && x.rank() >= 3 && x.rank() <= 4);
        for (int axis = 1; axis < x.rank(); axis++) {
            Dense.require(x.shape()[axis] > 0);
        }
        Dense.require(weight.size() > 0);
    }

    private static void convolution(Machine m, Choice c) {
        int axes = 1 + c.below(2);
        long groups = c.of(1, 1, 2, 3);
        long in = groups * (1 + c.below(2));
        long out = groups * (1 + c.below(2));
        Held x = m.fresh(c, c.floating(), shape(c, examples(c), in, axes, 6));
        Held weight = m.fresh(c, x.dtype(), shape(c, out, c.oneIn(30) ? in : in / groups, axes, 3));
        Held bias = c.coin() ? null : m.fresh(c, x.dtype(), c.oneIn(30) ? c.size() : out);
        Settings s = Settings.of(c, axes, groups);
        Tensor b = bias == null ? null : bias.tensor;
        Held[] operands = bias == null ? new Held[] {x, weight} : new Held[] {x, weight, bias};
        ElementCalls.attempt(
                        m,
                        c,
                        x + ".convolution(" + weight + ", " + bias + ", " + s.text() + ", " + groups + ")",
                        operands)
                .expects(() -> {
                    ElementCalls.requireFloating(operands);
                    return convolution(x.known, weight.known, bias == null ? null : bias.known, s);
                })
                .within(() ->
                        convolution(sizes(x.known), sizes(weight.known), bias == null ? null : sizes(bias.known), s))
                .gives(() -> x.tensor.convolution(weight.tensor, b, s.stride, s.padding, s.dilation, groups));
    }

    private static Dense convolution(Dense x, Dense weight, Dense bias, Settings s) {
        requireOperands(x, weight);
        int axes = x.rank() - 2;
        s.requireInRange(axes);
        long out = weight.shape()[0];
        Dense.require(x.shape()[1] == weight.shape()[1] * s.groups && out % s.groups == 0);
        Dense.require(bias == null || bias.rank() == 1 && bias.size() == out);
        long[] shape = x.shape().clone();
        shape[1] = out;
        for (int i = 0; i < axes; i++) {
            shape[2 + i] = s.outputSize(i, x.shape()[2 + i], weight.shape()[2 + i]);
        }
        long each = weight.shape()[1];
        return Dense.build(shape, y -> {
            double sum = 0;
            for (long channel = 0; channel < each; channel++) {
                for (long[] tap : taps(weight.shape())) {
                    sum += weightAt(weight, y[1], channel, tap)
                            * imageAt(x, y, y[1] / (out / s.groups) * each + channel, tap, s);
                }
            }
            return sum + (bias == null ? 0 : bias.values()[(int) y[1]]);
        });
    }

    /// Every position of a kernel.
    private static List<long[]> taps(long[] weight) {
        long width = weight[weight.length - 1];
        long[][] all = new long[(int) (weight.length == 4 ? weight[2] * width : width)][];
        Arrays.setAll(all, i -> weight.length == 4 ? new long[] {i / width, i % width} : new long[] {i});
        return List.of(all);
    }

    private static double weightAt(Dense weight, long filter, long channel, long[] tap) {
        return tap.length == 2 ? weight.at(filter, channel, tap[0], tap[1]) : weight.at(filter, channel, tap[0]);
    }

    /// The element that a tap meets from the output position `y`, 0 outside of the image.
    private static double imageAt(Dense x, long[] y, long channel, long[] tap, Settings s) {
        long[] index = y.clone();
        index[1] = channel;
        for (int i = 0; i < tap.length; i++) {
            index[2 + i] = s.position(i, y[2 + i], tap[i]);
            if (index[2 + i] < 0 || index[2 + i] >= x.shape()[2 + i]) {
                return 0;
            }
        }
        return x.at(index);
    }

    private static void transposedConvolution(Machine m, Choice c) {
        int axes = 1 + c.below(2);
        long groups = c.of(1, 1, 2, 3);
        long in = groups * (1 + c.below(2));
        long out = 1 + c.below(2);
        Held x = m.fresh(c, c.floating(), shape(c, examples(c), in, axes, 5));
        Held weight = m.fresh(c, x.dtype(), shape(c, c.oneIn(30) ? in + 1 : in, out, axes, 3));
        Held bias = c.coin() ? null : m.fresh(c, x.dtype(), c.oneIn(30) ? c.size() : out * groups);
        Settings s = Settings.of(c, axes, groups);
        long[] more = {c.of(0, 0, 0, 1, 2)};
        Tensor b = bias == null ? null : bias.tensor;
        Held[] operands = bias == null ? new Held[] {x, weight} : new Held[] {x, weight, bias};
        String text = x + ".transposedConvolution(" + weight + ", " + bias + ", " + s.text() + ", " + array(more) + ", "
                + groups + ")";
        ElementCalls.attempt(m, c, text, operands)
                .expects(() -> {
                    ElementCalls.requireFloating(operands);
                    return transposed(x.known, weight.known, bias == null ? null : bias.known, s, more[0]);
                })
                .within(() -> transposed(
                        sizes(x.known), sizes(weight.known), bias == null ? null : sizes(bias.known), s, more[0]))
                .gives(() -> x.tensor.transposedConvolution(
                        weight.tensor, b, s.stride, s.padding, s.dilation, more, groups));
    }

    private static Dense transposed(Dense x, Dense weight, Dense bias, Settings s, long more) {
        requireOperands(x, weight);
        int axes = x.rank() - 2;
        s.requireInRange(axes);
        long each = weight.shape()[1];
        Dense.require(x.shape()[1] == weight.shape()[0] && x.shape()[1] % s.groups == 0);
        Dense.require(bias == null || bias.rank() == 1 && bias.size() == each * s.groups);
        long[] shape = x.shape().clone();
        shape[1] = each * s.groups;
        for (int i = 0; i < axes; i++) {
            shape[2 + i] = s.inputSize(i, x.shape()[2 + i], weight.shape()[2 + i], more);
        }
        long filters = x.shape()[1] / s.groups;
        double[] values = Dense.build(shape, y -> bias == null ? 0 : bias.values()[(int) y[1]])
                .values();
        Dense y = new Dense(shape, values);
        Dense.build(x.shape(), from -> {
            for (long channel = 0; channel < each; channel++) {
                for (long[] tap : taps(weight.shape())) {
                    int to = place(y, from, from[1] / filters * each + channel, tap, s);
                    if (to >= 0) {
                        values[to] += x.at(from) * weightAt(weight, from[1], channel, tap);
                    }
                }
            }
            return 0;
        });
        return y;
    }

    /// The position in `values` of the element that a tap meets from an output position; −1 outside of the image.
    private static int place(Dense image, long[] output, long channel, long[] tap, Settings s) {
        long at = output[0] * image.shape()[1] + channel;
        for (int i = 0; i < tap.length; i++) {
            long index = s.position(i, output[2 + i], tap[i]);
            if (index < 0 || index >= image.shape()[2 + i]) {
                return -1;
            }
            at = at * image.shape()[2 + i] + index;
        }
        return (int) at;
    }

    private static void unfold(Machine m, Choice c) {
        Held x = m.fresh(c, c.floating(), shape(c, examples(c), 1 + c.below(3), c.oneIn(20) ? 1 : 2, 5));
        long[] kernel = {1 + c.below(3), 1 + c.below(3)};
        Settings s = Settings.of(c, 2, 1);
        ElementCalls.attempt(m, c, x + ".unfold(" + array(kernel) + ", " + unfoldText(s) + ")", x)
                .expects(() -> unfolded(x.known, kernel, s))
                .gives(() -> x.tensor.unfold(kernel, s.dilation, s.padding, s.stride));
    }

    private static String unfoldText(Settings s) {
        return array(s.dilation) + ", " + array(s.padding) + ", " + array(s.stride);
    }

    private static Dense unfolded(Dense x, long[] kernel, Settings s) {
        Dense.require(x.rank() == 4);
        Dense.require(Dense.size(Arrays.copyOfRange(x.shape(), 1, 4)) > 0);
        s.requireInRange(2);
        long across = s.outputSize(1, x.shape()[3], kernel[1]);
        long positions = s.outputSize(0, x.shape()[2], kernel[0]) * across;
        long taps = kernel[0] * kernel[1];
        return Dense.build(new long[] {x.shape()[0], x.shape()[1] * taps, positions}, y -> {
            long[] tap = {y[1] % taps / kernel[1], y[1] % kernel[1]};
            return imageAt(x, new long[] {y[0], 0, y[2] / across, y[2] % across}, y[1] / taps, tap, s);
        });
    }

    private static void fold(Machine m, Choice c) {
        long[] kernel = {1 + c.below(3), 1 + c.below(3)};
        long[] size = {1 + c.below(5), 1 + c.below(5)};
        long channels = 1 + c.below(3);
        Settings s = Settings.of(c, 2, 1);
        long positions;
        try {
            s.requireInRange(2);
            positions = s.outputSize(0, size[0], kernel[0]) * s.outputSize(1, size[1], kernel[1]);
        } catch (Dense.Misfit misfit) {
            positions = 3;
        }
        long rows = channels * kernel[0] * kernel[1];
        Held x = m.fresh(c, c.floating(), examples(c), rows, c.oneIn(30) ? positions + 1 : positions);
        ElementCalls.attempt(m, c, x + ".fold(" + array(size) + ", " + array(kernel) + ", " + unfoldText(s) + ")", x)
                .expects(() -> folded(x.known, size, kernel, s))
                .within(() -> folded(sizes(x.known), size, kernel, s))
                .gives(() -> x.tensor.fold(size, kernel, s.dilation, s.padding, s.stride));
    }

    private static Dense folded(Dense x, long[] size, long[] kernel, Settings s) {
        s.requireInRange(2);
        long across = s.outputSize(1, size[1], kernel[1]);
        Dense.require(x.shape()[2] == s.outputSize(0, size[0], kernel[0]) * across);
        long taps = kernel[0] * kernel[1];
        long[] shape = {x.shape()[0], x.shape()[1] / taps, size[0], size[1]};
        Dense y = new Dense(shape, new double[(int) Dense.size(shape)]);
        Dense.build(x.shape(), from -> {
            long[] tap = {from[1] % taps / kernel[1], from[1] % kernel[1]};
            long[] output = {from[0], 0, from[2] / across, from[2] % across};
            int to = place(y, output, from[1] / taps, tap, s);
            if (to >= 0) {
                y.values()[to] += x.at(from);
            }
            return 0;
        });
        return y;
    }
}
