package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.fusion.LoopProgram.Constant;
import org.toydiff.internal.kernels.Kernels;
import org.toydiff.internal.launch.Shape;

/// A launch, as the [Fuser] needs to know it.
public sealed interface RecordedLaunch {
    /// An elementwise kernel. Its operands are the inputs in order and, where they have a place, the constants.
    ///
    /// @param kernel its name
    /// @param expression the computation
    /// @param inputs the operands that it reads
    /// @param constants the operands that are numbers, by place
    /// @param output the operand that it writes
    /// @param shape the shape of all operands
    record Elementwise(
            String kernel,
            Expression expression,
            List<BlockView> inputs,
            Map<Integer, Constant> constants,
            BlockView output,
            long[] shape)
            implements RecordedLaunch {
        /// {@return the launch of a kernel, or null if no expression describes it}
        ///
        /// @param kernel a [org.toydiff.internal.kernels.Kernel.Unary] or `Binary`
        /// @param inputs the kernel's operands
        public static Elementwise of(Object kernel, List<BlockView> inputs, BlockView output, long[] shape) {
            Kernels.Formula formula = Kernels.formula(kernel);
            if (formula == null) {
                return null;
            }
            List<BlockView> read = new ArrayList<>(inputs);
            int[] operands = Graph.of(List.of(formula.expression())).inputs();
            if (Arrays.stream(operands).anyMatch(operand -> operand == inputs.size())) {
                read.add(output);
            }
            return new Elementwise(formula.name(), formula.expression(), List.copyOf(read), Map.of(), output, shape);
        }

        /// {@return the launch that sets all elements to a number, or null if no expression is such an element}
        public static Elementwise fill(double value, BlockView output, long[] shape) {
            Constant constant = Constant.of(output.element(), value);
            return constant == null
                    ? null
                    : new Elementwise(constant.text(), constant.expression(), List.of(), Map.of(), output, shape);
        }

        /// {@return the number of operands}
        int operandCount() {
            return inputs.size() + constants.size();
        }

        /// {@return whether this launch reads nothing and has no constants, because its expression is one}
        boolean isFill() {
            return operandCount() == 0;
        }
    }

    /// A launch that can read its first operand from an [org.toydiff.internal.launch.ElementSource]: a reduction, or
    /// softmax.
    ///
    /// @param x that operand, contiguous as a matrix of those sizes
    /// @param reads the blocks that it reads besides
    record Consumer(BlockView x, long rows, long columns, Set<Integer> reads, Set<Integer> writes)
            implements RecordedLaunch {
        /// {@return the shape of x}
        long[] shape() {
            return new long[] {rows, columns};
        }
    }

    /// {@return a launch that can read its first operand from a source, or any other if that operand does not lie as a
    /// source computes it}
    ///
    /// @param x that operand
    /// @param shape its shape
    /// @param columns the columns of the matrix as which the launch asks for x, or 0 if it does not
    /// @param reads the blocks that the launch reads besides
    static RecordedLaunch consumer(BlockView x, long[] shape, long columns, Set<Integer> reads, Set<Integer> writes) {
        if (columns == 0 || Shape.empty(shape) || !Shape.contiguous(shape, x.strides())) {
            Set<Integer> all = new HashSet<>(reads);
            all.add(x.block());
            return new Other(all, writes);
        }
        long rows = Shape.size(shape) / columns;
        return new Consumer(x.reshaped(shape, new long[] {rows, columns}), rows, columns, reads, writes);
    }

    /// Any other launch, of which only the blocks are known that it reads and writes.
    record Other(Set<Integer> reads, Set<Integer> writes) implements RecordedLaunch {}
}
