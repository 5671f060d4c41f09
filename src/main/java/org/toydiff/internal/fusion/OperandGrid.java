package org.toydiff.internal.fusion;

import java.util.Arrays;
import java.util.List;

/// The layout of several operands as a grid of rows and columns under outer axes.
///
/// Axes that are contiguous with each other in every operand are merged, as in
/// [org.toydiff.internal.launch.ElementWork]: contiguous operands are one row, whatever their rank.
final class OperandGrid {
    /// Rows of so many elements cost no more per element than longer ones.
    private static final int LONG_ROW = 64;

    /// The sizes of the outer axes.
    final long[] outer;

    /// Their strides, by axis and operand.
    final long[][] outerSteps;

    final long rows;
    final long columns;

    /// By operand, as in [org.toydiff.internal.kernels.Kernel.Fused].
    final long[] rowSteps;

    final long[] steps;

    private OperandGrid(long[] outer, long[][] outerSteps, Axis rows, Axis columns) {
        this.outer = outer;
        this.outerSteps = outerSteps;
        this.rows = rows.size;
        this.columns = columns.size;
        rowSteps = rows.steps;
        steps = columns.steps;
    }

    /// Adjacent axes as one: their size, and each operand's step.
    private record Axis(long size, long[] steps) {
        /// {@return whether a step along an outer axis equals all steps along this one, for every operand}
        boolean continues(long[] outerSteps) {
            for (int k = 0; k < steps.length; k++) {
                if (outerSteps[k] != size * steps[k]) {
                    return false;
                }
            }
            return true;
        }
    }

    /// {@return whether a loop over the other grid, which has the same elements, runs as well: over vectors if this one
    /// does, and on rows that are not shorter unless they are long}
    boolean isNoBetterThan(OperandGrid other) {
        boolean vectors = Columns.adjacent(Columns.of(other.steps)) || !Columns.adjacent(Columns.of(steps));
        return vectors && other.columns >= Math.min(LONG_ROW, columns);
    }

    /// {@return the grid of operands of this shape}
    static OperandGrid of(long[] shape, List<BlockView> operands) {
        Axis[] axes = new Axis[shape.length + 2];
        int count = 0;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] == 1) {
                continue;
            }
            int axis = i;
            long[] steps = operands.stream()
                    .mapToLong(operand -> operand.strides()[axis])
                    .toArray();
            if (count > 0 && axes[count - 1].continues(steps)) {
                Axis inner = axes[count - 1];
                axes[count - 1] = new Axis(inner.size * shape[i], inner.steps);
            } else {
                axes[count++] = new Axis(shape[i], steps);
            }
        }
        long[] ones = new long[operands.size()];
        Arrays.fill(ones, 1);
        Axis columns = count > 0 ? axes[0] : new Axis(1, ones);
        Axis rows = count > 1 ? axes[1] : new Axis(1, new long[operands.size()]);
        int outer = Math.max(0, count - 2);
        long[] sizes = new long[outer];
        long[][] steps = new long[outer][];
        for (int i = 0; i < outer; i++) {
            sizes[i] = axes[count - 1 - i].size;
            steps[i] = axes[count - 1 - i].steps;
        }
        return new OperandGrid(sizes, steps, rows, columns);
    }
}
