package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Tensor;

/// Flattens a range of axes into one.
///
/// **Shapes** `[n, a, b, …] → [n, a·b·…]` by default. The result is a view where the strides allow it.
public final class Flatten extends Layer {
    private final int start;
    private final int end;

    /// Creates a layer that flattens all axes but the first.
    public Flatten() {
        this(1, -1);
    }

    /// Creates a layer that flattens the axes from `start` to `end`, both included.
    ///
    /// @param start the first axis; negative ones count from the back
    /// @param end the last axis; negative ones count from the back
    public Flatten(int start, int end) {
        this.start = start;
        this.end = end;
    }

    @Override
    protected Tensor compute(Tensor x) {
        long[] shape = x.shape();
        int first = start < 0 ? start + shape.length : start;
        int last = end < 0 ? end + shape.length : end;
        if (first < 0 || last >= shape.length || first > last) {
            throw new IllegalArgumentException(
                    "Flatten: axes " + start + " to " + end + " are not in " + Arrays.toString(shape));
        }
        long[] flat = new long[shape.length - (last - first)];
        System.arraycopy(shape, 0, flat, 0, first);
        flat[first] = 1;
        for (int i = first; i <= last; i++) {
            flat[first] *= shape[i];
        }
        System.arraycopy(shape, last + 1, flat, first + 1, shape.length - 1 - last);
        return x.reshape(flat);
    }

    @Override
    public String toString() {
        return "Flatten(start=" + start + ", end=" + end + ")";
    }
}
