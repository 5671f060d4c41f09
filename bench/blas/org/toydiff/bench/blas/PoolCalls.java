package org.toydiff.bench.blas;

import java.lang.foreign.MemorySegment;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The same products by `Tensor.matmul`, the path of every product in a training step: it plans how toydiff's threads
/// share one.
///
/// Each result takes a recycled block of an arena opened for it, as in a training step.
final class PoolCalls implements Calls.Loop, AutoCloseable {
    private final Operands operands;
    private final TensorArena arena = TensorArena.ofConfined();
    private final Tensor a;
    private final Tensor b;

    /// Wraps the operands of a product.
    PoolCalls(Operands operands) {
        this.operands = operands;
        a = tensor(0);
        b = tensor(1);
    }

    private Tensor tensor(int operand) {
        Problem problem = operands.problem;
        Routine.Shape shape = problem.routine().operands(problem).get(operand);
        DType dtype = problem.wide() ? DType.FLOAT64 : DType.FLOAT32;
        MemorySegment memory = operands.segment(operand);
        if (problem.routine() == Routine.DOT || problem.routine() == Routine.GEMV && operand == 1) {
            return Tensor.wrap(memory, dtype, shape.columns());
        }
        Tensor plain = problem.batch() == 1
                ? Tensor.wrap(memory, dtype, shape.rows(), operands.ld(operand)).slice(1, 0, shape.columns())
                : Tensor.wrap(memory, dtype, shape.count(), shape.rows(), operands.ld(operand))
                        .slice(2, 0, shape.columns());
        return problem.transposed(operand) ? transposed(plain) : plain;
    }

    private static Tensor transposed(Tensor x) {
        return x.rank() == 2 ? x.transpose() : x.transpose(0, 2, 1);
    }

    @Override
    public void run(int calls) {
        for (int i = 0; i < calls; i++) {
            try (var result = TensorArena.ofConfined()) {
                a.matmul(b);
            }
        }
    }

    /// Computes one product and copies it to the result of the other calls.
    void runOnce() {
        try (var result = TensorArena.ofConfined()) {
            Tensor c = a.matmul(b);
            NumberFormat precision = operands.problem.precision();
            if (operands.problem.routine().isScalar()) {
                operands.scalar = precision.get(c.segment(), 0);
                return;
            }
            for (int index = 0; index < operands.problem.batch(); index++) {
                Matrix to = operands.matrix(operands.problem.routine().results().getFirst(), index);
                var from = new Matrix(
                        c.segment(),
                        precision,
                        to.rows(),
                        to.columns(),
                        index * to.rows() * to.columns(),
                        to.columns(),
                        1);
                for (long i = 0; i < to.rows(); i++) {
                    for (long j = 0; j < to.columns(); j++) {
                        to.set(i, j, from.get(i, j));
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
