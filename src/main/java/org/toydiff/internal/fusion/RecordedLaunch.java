package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.kernels.Kernels;

/// A launch, as the [Fuser] needs to know it.
public sealed interface RecordedLaunch {
    /// An elementwise kernel.
    ///
    /// @param kernel its name
    /// @param expression the computation
    /// @param inputs the operands that it reads, as many as the expression has
    /// @param output the operand that it writes
    /// @param shape the shape of all operands
    record Elementwise(String kernel, Expression expression, List<BlockView> inputs, BlockView output, long[] shape)
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
            return new Elementwise(formula.name(), formula.expression(), List.copyOf(read), output, shape);
        }
    }

    /// Any other launch, of which only the blocks are known that it reads and writes.
    record Other(Set<Integer> reads, Set<Integer> writes) implements RecordedLaunch {}
}
