package org.toydiff.fuzz;

import static org.toydiff.fuzz.Dense.build;
import static org.toydiff.fuzz.Dense.require;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;

/// Ops on [Dense] arrays as their documentation defines them, element by element in double: slow, and sharing nothing
/// with the library.
final class Reference {
    private Reference() {}

    static Dense map(Dense x, DoubleUnaryOperator f) {
        return new Dense(x.shape(), Arrays.stream(x.values()).map(f).toArray());
    }

    static Dense zip(Dense a, Dense b, DoubleBinaryOperator f) {
        return build(
                broadcast(a.shape(), b.shape()), index -> f.applyAsDouble(a.stretchedAt(index), b.stretchedAt(index)));
    }

    static Dense where(Dense condition, Dense a, Dense b) {
        long[] shape = broadcast(condition.shape(), broadcast(a.shape(), b.shape()));
        return build(shape, index -> condition.stretchedAt(index) != 0 ? a.stretchedAt(index) : b.stretchedAt(index));
    }

    static long[] broadcast(long[] a, long[] b) {
        long[] shape = new long[Math.max(a.length, b.length)];
        for (int i = 1; i <= shape.length; i++) {
            long m = i <= a.length ? a[a.length - i] : 1;
            long n = i <= b.length ? b[b.length - i] : 1;
            require(m == n || m == 1 || n == 1);
            shape[shape.length - i] = m == 1 ? n : m;
        }
        return shape;
    }

    // Views.

    static int axis(int axis, int rank) {
        require(axis >= -rank && axis < rank);
        return axis < 0 ? axis + rank : axis;
    }

    static Dense broadcastTo(Dense x, long... shape) {
        require(x.rank() <= shape.length && Arrays.equals(broadcast(x.shape(), shape), shape));
        return build(shape, x::stretchedAt);
    }

    static Dense reshape(Dense x, long... shape) {
        require(Dense.size(shape) == x.size());
        return new Dense(shape, x.values());
    }

    static Dense transpose(Dense x, int... axes) {
        require(axes.length == x.rank());
        int rank = x.rank();
        int[] from = Arrays.stream(axes).map(axis -> axis(axis, rank)).toArray();
        require(Arrays.stream(from).distinct().count() == rank);
        long[] shape = new long[rank];
        Arrays.setAll(shape, i -> x.shape()[from[i]]);
        return build(shape, index -> {
            long[] at = new long[rank];
            for (int i = 0; i < rank; i++) {
                at[from[i]] = index[i];
            }
            return x.at(at);
        });
    }

    static Dense slice(Dense x, int axis, long from, long to) {
        int along = axis(axis, x.rank());
        long n = x.shape()[along];
        long first = from < 0 ? from + n : from;
        long end = to < 0 ? to + n : to;
        require(first >= 0 && first <= end && end <= n);
        long[] shape = x.shape().clone();
        shape[along] = end - first;
        return build(shape, index -> x.at(moved(index, along, index[along] + first)));
    }

    static Dense get(Dense x, long index) {
        require(x.rank() > 0);
        long at = index < 0 ? index + x.shape()[0] : index;
        require(at >= 0 && at < x.shape()[0]);
        return build(Arrays.copyOfRange(x.shape(), 1, x.rank()), rest -> {
            long[] whole = new long[x.rank()];
            System.arraycopy(rest, 0, whole, 1, rest.length);
            whole[0] = at;
            return x.at(whole);
        });
    }

    private static long[] moved(long[] index, int axis, long position) {
        long[] moved = index.clone();
        moved[axis] = position;
        return moved;
    }

    // Put together and picked out.

    static Dense concat(int axis, Dense... parts) {
        int along = axis(axis, parts[0].rank());
        long[] shape = parts[0].shape().clone();
        shape[along] = 0;
        for (Dense part : parts) {
            require(part.rank() == shape.length);
            for (int i = 0; i < shape.length; i++) {
                require(i == along || part.shape()[i] == shape[i]);
            }
            shape[along] += part.shape()[along];
        }
        return build(shape, index -> {
            long position = index[along];
            int i = 0;
            while (position >= parts[i].shape()[along]) {
                position -= parts[i++].shape()[along];
            }
            return parts[i].at(moved(index, along, position));
        });
    }

    static Dense stack(int axis, Dense... parts) {
        int along = axis(axis, parts[0].rank() + 1);
        Dense[] inserted = new Dense[parts.length];
        for (int i = 0; i < parts.length; i++) {
            require(Arrays.equals(parts[i].shape(), parts[0].shape()));
            inserted[i] = new Dense(inserted(parts[i].shape(), along), parts[i].values());
        }
        return concat(along, inserted);
    }

    private static long[] inserted(long[] shape, int axis) {
        long[] inserted = new long[shape.length + 1];
        for (int i = 0; i < inserted.length; i++) {
            inserted[i] = i == axis ? 1 : shape[i < axis ? i : i - 1];
        }
        return inserted;
    }

