package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Convolutions beside the defining loops, in double.
@Tag("kernels")
class ConvolutionTest {
    /// A convolution of images `[n, in, h, w]`, or `[n, in, w]` where h is 0.
    private record Sizes(
            long n,
            long in,
            long h,
            long w,
            long out,
            long kh,
            long kw,
            long stride,
            long padding,
            long dilation,
            long groups) {
        boolean isPlane() {
            return h > 0;
        }

        long[] image() {
            return isPlane() ? new long[] {n, in, h, w} : new long[] {n, in, w};
        }

        long[] weight() {
            return isPlane() ? new long[] {out, in / groups, kh, kw} : new long[] {out, in / groups, kw};
        }

        /// Two spatial axes, whatever their number.
        Sizes asPlane() {
            return isPlane() ? this : new Sizes(n, in, 1, w, out, 1, kw, stride, padding, dilation, groups);
        }

        long outSize(long size, long kernel, long padding) {
            return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
        }

        Tensor convolve(Tensor x, Tensor weight, Tensor bias) {
            return x.convolution(
                    weight, bias, new long[] {stride}, new long[] {padding}, new long[] {dilation}, groups);
        }
    }

    private static final List<Sizes> ALL = List.of(
            new Sizes(2, 3, 5, 6, 4, 3, 3, 1, 1, 1, 1),
            new Sizes(1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1),
            new Sizes(3, 4, 6, 5, 6, 1, 1, 1, 0, 1, 1),
            new Sizes(3, 4, 6, 5, 6, 1, 1, 1, 0, 1, 2),
            new Sizes(2, 4, 7, 8, 6, 3, 2, 2, 1, 1, 2),
            new Sizes(2, 3, 9, 8, 2, 2, 3, 1, 2, 2, 1),
            new Sizes(2, 3, 9, 8, 2, 2, 3, 3, 0, 2, 1),
            new Sizes(2, 5, 6, 7, 5, 3, 3, 1, 1, 1, 5),
            new Sizes(2, 4, 6, 7, 8, 3, 3, 2, 1, 1, 4),
            new Sizes(1, 2, 4, 4, 3, 4, 4, 1, 0, 1, 1),
            new Sizes(1, 2, 3, 3, 3, 5, 5, 1, 1, 1, 1),
            new Sizes(2, 1, 5, 5, 3, 1, 1, 4, 0, 1, 1),
            new Sizes(2, 2, 2, 2, 2, 2, 2, 3, 5, 1, 1),
            new Sizes(2, 3, 0, 11, 4, 0, 3, 1, 1, 1, 1),
            new Sizes(2, 4, 0, 11, 4, 0, 3, 2, 2, 2, 2),
            new Sizes(2, 4, 0, 1, 4, 0, 1, 1, 0, 1, 4),
            // Several tiles, chunks of images, blocks of channels and of rows of patches.
            new Sizes(9, 3, 40, 41, 2, 3, 3, 1, 1, 1, 1),
            new Sizes(1, 70, 9, 9, 5, 3, 3, 1, 1, 1, 1),
            new Sizes(1, 1, 0, 9000, 2, 0, 5, 1, 2, 1, 1),
            new Sizes(1, 1, 0, 9000, 2, 0, 5, 2, 2, 1, 2 / 2),
            new Sizes(1, 2, 0, 9000, 2, 0, 7, 1, 3, 1, 2),
            new Sizes(1, 1, 0, 9500, 1, 0, 9000, 1, 0, 1, 1));

    @TestFactory
    Stream<DynamicTest> valuesAndGradientsAreThoseOfTheLoops() {
        return ALL.stream().flatMap(sizes -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(sizes + " " + dtype, () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        requireLoops(sizes, dtype);
                    }
                })));
    }

    private static void requireLoops(Sizes sizes, DType dtype) {
        var random = new Random(1);
        Tensor x = Tensor.randn(dtype, random, sizes.image()).trackGradient();
        Tensor weight = Tensor.randn(dtype, random, sizes.weight()).trackGradient();
        Tensor bias = Tensor.randn(dtype, random, sizes.out).trackGradient();
        Tensor y = sizes.convolve(x, weight, bias);
        Tensor g = Tensor.randn(dtype, random, y.shape());
        y.retain();
        y.backward(g, Release.EAGER);
        var loops = new Loops(sizes.asPlane(), x, weight, bias, g);
        double tolerance = dtype == DType.FLOAT32 ? 3e-6 : 1e-14;
        requireClose(loops.y, y, tolerance);
        requireClose(loops.toImage, x.gradient(), tolerance);
        requireClose(loops.toWeight, weight.gradient(), tolerance);
        requireClose(loops.toBias, bias.gradient(), tolerance);
    }

    private static void requireClose(double[] expected, Tensor actual, double tolerance) {
        double[] values = actual.toDoubleArray();
        double largest = 1;
        for (double each : expected) {
            largest = Math.max(largest, Math.abs(each));
        }
        assertArrayEquals(expected, values, tolerance * largest);
    }

    /// The seven loops.
    private static final class Loops {
        final double[] y;
        final double[] toImage;
        final double[] toWeight;
        final double[] toBias;

        Loops(Sizes s, Tensor image, Tensor weight, Tensor bias, Tensor gradient) {
            double[] x = image.toDoubleArray();
            double[] w = weight.toDoubleArray();
            double[] b = bias.toDoubleArray();
            double[] g = gradient.toDoubleArray();
            long padY = s.h == 1 && s.kh == 1 && image.rank() == 3 ? 0 : s.padding;
            long oh = image.rank() == 3 ? 1 : s.outSize(s.h, s.kh, padY);
            long ow = s.outSize(s.w, s.kw, s.padding);
            y = new double[g.length];
            toImage = new double[x.length];
            toWeight = new double[w.length];
            toBias = new double[b.length];
            long each = s.in / s.groups;
            int at = 0;
            for (long n = 0; n < s.n; n++) {
                for (long o = 0; o < s.out; o++) {
                    for (long p = 0; p < oh * ow; p++, at++) {
                        y[at] = b[(int) o];
                        toBias[(int) o] += g[at];
                        for (long k = 0; k < each * s.kh * s.kw; k++) {
                            long c = o / (s.out / s.groups) * each + k / (s.kh * s.kw);
                            long row = p / ow * s.stride + k / s.kw % s.kh * s.dilation - padY;
                            long column = p % ow * s.stride + k % s.kw * s.dilation - s.padding;
                            if (row >= 0 && row < s.h && column >= 0 && column < s.w) {
                                int i = (int) (((n * s.in + c) * s.h + row) * s.w + column);
                                int j = (int) (o * each * s.kh * s.kw + k);
                                y[at] += x[i] * w[j];
                                toImage[i] += g[at] * w[j];
                                toWeight[j] += g[at] * x[i];
                            }
                        }
                    }
                }
            }
        }
    }
}
