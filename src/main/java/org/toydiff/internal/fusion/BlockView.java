package org.toydiff.internal.fusion;

import java.util.Arrays;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.launch.Shape;

/// Elements of a block of memory, as an operand of a launch sees them. Blocks do not overlap.
///
/// @param block the number of the block
/// @param element the type of the elements
/// @param offset the place of the first element, in elements
/// @param strides the strides, in elements, under which the block reads as the launch's shape; 0 along an axis that
///     repeats elements
public record BlockView(int block, Element element, long offset, long[] strides) {
    /// {@return whether both views have the same elements at the same positions of a shape}
    boolean isSame(BlockView other, long[] shape) {
        return block == other.block && element == other.element && isAt(other, shape);
    }

    /// {@return whether both views have their elements at the same bytes of their blocks}
    public boolean isLike(BlockView other, long[] shape) {
        return element.bytes == other.element.bytes && isAt(other, shape);
    }

    private boolean isAt(BlockView other, long[] shape) {
        if (offset != other.offset) {
            return false;
        }
        for (int axis = 0; axis < shape.length; axis++) {
            if (shape[axis] != 1 && strides[axis] != other.strides[axis]) {
                return false;
            }
        }
        return true;
    }

    /// {@return the same elements in row-major order as another shape, or null if no strides express that}
    BlockView reshaped(long[] from, long[] to) {
        long[] other = Arrays.equals(from, to) ? strides : Shape.reshaped(from, strides, to);
        return other == null ? null : new BlockView(block, element, offset, other);
    }
}
