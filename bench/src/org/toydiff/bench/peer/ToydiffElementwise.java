package org.toydiff.bench.peer;

import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// One elementwise op or reduction of toydiff, whose result takes a recycled block of an arena opened for it.
public final class ToydiffElementwise implements AutoCloseable {
    private final TensorArena arena = TensorArena.ofConfined();
    private final Tensor a;
    private final Tensor b;
    private final Runnable call;

    /// Prepares an op on numbers in [0, 1).
    ///
    /// @param op `exp`, `tanh`, `add` or `sum`
    /// @param elements the number of elements of each operand
    public ToydiffElementwise(String op, long elements) {
        a = operand(elements);
        b = operand(elements);
        call = switch (op) {
            case "exp" -> () -> a.exp();
            case "tanh" -> () -> a.tanh();
            case "add" -> () -> a.add(b);
            case "sum" -> () -> a.sum();
            default -> throw new IllegalArgumentException(op + " is not one of exp, tanh, add, sum");
        };
    }

    private static Tensor operand(long elements) {
        Tensor operand = Tensor.empty(elements);
        StartingNumbers.writeInputs(operand.segment(), elements);
        return operand;
    }

    /// Runs the op once.
    public void run() {
        try (var result = TensorArena.ofConfined()) {
            call.run();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
