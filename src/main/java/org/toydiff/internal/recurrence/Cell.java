package org.toydiff.internal.recurrence;

import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.FusedLoops;
import org.toydiff.internal.fusion.LoopProgram;
import org.toydiff.internal.kernels.Kernel;

/// The kinds of recurrent cells, with formulas, gates and their order as PyTorch's.
public enum Cell {
    /// `h = tanh(x·Wᵀ + b + h·Wᵀ + b)`
    RNN_TANH(1) {
        @Override
        LoopProgram program(Precision p, boolean padded, boolean backward) {
            return backward ? CellExpressions.rnnGradient(p, padded, false) : CellExpressions.rnn(p, padded, false);
        }
    },

    /// As [#RNN_TANH] with relu.
    RNN_RELU(1) {
        @Override
        LoopProgram program(Precision p, boolean padded, boolean backward) {
            return backward ? CellExpressions.rnnGradient(p, padded, true) : CellExpressions.rnn(p, padded, true);
        }
    },

    /// `c = σ(f)·c + σ(i)·tanh(g)`, `h = σ(o)·tanh(c)`, for gates i, f, g and o that are sums of two products.
    LSTM(4) {
        @Override
        LoopProgram program(Precision p, boolean padded, boolean backward) {
            return backward ? CellExpressions.lstmGradient(p, padded) : CellExpressions.lstm(p, padded);
        }
    },

    /// `h = (1 − z)·n + z·h` with `n = tanh(nₓ + r·nₕ)`, where nₓ and nₕ are the products of the input and of h, and
    /// r and z are the logistic function of the sums of theirs.
    GRU(3) {
        @Override
        LoopProgram program(Precision p, boolean padded, boolean backward) {
            return backward ? CellExpressions.gruGradient(p, padded) : CellExpressions.gru(p, padded);
        }
    };

    /// The number of gates, each of which has as many rows in the weights as there are hidden units.
    public final int gates;

    /// By precision, padding and direction, created on first use.
    private final Kernel.Fused[] loops = new Kernel.Fused[8];

    Cell(int gates) {
        this.gates = gates;
    }

    /// {@return the computation of a step for each hidden unit}
    abstract LoopProgram program(Precision p, boolean padded, boolean backward);

    /// {@return whether it is one of the two without gates}
    public boolean isPlain() {
        return gates == 1;
    }

    /// {@return the loop of a step; the operand that is read last, where there is padding, is one byte for each row}
    synchronized Kernel.Fused loop(boolean wide, boolean padded, boolean backward) {
        int at = (wide ? 4 : 0) | (padded ? 2 : 0) | (backward ? 1 : 0);
        if (loops[at] == null) {
            LoopProgram program = program(wide ? Precision.FLOAT64 : Precision.FLOAT32, padded, backward);
            long[] steps = new long[program.operandCount()];
            for (int k = 0; k < steps.length; k++) {
                steps[k] = padded && k == program.inputs().size() - 1 ? 0 : 1;
            }
            loops[at] = FusedLoops.create(program, steps);
        }
        return loops[at];
    }
}
