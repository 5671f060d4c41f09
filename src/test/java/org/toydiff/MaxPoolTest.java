package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Largest elements of windows of planes, their gradient and the gradient of that, held against their definition, where
/// windows are divided into tiles and where each is read by itself, for elements that are often equal, infinite or NaN.
class MaxPoolTest {
    /// Planes, height, width; then kernel, stride, padding and dilation of both axes.
    private static final int[][] CASES = {
        // Several planes in a tile, windows side by side.
        {40, 14, 15, 2, 2, 2, 2, 0, 0, 1, 1},
        // Rows and columns that no window reads.
        {3, 31, 17, 2, 3, 4, 3, 0, 0, 1, 1},
        // Windows that overlap, in several tiles of a plane, with and without a border.
        {2, 150, 130, 3, 3, 2, 2, 1, 1, 1, 1},
        {2, 140, 99, 4, 3, 1, 1, 0, 0, 1, 1},
        // Places that are apart.
        {2, 40, 37, 3, 2, 1, 2, 2, 1, 2, 3},
        // A border that is wider than the input.
        {5, 1, 9, 5, 3, 1, 1, 2, 1, 1, 1},
        // Rows of several tiles.
        {1, 4, 9000, 3, 3, 1, 2, 1, 1, 1, 1},
        // Windows of padding alone: at rows −2 and 1.
        {20, 1, 20, 2, 2, 9, 1, 2, 1, 3, 1},
        // Large windows, and few ones.
        {2, 40, 40, 17, 16, 1, 1, 8, 0, 1, 1},
        {3, 30, 31, 7, 9, 7, 9, 0, 0, 1, 1},
        {3, 1, 40, 2, 130, 9, 1, 2, 65, 3, 1},
    };

    private static final double[] ELEMENTS = {
        Double.NaN, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, -1, -0.0, 0, 2, 2
    };

    @TestFactory
    Stream<DynamicTest> largestElementsAreThoseOfTheDefinition() {
        return Arrays.stream(CASES).flatMap(c -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> DynamicTest.dynamicTest(dtype + " " + Arrays.toString(c), () -> {
                    for (boolean channelsLast : new boolean[] {false, true}) {
                        require(c, dtype, channelsLast);
                    }
                })));
    }

    private static void require(int[] c, DType dtype, boolean channelsLast) {
        try (var arena = TensorArena.ofConfined()) {
            var random = new Random(7);
            Tensor x = input(c, dtype, channelsLast, () -> ELEMENTS[random.nextInt(ELEMENTS.length)]);
            Tensor leaf = x.trackGradient();
            Tensor y = leaf.maxPool(pair(c, 3), pair(c, 5), pair(c, 7), pair(c, 9), false);
            int[] positions = positions(c, x.toDoubleArray(), y.shape());
            assertArrayEquals(picked(x, positions, Double.NEGATIVE_INFINITY), withoutSignOfZero(y));
            // Whole numbers, whose sums are exact.
            Tensor g =
                    Tensor.arange(dtype, 1, y.size() + 1, 1).reshape(y.shape()).trackGradient();
            Tensor gradient =
                    Autograd.gradients(y.multiply(g).sum(), List.of(leaf), true).getFirst();
            assertArrayEquals(added(g, positions, (int) x.size()), gradient.toDoubleArray());
            Tensor h = input(c, dtype, channelsLast, () -> random.nextInt(100) - 50.0);
            Tensor second =
                    Autograd.gradients(gradient.multiply(h).sum(), List.of(g)).getFirst();
            assertArrayEquals(picked(h, positions, 0), withoutSignOfZero(second));
        }
    }

    /// A tensor `[2, planes, height, width]` of those elements, contiguous or with the planes innermost.
    private static Tensor input(int[] c, DType dtype, boolean channelsLast, DoubleSupplier elements) {
        double[] values =
                DoubleStream.generate(elements).limit(2L * c[0] * c[1] * c[2]).toArray();
        return channelsLast
                ? Tensor.of(values, 2, c[1], c[2], c[0]).cast(dtype).movedim(3, 1)
                : Tensor.of(values, 2, c[0], c[1], c[2]).cast(dtype);
    }

    private static long[] pair(int[] c, int from) {
        return new long[] {c[from], c[from + 1]};
    }

    /// The index of the largest element of each window, or −1.
    private static int[] positions(int[] c, double[] x, long[] windows) {
        int[] positions = new int[2 * c[0] * (int) (windows[2] * windows[3])];
        int k = 0;
        for (int plane = 0; plane < 2 * c[0]; plane++) {
            for (int i = 0; i < windows[2]; i++) {
                for (int j = 0; j < windows[3]; j++) {
                    positions[k++] = position(c, x, plane, i, j);
                }
            }
        }
        return positions;
    }

    private static int position(int[] c, double[] x, int plane, int i, int j) {
        int best = -1;
        for (int place = 0; place < c[3] * c[4]; place++) {
            int row = i * c[5] - c[7] + place / c[4] * c[9];
            int column = j * c[6] - c[8] + place % c[4] * c[10];
            int at = (plane * c[1] + row) * c[2] + column;
            boolean inside = row >= 0 && row < c[1] && column >= 0 && column < c[2];
            if (inside && (best < 0 || x[at] > x[best] || Double.isNaN(x[at]))) {
                best = at;
            }
        }
        return best;
    }

    private static double[] picked(Tensor x, int[] positions, double otherwise) {
        double[] elements = withoutSignOfZero(x);
        return Arrays.stream(positions)
                .mapToDouble(at -> at < 0 ? otherwise : elements[at])
                .toArray();
    }

    private static double[] added(Tensor g, int[] positions, int n) {
        double[] parts = g.toDoubleArray();
        double[] sums = new double[n];
        for (int k = 0; k < positions.length; k++) {
            if (positions[k] >= 0) {
                sums[positions[k]] += parts[k];
            }
        }
        return sums;
    }

    private static double[] withoutSignOfZero(Tensor x) {
        return Arrays.stream(x.toDoubleArray()).map(element -> element + 0.0).toArray();
    }
}
