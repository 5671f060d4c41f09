package org.toydiff;

import java.util.Random;
import java.util.stream.IntStream;
import org.toydiff.internal.launch.Shape;

/// Tensors of a given shape that lie in memory in every way that views can make: axes in another order, sliced out of
/// larger ones, stretched from size 1, and all of these at once.
final class RandomViews {
    private RandomViews() {}

    /// Small whole numbers and halves, which sums and products of a few hundred keep exactly.
    static Tensor of(Random random, DType dtype, long... shape) {
        int rank = shape.length;
        int[] order = permutation(random, rank);
        boolean plain = random.nextInt(3) == 0;
        long[] block = new long[rank];
        long[] from = new long[rank];
        for (int i = 0; i < rank; i++) {
            long n = shape[order[i]];
            boolean stretched = !plain && n > 0 && random.nextInt(4) == 0;
            from[i] = plain || stretched ? 0 : random.nextInt(3);
            block[i] = stretched ? 1 : n + (plain ? 0 : from[i] + random.nextInt(2));
        }
        Tensor view = values(random, dtype, block);
        long[] stretched = new long[rank];
        int[] back = new int[rank];
        for (int i = 0; i < rank; i++) {
            long n = shape[order[i]];
            if (block[i] != 1 || n == 0) {
                view = view.slice(i, from[i], from[i] + n);
            }
            stretched[i] = n;
            back[order[i]] = i;
        }
        return view.broadcastTo(stretched).transpose(back);
    }

    private static Tensor values(Random random, DType dtype, long[] shape) {
        double[] values = new double[(int) Shape.size(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextInt(17) - 8) / 2.0;
        }
        return shape.length == 0 ? Tensor.scalar(dtype, values[0]) : Tensor.of(dtype, values, shape);
    }

    private static int[] permutation(Random random, int n) {
        int[] order = IntStream.range(0, n).toArray();
        for (int i = n - 1; i > 0 && random.nextInt(4) > 0; i--) {
            int j = random.nextInt(i + 1);
            int moved = order[i];
            order[i] = order[j];
            order[j] = moved;
        }
        return order;
    }

    /// The position of an element within the row-major elements of `shape`, which stretches to the shape that the
    /// index is of.
    static int position(long[] shape, long[] index) {
        int position = 0;
        int extra = index.length - shape.length;
        for (int i = 0; i < shape.length; i++) {
            position = (int) (position * shape[i] + (shape[i] == 1 ? 0 : index[i + extra]));
        }
        return position;
    }

    /// The next index of a shape in row-major order.
    ///
    /// @return whether there is one
    static boolean next(long[] shape, long[] index) {
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            if (++index[axis] < shape[axis]) {
                return true;
            }
            index[axis] = 0;
        }
        return false;
    }
}
