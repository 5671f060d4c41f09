package org.toydiff.bench.peer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.function.Supplier;

/// One elementwise op or reduction of DJL, whose new result is closed at once.
public final class DjlElementwise implements AutoCloseable {
    private final NDManager manager = DjlOperands.manager();
    private final NDArray a;
    private final NDArray b;
    private final Supplier<NDArray> call;

    /// Prepares an op on numbers in [0, 1).
    ///
    /// @param op `exp`, `tanh`, `add` or `sum`
    /// @param elements the number of elements of each operand
    public DjlElementwise(String op, long elements) {
        a = DjlOperands.inputs(manager, elements);
        b = DjlOperands.inputs(manager, elements);
        call = switch (op) {
            case "exp" -> a::exp;
            case "tanh" -> a::tanh;
            case "add" -> () -> a.add(b);
            case "sum" -> a::sum;
            default -> throw new IllegalArgumentException(op + " is not one of exp, tanh, add, sum");
        };
    }

    /// Runs the op once.
    public void run() {
        call.get().close();
    }

    @Override
    public void close() {
        manager.close();
    }
}
