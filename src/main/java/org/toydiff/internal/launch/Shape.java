package org.toydiff.internal.launch;

import java.util.Arrays;
import java.util.Locale;

/// Arithmetic on shapes and strides. Both are in elements; a size-1 or broadcast axis has stride 0 or any other.
public final class Shape {
    public static final long[] SCALAR = {};

    private Shape() {}

    /// {@return the number of elements}
    public static long size(long[] shape) {
        long size = 1;
        for (long n : shape) {
            size *= n;
        }
        return size;
    }

    /// {@return `shape` itself, after checking that its sizes are non-negative and that its bytes fit a long} Beside
    /// a size of 0, other sizes may be arbitrarily large: there is nothing to lay out.
    public static long[] checked(String op, int elementBytes, long[] shape) {
        long bytes = elementBytes;
        boolean fits = true;
        for (long n : shape) {
            if (n < 0) {
                throw new IllegalArgumentException(op + ": negative size in shape " + text(shape));
            }
            fits &= n <= Long.MAX_VALUE / bytes;
            bytes *= fits && n > 0 ? n : 1;
        }
        if (!fits && !empty(shape)) {
            throw new IllegalArgumentException(
                    op + ": shape " + text(shape) + " has more bytes than a long can count; check its sizes");
        }
        return shape;
    }

    /// {@return whether there are no elements} If so, nothing may iterate over the other axes, which may be of any
    /// size.
    public static boolean empty(long[] shape) {
        for (long n : shape) {
            if (n == 0) {
                return true;
            }
        }
        return false;
    }

    /// {@return whether several elements share one place in memory} A view overlaps itself only by a stretched axis.
    public static boolean overlapsItself(long[] shape, long[] strides) {
        boolean stretched = false;
        for (int i = 0; i < shape.length; i++) {
            stretched |= shape[i] > 1 && strides[i] == 0;
        }
        return stretched && !empty(shape);
    }

