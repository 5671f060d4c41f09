package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Arrays;
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

    /// A launch whose first operand may be computed by an [org.toydiff.internal.launch.ElementSource], or whose result
    /// may be taken by an [org.toydiff.internal.launch.ElementSink]: a reduction, normalisation, softmax or dropout.
    ///
    /// @param x that operand; null if the launch needs it in memory
    /// @param y the result; null if the launch writes it to memory only
    /// @param aligned operands of the size of y, and contiguous as it is: when elements of y are taken, the launch has
    ///     no more need of these elements, as of those of x, which is not among them
    /// @param reads the blocks that it reads besides
    /// @param writes the blocks that it writes, that of y among them
    record Streamed(Matrix x, Matrix y, List<BlockView> aligned, Set<Integer> reads, Set<Integer> writes)
            implements RecordedLaunch {
        /// {@return whether the launch reads a block as another operand than x}
        boolean readsElsewhere(int block) {
            return reads.contains(block) || aligned.stream().anyMatch(view -> view.block() == block);
        }
    }

    /// A contiguous operand.
    ///
    /// @param view the operand as a matrix of those sizes
    record Matrix(BlockView view, long rows, long columns) {
        /// {@return an operand of any shape as a matrix, or null if it is not contiguous, is empty, or `columns` is 0}
        public static Matrix of(BlockView view, long[] shape, long columns) {
            if (columns == 0 || Shape.empty(shape) || !Shape.contiguous(shape, view.strides())) {
                return null;
            }
            long rows = Shape.size(shape) / columns;
            return new Matrix(view.reshaped(shape, new long[] {rows, columns}), rows, columns);
        }

        int block() {
            return view.block();
        }

        long[] shape() {
            return new long[] {rows, columns};
        }
    }

    /// Any other launch, of which only the blocks are known that it reads and writes.
    record Other(Set<Integer> reads, Set<Integer> writes) implements RecordedLaunch {}
}
