package org.toydiff.internal.recurrence;

import org.toydiff.internal.arithmetic.Precision;
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
            return backward ? CellExpressions.lstmGradient(p, padded, false) : CellExpressions.lstm(p, padded, false);
        }
    },

    /// As [#LSTM], with `h = W·(σ(o)·tanh(c))`: a step ends with a product of its own, and its cell with the factor.
    PROJECTED_LSTM(4) {
        @Override
        LoopProgram program(Precision p, boolean padded, boolean backward) {
            return backward ? CellExpressions.lstmGradient(p, padded, true) : CellExpressions.lstm(p, padded, true);
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

    private final StepLoops loops = new StepLoops(this::program);

    Cell(int gates) {
        this.gates = gates;
    }

    /// {@return the computation of a step for each hidden unit}
    abstract LoopProgram program(Precision p, boolean padded, boolean backward);

    /// {@return whether it is one of the two without gates}
    public boolean isPlain() {
        return gates == 1;
    }

    /// {@return whether it has a second state, c}
    public boolean isLstm() {
        return this == LSTM || this == PROJECTED_LSTM;
    }

    /// {@return the loop of a step; the operand that is read last, where there is padding, is one byte for each row}
    Kernel.Fused loop(boolean wide, boolean padded, boolean backward) {
        return loops.get(wide, padded, backward);
    }
}
