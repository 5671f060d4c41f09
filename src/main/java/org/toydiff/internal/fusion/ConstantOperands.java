package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.LoopProgram.Constant;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;

/// Puts numbers in place of operands whose elements a launch has set to one number: by a fill, or by arithmetic on such
/// numbers alone, as the gradient of a mean over n elements is 1/n. Launches whose results nobody reads any more are
/// left out.
final class ConstantOperands {
    /// The last write of each block, where that made its elements a number.
    private final Map<Integer, Fill> fills = new HashMap<>();

    /// The places of launches that others need.
    private final Set<Integer> read = new HashSet<>();

    private final Set<Integer> unread = new HashSet<>();

    /// A launch that sets elements to a number.
    private record Fill(int place, BlockView view, long[] shape, Constant value) {
        boolean covers(BlockView other, long[] otherShape) {
            return view.element() == other.element()
                    && other.offset() >= view.offset()
                    && other.offset() + extent(otherShape, other.strides())
                            <= view.offset() + extent(shape, view.strides());
        }

        boolean isOf(Precision precision) {
            return value.expression().precision() == precision;
        }

        /// {@return the distance between the first and the last element}
        private static long extent(long[] shape, long[] strides) {
            return IntStream.range(0, shape.length)
                    .mapToLong(axis -> (shape[axis] - 1) * strides[axis])
                    .sum();
        }

        boolean isOverwrittenBy(Elementwise launch) {
            return Arrays.equals(shape, launch.shape()) && launch.output().isSame(view, shape);
        }
    }

    private ConstantOperands() {}

    /// {@return the launches that are needed, each a group of its own}
    ///
    /// @param kept the blocks whose contents are needed after the last launch
    static List<LaunchGroup> inline(List<? extends RecordedLaunch> launches, Set<Integer> kept) {
        var operands = new ConstantOperands();
        List<LaunchGroup> groups = new ArrayList<>();
        for (int i = 0; i < launches.size(); i++) {
            groups.add(operands.next(i, launches.get(i)));
        }
        operands.fills.forEach((block, fill) -> operands.drop(fill, kept.contains(block)));
        groups.removeIf(group -> operands.unread.contains(group.launches.getFirst()));
        return groups;
    }

    private LaunchGroup next(int place, RecordedLaunch launch) {
        RecordedLaunch inlined =
                launch instanceof Elementwise each && LaunchGroup.isSound(each) ? inlined(each) : launch;
        LaunchGroup group = LaunchGroup.of(place, inlined);
        for (int block : group.reads) {
            Fill fill = fills.get(block);
            if (fill != null) {
                read.add(fill.place);
            }
        }
        for (int block : group.writes) {
            Fill fill = fills.remove(block);
            if (fill != null) {
                drop(fill, !(inlined instanceof Elementwise each && fill.isOverwrittenBy(each)));
            }
        }
        if (inlined instanceof Elementwise each && LaunchGroup.isSound(each)) {
            Constant value = value(each);
            if (value != null) {
                fills.put(each.output().block(), new Fill(place, each.output(), each.shape(), value));
            }
        }
        return group;
    }

    /// Leaves a launch out unless its elements are read by another, or needed otherwise.
    private void drop(Fill fill, boolean needed) {
        if (!needed && !read.contains(fill.place)) {
            unread.add(fill.place);
        }
    }

    /// {@return the launch with numbers in place of operands that are known}
    private Elementwise inlined(Elementwise launch) {
        List<BlockView> inputs = new ArrayList<>();
        Map<Integer, Constant> constants = new HashMap<>();
        for (int operand = 0; operand < launch.inputs().size(); operand++) {
            BlockView view = launch.inputs().get(operand);
            Fill fill = fills.get(view.block());
            if (fill != null
                    && fill.covers(view, launch.shape())
                    && fill.isOf(launch.expression().precision())) {
                constants.put(operand, fill.value);
            } else {
                inputs.add(view);
            }
        }
        return new Elementwise(
                launch.kernel(), launch.expression(), inputs, constants, launch.output(), launch.shape());
    }

    /// {@return the number to which a launch sets all elements, or null if it is not one}
    private static Constant value(Elementwise launch) {
        boolean converts =
                launch.output().element().precision() != launch.expression().precision();
        if (!launch.inputs().isEmpty() || converts) {
            return null;
        }
        if (launch.isFill()) {
            return new Constant(launch.kernel(), launch.expression());
        }
        List<Expression> operands = IntStream.range(0, launch.operandCount())
                .mapToObj(operand -> launch.constants().get(operand).expression())
                .toList();
        Expression result = launch.expression().substitute(operands);
        return result.isConstant() ? Constant.of(result) : null;
    }
}
