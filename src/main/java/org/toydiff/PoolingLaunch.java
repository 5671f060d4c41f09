package org.toydiff;

import static org.toydiff.Launch.memory;

import org.toydiff.internal.pooling.PoolingWork;
import org.toydiff.internal.pooling.PoolingWork.Pass;
import org.toydiff.internal.pooling.Windows;

/// Where passes over windows start. Shapes are already checked and outputs made, contiguous.
final class PoolingLaunch {
    private PoolingLaunch() {}

    /// Runs a pass over windows along the last axes.
    ///
    /// @param layout as in [PoolingWork#windows]
    /// @param axes the number of axes, 1 or 2
    /// @param x the elements in windows, or null where the pass does not read them
    /// @param b the second operand, or null
    static void run(Pass pass, Windows.Kind kind, long[] layout, int axes, Tensor x, Tensor b, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        PoolingWork work = scope.pooling;
        long[] input = x == null ? y.shape : x.shape;
        int last = input.length - 1;
        long h = axes == 2 ? input[last - 1] : 1;
        work.windows(kind, h, input[last], layout);
        if (x != null) {
            work.x(memory(x), x.offset, x.shape, x.strides, axes);
        }
        if (b != null) {
            work.b(memory(b), b.offset, b.shape, b.strides, axes);
        }
        long planes = 1;
        for (int i = 0; i < y.rank() - axes; i++) {
            planes *= y.shape[i];
        }
        work.run(pass, y.isWide(), planes, memory(y), y.offset);
        if (scope.recorder != null) {
            scope.recorder.keep(
                    y.storage.op, x, b, y, (from, with, to) -> run(pass, kind, layout, axes, from, with, to));
        }
    }
}