    static Dense gather(Dense x, int axis, Dense index) {
        int along = axis(axis, x.rank());
        require(index.rank() == x.rank());
        for (int i = 0; i < x.rank(); i++) {
            require(i == along || index.shape()[i] <= x.shape()[i]);
        }
        requirePositions(index, x.shape()[along]);
        return build(index.shape(), at -> x.at(moved(at, along, (long) index.at(at))));
    }

    static Dense indexSelect(Dense x, int axis, Dense index) {
        int along = axis(axis, x.rank());
        require(index.rank() == 1);
        requirePositions(index, x.shape()[along]);
        long[] shape = x.shape().clone();
        shape[along] = index.size();
        return build(shape, at -> x.at(moved(at, along, (long) index.values()[(int) at[along]])));
    }

    private static void requirePositions(Dense index, long n) {
        for (double position : index.values()) {
            require(position >= 0 && position < n);
        }
    }

    // Reductions.

    /// Over all axes.
    static Dense reduce(Dense x, ToDoubleFunction<double[]> f) {
        return new Dense(new long[0], new double[] {f.applyAsDouble(x.values())});
    }

    /// Along one axis.
    static Dense reduce(Dense x, int axis, boolean keepDims, ToDoubleFunction<double[]> f) {
        int along = axis(axis, x.rank());
        long[] kept = x.shape().clone();
        kept[along] = 1;
        Dense result = build(kept, index -> {
            double[] run = new double[(int) x.shape()[along]];
            for (int i = 0; i < run.length; i++) {
                run[i] = x.at(moved(index, along, i));
            }
            return f.applyAsDouble(run);
        });
        return keepDims ? result : new Dense(dropped(kept, along), result.values());
    }

    private static long[] dropped(long[] shape, int axis) {
        long[] dropped = new long[shape.length - 1];
        for (int i = 0; i < dropped.length; i++) {
            dropped[i] = shape[i < axis ? i : i + 1];
        }
        return dropped;
    }

    static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    static double mean(double[] values) {
        return sum(values) / values.length;
    }

    static double max(double[] values) {
        require(values.length > 0);
        double max = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            max = Math.max(max, value);
        }
        return max;
    }

    static double min(double[] values) {
        require(values.length > 0);
        double min = Double.POSITIVE_INFINITY;
        for (double value : values) {
            min = Math.min(min, value);
        }
        return min;
    }

    static double var(double[] values) {
        double mean = mean(values);
        double sum = 0;
        for (double value : values) {
            sum += (value - mean) * (value - mean);
        }
        return sum / values.length;
    }

    static double argmax(double[] values) {
        require(values.length > 0);
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            boolean larger = values[i] > values[best] || Double.isNaN(values[i]);
            best = larger && !Double.isNaN(values[best]) ? i : best;
        }
        return best;
    }

    // Products.

    static Dense matmul(Dense a, Dense b) {
        require(a.rank() > 0 && b.rank() > 0);
        Dense x = a.rank() == 1 ? new Dense(new long[] {1, a.size()}, a.values()) : a;
        Dense z = b.rank() == 1 ? new Dense(new long[] {b.size(), 1}, b.values()) : b;
        long inner = x.shape()[x.rank() - 1];
        require(inner == z.shape()[z.rank() - 2]);
        long[] leading = broadcast(Arrays.copyOf(x.shape(), x.rank() - 2), Arrays.copyOf(z.shape(), z.rank() - 2));
        int n = leading.length;
        long[] shape = Arrays.copyOf(leading, n + 2);
        shape[n] = x.shape()[x.rank() - 2];
        shape[n + 1] = z.shape()[z.rank() - 1];
        Dense y = build(shape, index -> {
            double sum = 0;
            for (long k = 0; k < inner; k++) {
                sum += matrixAt(x, index, index[n], k) * matrixAt(z, index, k, index[n + 1]);
            }
            return sum;
        });
        long[] dropped = b.rank() == 1 ? dropped(shape, n + 1) : shape;
        return new Dense(a.rank() == 1 ? dropped(dropped, n) : dropped, y.values());
    }

    private static double matrixAt(Dense x, long[] index, long row, long column) {
        int leading = x.rank() - 2;
        int missing = index.length - x.rank();
        long[] at = new long[x.rank()];
        for (int i = 0; i < leading; i++) {
            at[i] = x.shape()[i] == 1 ? 0 : index[missing + i];
        }
        at[leading] = row;
        at[leading + 1] = column;
        return x.at(at);
    }

    static Dense linear(Dense x, Dense weight, Dense bias) {
        require(x.rank() > 0 && weight.rank() == 2);
        Dense product = matmul(x, transpose(weight, 1, 0));
        if (bias == null) {
            return product;
        }
        require(bias.rank() == 1 && bias.size() == weight.shape()[0]);
        return zip(product, bias, Double::sum);
    }
}
