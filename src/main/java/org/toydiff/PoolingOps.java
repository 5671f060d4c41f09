package org.toydiff;

import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;
import static org.toydiff.Rule.readsShape;

import java.util.Arrays;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.pooling.PoolingWork.Pass;
import org.toydiff.internal.pooling.Windows;
import org.toydiff.internal.pooling.Windows.Kind;

/// The ops of [Tensor] that read windows of planes: pooling, and interpolation.
///
/// They work along the last axis of `[n, c, l]` or `[c, l]`, or along the last two of `[n, c, h, w]` or `[c, h, w]`:
/// arrays of settings have one element for each of these axes. They compute means in double, read any strides
/// without a copy, and save nothing for backward but the input of `maxPool`. BFLOAT16 is widened for the call.
public sealed interface PoolingOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Returns the largest element of each window, as PyTorch's `max_pool1d` and `max_pool2d`; NaN if one is.
    ///
    /// **Gradient** `g` to the first of the largest elements of its window in row-major order, or to the last
    /// NaN. Their positions are found again from the input, and not kept.
    /// **Memory** a new tensor.
    ///
    /// @param kernel the sizes of a window
    /// @param stride the distances between windows
    /// @param padding the widths of a border of −∞ on either side, at most half of the kernel
    /// @param dilation the distances between the elements of a window
    /// @param ceilMode whether a last window that begins inside the input or its left border, and ends outside of
    ///     it, counts
    /// @return a new tensor with `(size + 2·padding − dilation·(kernel − 1) − 1) / stride + 1` windows along an
    ///     axis, rounded down, or up in ceilMode
    /// @throws IllegalArgumentException if the rank, a setting or the number of settings does not fit, or no
    ///     window does
    default Tensor maxPool(long[] kernel, long[] stride, long[] padding, long[] dilation, boolean ceilMode) {
        Tensor x = pooled(self(), "maxPool", kernel.length);
        if (x.dtype == DType.BFLOAT16) {
            return x.cast(DType.FLOAT32)
                    .maxPool(kernel, stride, padding, dilation, ceilMode)
                    .cast(DType.BFLOAT16);
        }
        long[] layout = layout("maxPool", x, kernel, stride, padding, dilation, ceilMode);
        int axes = kernel.length;
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("maxPool", x.dtype, outputShape("maxPool", x, layout, axes), recorded);
        PoolingLaunch.run(Pass.LARGEST, Kind.MAX, layout, axes, x, null, y);
        return recorded ? y.record("maxPool", null, readsInput((g, in) -> toLargest(g, in, layout, axes)), x) : y;
    }

    /// Returns the mean of each window, as PyTorch's `avg_pool1d` and `avg_pool2d`.
    ///
    /// **Gradient** of each element, the sum of `g` divided by the divisor over its windows.
    /// **Memory** a new tensor.
    ///
    /// @param kernel the sizes of a window
    /// @param stride the distances between windows
    /// @param padding the widths of a border of zeros on either side, at most half of the kernel
    /// @param ceilMode whether a last window that begins inside the input or its left border, and ends outside of
    ///     it, counts
    /// @param countIncludePad whether the divisor counts the elements of the border; never those beyond it
    /// @return a new tensor with `(size + 2·padding − kernel) / stride + 1` windows along an axis, rounded down,
    ///     or up in ceilMode
    /// @throws IllegalArgumentException if the rank, a setting or the number of settings does not fit, or no
    ///     window does
    default Tensor avgPool(long[] kernel, long[] stride, long[] padding, boolean ceilMode, boolean countIncludePad) {
        Tensor x = pooled(self(), "avgPool", kernel.length);
        long[] ones = new long[kernel.length];
        Arrays.fill(ones, 1);
        long[] layout = layout("avgPool", x, kernel, stride, padding, ones, ceilMode);
        Kind kind = countIncludePad ? Kind.MEAN_OF_PADDED : Kind.MEAN;
        return weighted("avgPool", x, kind, layout, kernel.length);
    }

    /// Returns the means of `size` windows along each axis, which together cover it, as PyTorch's `adaptive_avg_pool1d`
    /// and `adaptive_avg_pool2d`: window i of n along an axis of size s is from `⌊i·s/n⌋` to before `⌈(i +
    /// 1)·s/n⌉`.
    ///
    /// **Gradient** of each element, the sum of `g` divided by the size of the window over its windows.
    /// **Memory** a new tensor.
    ///
    /// @param size the number of windows along each axis
    /// @return a new tensor whose last axes have those sizes
    /// @throws IllegalArgumentException if the rank or the number of sizes does not fit, one is negative, or an
    ///     axis is empty
    default Tensor adaptiveAvgPool(long... size) {
        Tensor x = pooled(self(), "adaptiveAvgPool", size.length);
        requireAll("adaptiveAvgPool", "size", size, 0);
        requireElements("adaptiveAvgPool", x, size.length);
        return weighted("adaptiveAvgPool", x, Kind.ADAPTIVE_MEAN, sizes(size), size.length);
    }

    /// Returns the elements nearest to the positions of a larger or smaller grid, as PyTorch's `interpolate` with
    /// `mode="nearest"`: element i along an axis is that at `⌊i·(old size / new size)⌋`.
    ///
    /// **Gradient** of each element, the sum of `g` over its copies.
    /// **Memory** a new tensor.
    ///
    /// @param size the new sizes
    /// @return a new tensor whose last axes have those sizes
    /// @throws IllegalArgumentException if the rank or the number of sizes does not fit, or a size is not positive
    default Tensor upsampleNearest(long[] size) {
        return interpolated("upsampleNearest", Kind.NEAREST, size);
    }

    /// As [#upsampleNearest(long\[\])], by scale factors: element i along an axis is that at `⌊i/factor⌋`.
    ///
    /// @param scaleFactor the factors; a new size is the old one times its factor, rounded down
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank or the number of factors does not fit, or a size is not
    ///     positive
    default Tensor upsampleNearest(double[] scaleFactor) {
        return interpolated("upsampleNearest", Kind.NEAREST, scaleFactor);
    }

    /// Interpolates linearly, or bilinearly along two axes, between the two nearest elements, as PyTorch's
    /// `interpolate` with `mode="linear"` and `"bilinear"`. Element i along an axis is at `(i + ½)·(old size /
    /// new size) − ½`, and at `i·(old size − 1)/(new size − 1)` with the corners aligned.
    ///
    /// **Gradient** of each element, the sum of its weights times `g`.
    /// **Memory** a new tensor.
    ///
    /// @param alignCorners whether the first and the last elements of input and output coincide
    /// @param size the new sizes
    /// @return a new tensor whose last axes have those sizes
    /// @throws IllegalArgumentException if the rank or the number of sizes does not fit, or a size is not positive
    default Tensor upsampleLinear(boolean alignCorners, long[] size) {
        return interpolated("upsampleLinear", alignCorners ? Kind.LINEAR_ALIGNED : Kind.LINEAR, size);
    }

    /// As [#upsampleLinear(boolean, long\[\])], by scale factors: element i along an axis is at `(i + ½)/factor − ½`
    /// unless corners are aligned.
    ///
    /// @param alignCorners whether the first and the last elements of input and output coincide
    /// @param scaleFactor the factors; a new size is the old one times its factor, rounded down
    /// @return a new tensor
    /// @throws IllegalArgumentException if the rank or the number of factors does not fit, or a size is not
    ///     positive
    default Tensor upsampleLinear(boolean alignCorners, double[] scaleFactor) {
        return interpolated("upsampleLinear", alignCorners ? Kind.LINEAR_ALIGNED : Kind.LINEAR, scaleFactor);
    }

    private Tensor interpolated(String op, Kind kind, long[] size) {
        Tensor x = pooled(self(), op, size.length);
        return interpolated(op, kind, x, sizes(size), size.length);
    }

    private Tensor interpolated(String op, Kind kind, double[] scaleFactor) {
        int axes = scaleFactor.length;
        Tensor x = pooled(self(), op, axes);
        long[] size = new long[axes];
        for (int i = 0; i < axes; i++) {
            // NaN and what is too large become sizes that are refused.
            size[i] = (long) Math.floor(x.shape[x.rank() - axes + i] * scaleFactor[i]);
        }
        long[] layout = sizes(size);
        for (int i = 0; i < axes; i++) {
            layout[2 + Windows.PARAMETERS * (2 - axes + i)] = Double.doubleToLongBits(scaleFactor[i]);
        }
        return interpolated(op, kind, x, layout, axes);
    }

    private static Tensor interpolated(String op, Kind kind, Tensor x, long[] layout, int axes) {
        requireAll(op, "size", Arrays.copyOfRange(layout, 2 - axes, 2), 1);
        requireElements(op, x, axes);
        return weighted(op, x, kind, layout, axes);
    }

    // The ops and their gradients, which are those of each other.

    /// The weighted sums of windows.
    private static Tensor weighted(String op, Tensor x, Kind kind, long[] layout, int axes) {
        if (x.dtype == DType.BFLOAT16) {
            return weighted(op, x.cast(DType.FLOAT32), kind, layout, axes).cast(DType.BFLOAT16);
        }
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, x.dtype, outputShape(op, x, layout, axes), recorded);
        PoolingLaunch.run(Pass.SUM, kind, layout, axes, x, null, y);
        return recorded ? y.record(op, null, readsShape((g, shape) -> spread(g, shape, kind, layout, axes)), x) : y;
    }

    /// The gradient of weighted sums: each element of g goes to the elements of its window.
    private static Tensor spread(Tensor g, long[] shape, Kind kind, long[] layout, int axes) {
        boolean recorded = Tensor.recorded(g);
        Tensor y = Tensor.make("spread", g.dtype, shape, recorded);
        PoolingLaunch.run(Pass.SPREAD, kind, layout, axes, null, g, y);
        return recorded
                ? y.record("spread", null, readsNothing(h -> weighted("weighted", h, kind, layout, axes)), g)
                : y;
    }

    /// The gradient of maxPool: each element of g goes to the largest element of its window of x.
    private static Tensor toLargest(Tensor g, Tensor x, long[] layout, int axes) {
        boolean recorded = Tensor.recorded(g, x);
        Tensor y = Tensor.make("toLargest", x.dtype, x.shape, recorded);
        PoolingLaunch.run(Pass.TO_LARGEST, Kind.MAX, layout, axes, x, g, y);
        Rule toG = readsOther((h, in) -> atLargest(h, in, layout, axes));
        return recorded ? y.record("toLargest", null, toG, Tensor.ZERO, g, x) : y;
    }

    /// The elements of h where the largest element of each window of x stands.
    private static Tensor atLargest(Tensor h, Tensor x, long[] layout, int axes) {
        boolean recorded = Tensor.recorded(h, x);
        Tensor y = Tensor.make("atLargest", x.dtype, outputShape("atLargest", x, layout, axes), recorded);
        PoolingLaunch.run(Pass.AT_LARGEST, Kind.MAX, layout, axes, x, h, y);
        Rule toH = readsOther((k, in) -> toLargest(k, in, layout, axes));
        return recorded ? y.record("atLargest", null, toH, Tensor.ZERO, h, x) : y;
    }

    // Shapes and settings. A layout has the numbers of windows along the last two axes, then the parameters of each.

    private static Tensor pooled(Tensor x, String op, int axes) {
        x.requireFloating(op);
        if (axes != 1 && axes != 2) {
            throw new IllegalArgumentException(
                    op + ": settings for " + axes + " axes; give one or two, for the last axes");
        }
        if (x.rank() != axes + 1 && x.rank() != axes + 2) {
            throw new IllegalArgumentException(op + ": " + Shape.text(x.shape) + " is neither "
                    + (axes == 1 ? "[n, c, l] nor [c, l]" : "[n, c, h, w] nor [c, h, w]") + "; reshape it");
        }
        for (int i = x.rank() - axes; i < x.rank(); i++) {
            if (x.shape[i] > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(op + ": axis " + i + " of " + Shape.text(x.shape) + " has more than "
                        + Integer.MAX_VALUE + " positions; split the tensor");
            }
        }
        return x;
    }

    private static long[] sizes(long[] size) {
        long[] layout = new long[2 + 2 * Windows.PARAMETERS];
        layout[0] = 1;
        System.arraycopy(size, 0, layout, 2 - size.length, size.length);
        return layout;
    }

    private static long[] layout(
            String op, Tensor x, long[] kernel, long[] stride, long[] padding, long[] dilation, boolean ceilMode) {
        int axes = kernel.length;
        requireSettings(op, axes, kernel, stride, padding, dilation);
        long[] windows = new long[axes];
        for (int i = 0; i < axes; i++) {
            windows[i] = windows(op, x, x.rank() - axes + i, kernel[i], stride[i], padding[i], dilation[i], ceilMode);
        }
        long[] layout = sizes(windows);
        Arrays.fill(layout, 2, 2 + Windows.PARAMETERS, 1);
        // Of an axis that is missing: one window of one position without a border.
        layout[4] = 0;
        for (int i = 0; i < axes; i++) {
            int at = 2 + Windows.PARAMETERS * (2 - axes + i);
            layout[at] = kernel[i];
            layout[at + 1] = stride[i];
            layout[at + 2] = padding[i];
            layout[at + 3] = dilation[i];
        }
        return layout;
    }

    private static void requireSettings(
            String op, int axes, long[] kernel, long[] stride, long[] padding, long[] dilation) {
        if (stride.length != axes || padding.length != axes || dilation.length != axes) {
            throw new IllegalArgumentException(op + ": kernel " + Shape.text(kernel) + ", stride " + Shape.text(stride)
                    + ", padding " + Shape.text(padding) + " and dilation " + Shape.text(dilation)
                    + " are not of as many axes; give one number for each");
        }
        requireAll(op, "kernel", kernel, 1);
        requireAll(op, "stride", stride, 1);
        requireAll(op, "padding", padding, 0);
        requireAll(op, "dilation", dilation, 1);
    }

    private static void requireAll(String op, String setting, long[] values, long least) {
        for (long value : values) {
            if (value < least || value > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(op + ": " + setting + " " + Shape.text(values)
                        + " is out of range; give " + least + " or more, up to " + Integer.MAX_VALUE);
            }
        }
    }

    private static void requireElements(String op, Tensor x, int axes) {
        for (int i = x.rank() - axes; i < x.rank(); i++) {
            if (x.shape[i] == 0) {
                throw new IllegalArgumentException(
                        op + ": axis " + i + " of " + Shape.text(x.shape) + " has size 0, and nothing to read");
            }
        }
    }

    /// The number of windows along an axis, as PyTorch's `pooling_output_shape`.
    private static long windows(
            String op, Tensor x, int axis, long kernel, long stride, long padding, long dilation, boolean ceilMode) {
        long extent = dilation * (kernel - 1) + 1;
        if (padding > extent / 2) {
            throw new IllegalArgumentException(
                    op + ": padding " + padding + " is more than half of a window of " + extent
                            + " positions along axis " + axis + " of " + Shape.text(x.shape) + "; pad the input first");
        }
        long room = x.shape[axis] + 2 * padding - extent;
        long windows = Math.floorDiv(room + (ceilMode ? stride - 1 : 0), stride) + 1;
        if (ceilMode && (windows - 1) * stride >= x.shape[axis] + padding) {
            windows--;
        }
        if (windows < 1 || x.shape[axis] == 0) {
            throw new IllegalArgumentException(op + ": a window of " + extent + " positions does not fit into axis "
                    + axis + " of " + Shape.text(x.shape) + " with padding " + padding + "; give a smaller kernel");
        }
        return windows;
    }

    private static long[] outputShape(String op, Tensor x, long[] layout, int axes) {
        long[] shape = x.shape.clone();
        System.arraycopy(layout, 2 - axes, shape, x.rank() - axes, axes);
        return Shape.checked(op, x.dtype.bytes(), shape);
    }
}
