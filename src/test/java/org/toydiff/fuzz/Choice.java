package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.toydiff.Bfloat16Oracle;
import org.toydiff.DType;

/// What one seed decides: sizes, shapes, dtypes, axes and numbers. Small sizes are likely, since faults sit at 0, 1
/// and 2; the larger ones reach past a vector and a 64-byte unit of the pool.
final class Choice {
    /// No tensor is given more elements than this at its making.
    private static final long MAX_ELEMENTS = 400;

    private static final int[] SIZES = {0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5, 6};
    private static final int[] LARGER = {17, 65};
    private static final double[] SPECIAL = {
        0.0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e30, -1e-30
    };

    private final SplittableRandom random;

    Choice(long seed) {
        random = new SplittableRandom(seed);
    }

    long seed() {
        return random.nextLong();
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    boolean coin() {
        return random.nextBoolean();
    }

    @SafeVarargs
    final <T> T of(T... values) {
        return values[below(values.length)];
    }

    <T> T of(List<T> values) {
        return values.get(below(values.size()));
    }

    long size() {
        return oneIn(60) ? LARGER[below(LARGER.length)] : SIZES[below(SIZES.length)];
    }

    /// A size that is not 0.
    long positive() {
        return Math.max(1, size());
    }

    long[] shape() {
        return shape(of(0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5));
    }

    long[] shape(int rank) {
        long[] shape = new long[rank];
        long elements = 1;
        for (int i = 0; i < rank; i++) {
            shape[i] = size();
            if (elements * shape[i] > MAX_ELEMENTS) {
                shape[i] = 1;
            }
            elements *= Math.max(1, shape[i]);
        }
        return shape;
    }

    DType floating() {
        return coin() ? DType.FLOAT32 : DType.FLOAT64;
    }

    DType dtype() {
        return oneIn(12)
                ? DType.BFLOAT16
                : of(DType.FLOAT32, DType.FLOAT32, DType.FLOAT64, DType.FLOAT64, DType.INT32, DType.INT64, DType.BOOL);
    }

    /// An axis that a tensor of that rank has, from either end; now and then one that it has not.
    int axis(int rank) {
        if (rank == 0 || oneIn(40)) {
            return below(9) - 4;
        }
        return below(2 * rank) - rank;
    }

    /// An axis that a tensor of that rank has, counted from the front.
    int axisWithin(int rank) {
        return below(rank);
    }

    int[] permutation(int rank) {
        int[] axes = new int[rank];
        Arrays.setAll(axes, i -> i);
        for (int i = rank - 1; i > 0; i--) {
            int j = below(i + 1);
            int swapped = axes[i];
            axes[i] = axes[j];
            axes[j] = swapped;
        }
        return axes;
    }

    /// A shape that stretches to the given one: leading axes left out, others set to 1.
    long[] shrunk(long[] shape) {
        int dropped = oneIn(2) ? below(shape.length + 1) : 0;
        long[] shrunk = Arrays.copyOfRange(shape, dropped, shape.length);
        for (int i = 0; i < shrunk.length; i++) {
            if (oneIn(4)) {
                shrunk[i] = 1;
            }
        }
        return shrunk;
    }

    /// Another shape of as many elements.
    long[] reshaped(long[] shape) {
        List<Long> sizes = new ArrayList<>();
        for (long size : shape) {
            if (!sizes.isEmpty() && coin()) {
                sizes.set(sizes.size() - 1, sizes.getLast() * size);
            } else {
                sizes.add(size);
            }
        }
        if (oneIn(3)) {
            sizes.add(below(sizes.size() + 1), 1L);
        }
        for (int i = 0; i < sizes.size(); i++) {
            long size = sizes.get(i);
            if (size > 3 && size % 2 == 0 && coin()) {
                sizes.set(i, size / 2);
                sizes.add(i, 2L);
            }
        }
        return sizes.stream().mapToLong(size -> size).toArray();
    }

    /// A number of a coarse grid between −2 and 2, where ops are tame, and seldom one that is not.
    double number(boolean tame) {
        return tame || !oneIn(50) ? (below(33) - 16) / 8.0 : SPECIAL[below(SPECIAL.length)];
    }

    /// Numbers that a dtype can hold.
    double[] numbers(DType dtype, int n, boolean tame) {
        double[] numbers = new double[n];
        Arrays.setAll(numbers, i -> switch (dtype) {
            case FLOAT32 -> (float) number(tame);
            case FLOAT64 -> number(tame);
            case BFLOAT16 -> Bfloat16Oracle.rounded(number(tame));
            case INT32, INT64 -> below(5);
            case BOOL -> below(2);
        });
        return numbers;
    }

    /// A normally distributed number.
    double gaussian() {
        return random.nextGaussian();
    }
}