    /// {@return row-major strides}
    public static long[] strides(long[] shape) {
        if (shape.length == 0) {
            return SCALAR;
        }
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(shape[i], 1);
        }
        return strides;
    }

    /// {@return the offset of an element, given its index in row-major order}
    public static long offset(long index, long[] shape, long[] strides) {
        long offset = 0;
        long rest = index;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            offset += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        return offset;
    }

    /// {@return the offset of the last element from the first, for a shape that is not empty}
    public static long last(long[] shape, long[] strides) {
        long last = 0;
        for (int i = 0; i < shape.length; i++) {
            last += (shape[i] - 1) * strides[i];
        }
        return last;
    }

    public static boolean contiguous(long[] shape, long[] strides) {
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] != 1 && strides[i] != stride) {
                return size(shape) == 0;
            }
            stride *= shape[i];
        }
        return true;
    }

    /// {@return the axis counted from the front; a negative `axis` counts from the back}
    public static int axis(String op, int axis, int rank) {
        int normal = axis < 0 ? axis + rank : axis;
        if (normal < 0 || normal >= rank) {
            throw new IllegalArgumentException(op + ": axis " + axis + " is out of range for a tensor of rank " + rank
                    + (rank == 0 ? " (a scalar has no axes)" : "; use " + -rank + " to " + (rank - 1)));
        }
        return normal;
    }

    /// {@return the broadcast shape by NumPy's rule: shapes are aligned at the last axis, and a missing or size-1
    /// axis stretches}
    ///
    /// https://numpy.org/doc/stable/user/basics.broadcasting.html
    public static long[] broadcast(String op, long[] a, long[] b) {
        if (Arrays.equals(a, b)) {
            return a;
        }
        long[] shape = new long[Math.max(a.length, b.length)];
        for (int i = 1; i <= shape.length; i++) {
            long m = i <= a.length ? a[a.length - i] : 1;
            long n = i <= b.length ? b[b.length - i] : 1;
            if (m != n && m != 1 && n != 1) {
                throw new IllegalArgumentException(op + ": " + text(a) + " and " + text(b) + " do not broadcast (axis "
                        + -i + ": " + m + " and " + n + ")");
            }
            shape[shape.length - i] = m == 1 ? n : m;
        }
        return shape;
    }

    /// {@return whether `from` stretches to `to` by NumPy's rule}
    public static boolean broadcasts(long[] from, long[] to) {
        if (from.length > to.length) {
            return false;
        }
        for (int i = 1; i <= from.length; i++) {
            long n = from[from.length - i];
            if (n != 1 && n != to[to.length - i]) {
                return false;
            }
        }
        return true;
    }

    /// {@return strides under which a tensor of `shape` reads as one of `to`: 0 along every stretched axis}
    public static long[] stretched(long[] shape, long[] strides, long[] to) {
        if (Arrays.equals(shape, to)) {
            return strides;
        }
        long[] result = new long[to.length];
        for (int i = 1; i <= shape.length; i++) {
            result[to.length - i] = shape[shape.length - i] == 1 ? 0 : strides[shape.length - i];
        }
        return result;
    }

    /// {@return strides under which the same elements read as `to`, or null if there are none} Follows NumPy's
    /// attempt to reshape without a copy: runs of axes that multiply to the same size are matched, and each run must
    /// itself be contiguous.
    public static long[] reshaped(long[] shape, long[] strides, long[] to) {
        if (contiguous(shape, strides)) {
            return strides(to);
        }
        long[] result = new long[to.length];
        int i = 0;
        int j = 0;
        while (i < shape.length && j < to.length) {
            int firstOld = i;
            int firstNew = j;
            long old = shape[i++];
            long now = to[j++];
            while (old != now) {
                if (old < now) {
                    old *= shape[i++];
                } else {
                    now *= to[j++];
                }
            }
            // Axes of size 1 carry no stride: they neither break a run nor end one.
            int last = -1;
            for (int axis = firstOld; axis < i; axis++) {
                if (shape[axis] == 1) {
                    continue;
                }
                if (last >= 0 && strides[last] != shape[axis] * strides[axis]) {
                    return null;
                }
                last = axis;
            }
            long stride = last < 0 ? 0 : strides[last];
            for (int axis = j - 1; axis >= firstNew; axis--) {
                result[axis] = stride;
                stride *= to[axis];
            }
        }
        return result;
    }

    /// {@return the first axis from `axis` on whose size is not 1, or the rank} Recursion over such axes goes less
    /// than 64 levels deep, since each at least doubles the number of elements.
    public static int pastOnes(long[] shape, int axis) {
        int next = axis;
        while (next < shape.length && shape[next] == 1) {
            next++;
        }
        return next;
    }

    /// {@return the shape with the marked axes at size 1}
    public static long[] kept(long[] shape, boolean[] reduced) {
        long[] kept = shape.clone();
        for (int i = 0; i < kept.length; i++) {
            if (reduced[i]) {
                kept[i] = 1;
            }
        }
        return kept;
    }

    /// {@return the shape without the marked axes}
    public static long[] dropped(long[] shape, boolean[] reduced) {
        int n = 0;
        for (boolean each : reduced) {
            n += each ? 0 : 1;
        }
        long[] result = n == 0 ? SCALAR : new long[n];
        for (int i = shape.length - 1; n > 0; i--) {
            if (!reduced[i]) {
                result[--n] = shape[i];
            }
        }
        return result;
    }

    /// {@return the shape of a reduction over the marked axes, which stay with size 1 or are dropped}
    public static long[] reduced(long[] shape, boolean[] reduced, boolean keepDims) {
        return keepDims ? kept(shape, reduced) : dropped(shape, reduced);
    }

    /// {@return the number of elements that each result of a reduction over the marked axes is made of}
    public static long reducedSize(long[] shape, boolean[] reduced) {
        long size = 1;
        for (int i = 0; i < shape.length; i++) {
            size *= reduced[i] ? shape[i] : 1;
        }
        return size;
    }

    public static String text(long[] shape) {
        return Arrays.toString(shape);
    }

    /// {@return a human-readable number of bytes: `512 B`, `4.0 KiB`, `1.5 GiB`}
    public static String bytes(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        int unit = Math.min((63 - Long.numberOfLeadingZeros(bytes)) / 10, 6);
        double value = bytes / Math.pow(1024, unit);
        return String.format(Locale.ROOT, "%.1f %ciB", value, " KMGTPE".charAt(unit));
    }

    /// Marks the axes of `to` that broadcasting from `from` stretched.
    public static boolean[] stretchedAxes(long[] from, long[] to) {
        int extra = to.length - from.length;
        boolean[] stretched = new boolean[to.length];
        for (int i = 0; i < stretched.length; i++) {
            stretched[i] = i < extra || (from[i - extra] == 1 && to[i] != 1);
        }
        return stretched;
    }

    /// {@return a copy of sizes or strides with the last two exchanged}
    public static long[] transposeLast(long[] axes) {
        long[] exchanged = axes.clone();
        exchanged[axes.length - 1] = axes[axes.length - 2];
        exchanged[axes.length - 2] = axes[axes.length - 1];
        return exchanged;
    }

    /// {@return a copy of sizes or strides without one axis}
    public static long[] without(long[] axes, int axis) {
        long[] others = Arrays.copyOf(axes, axes.length - 1);
        System.arraycopy(axes, axis + 1, others, axis, others.length - axis);
        return others;
    }

    /// {@return a copy of sizes or strides with 1 inserted before an axis}
    public static long[] withOne(long[] axes, int axis) {
        long[] more = new long[axes.length + 1];
        System.arraycopy(axes, 0, more, 0, axis);
        more[axis] = 1;
        System.arraycopy(axes, axis, more, axis + 1, axes.length - axis);
        return more;
    }
}
