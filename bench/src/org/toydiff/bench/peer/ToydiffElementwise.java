package org.toydiff.bench.peer;

import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// One elementwise op or reduction of toydiff, its result in a recycled block of an arena that is opened for it.
public final class ToydiffElementwise implements AutoCloseable {
    private final TensorArena arena = TensorArena.ofConfined();
    private final Tensor a;
    private final Tensor b;
    private final Runnable call;

    /// An op on numbers in [0, 1).
    ///
    /// @param op `exp`, `tanh`, `add` or `sum`
    /// @param elements elements of each operand
    public ToydiffElementwise(String op, long elements) {
        a = operand(elements);
        b = operand(elements);
        call = switch (op) {
            case "exp" -> () -> a.exp();
            case "tanh" -> () -> a.tanh();
            case "add" -> () -> a.add(b);
            case "sum" -> () -> a.sum();
            default -> throw new IllegalArgumentException(op + " is none of exp, tanh, add, sum");
        };
    }

    private static Tensor operand(long elements) {
        Tensor operand = Tensor.empty(elements);
        StartingNumbers.writeInputs(operand.segment(), elements);
        return operand;
    }

    /// The op once.
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
