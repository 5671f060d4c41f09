package org.toydiff.internal.launch;

/// The layouts in which BLAS reads matrices: contiguous rows, or contiguous columns. Sizes and strides are in
/// elements.
public final class MatrixLayout {
    private MatrixLayout() {}

    /// {@return whether BLAS can read the last two axes in place}
    public static boolean isReadable(long[] shape, long[] strides) {
        int rank = shape.length;
        long rows = shape[rank - 2];
        long columns = shape[rank - 1];
        long down = strides[rank - 2];
        long across = strides[rank - 1];
        return plain(rows, columns, down, across) || plain(columns, rows, across, down);
    }

    private static boolean plain(long rows, long columns, long down, long across) {
        return (columns == 1 || across == 1)
                && (rows == 1 || (down >= Math.max(1, columns) && down <= Integer.MAX_VALUE));
    }

    /// {@return whether BLAS is to read a matrix with its rows and columns exchanged}
    public static boolean transposed(long[] shape, long[] strides) {
        return !plain(shape[0], shape[1], strides[0], strides[1]);
    }

    /// {@return BLAS's leading dimension: the distance between rows of the matrix as stored}
    public static int leading(long[] shape, long[] strides, boolean transposed) {
        int row = transposed ? 1 : 0;
        long least = shape[1 - row];
        return (int) Math.max(1, shape[row] == 1 ? least : strides[row]);
    }

    /// {@return BLAS's increment: the distance between the elements of a vector along an axis}
    public static int increment(long[] shape, long[] strides, int axis) {
        return shape[axis] <= 1 ? 1 : (int) Math.max(1, strides[axis]);
    }
}
