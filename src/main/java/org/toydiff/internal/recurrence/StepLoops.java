package org.toydiff.internal.recurrence;

import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.FusedLoops;
import org.toydiff.internal.fusion.LoopProgram;
import org.toydiff.internal.kernels.Kernel;

/// The loops of one computation of each step, created on first use.
final class StepLoops {
    /// The computation for each element.
    @FunctionalInterface
    interface Definition {
        LoopProgram program(Precision p, boolean padded, boolean backward);
    }

    private final Definition definition;

    /// By precision, padding and direction.
    private final Kernel.Fused[] loops = new Kernel.Fused[8];

    StepLoops(Definition definition) {
        this.definition = definition;
    }

    /// {@return the loop; the operand that is read last, where there is padding, is one byte for each row}
    synchronized Kernel.Fused get(boolean wide, boolean padded, boolean backward) {
        int at = (wide ? 4 : 0) | (padded ? 2 : 0) | (backward ? 1 : 0);
        if (loops[at] == null) {
            LoopProgram program = definition.program(wide ? Precision.FLOAT64 : Precision.FLOAT32, padded, backward);
            long[] steps = new long[program.operandCount()];
            for (int k = 0; k < steps.length; k++) {
                steps[k] = padded && k == program.inputs().size() - 1 ? 0 : 1;
            }
            loops[at] = FusedLoops.create(program, steps);
        }
        return loops[at];
    }
}
