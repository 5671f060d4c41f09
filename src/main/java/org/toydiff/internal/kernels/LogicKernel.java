package org.toydiff.internal.kernels;

import java.util.function.BinaryOperator;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Precision;

/// Elementwise kernels of two truth values, bytes of 0 or 1. In comparisons, false is less than true.
public enum LogicKernel {
    AND(Condition::and),
    OR(Condition::or),
    XOR(Condition::xor),
    EQUAL_TO((a, b) -> a.xor(b).not()),
    NOT_EQUAL_TO(Condition::xor),
    GREATER((a, b) -> a.and(b.not())),
    GREATER_OR_EQUAL((a, b) -> a.or(b.not())),
    LESS((a, b) -> a.not().and(b)),
    LESS_OR_EQUAL((a, b) -> a.not().or(b));

    private final BinaryOperator<Condition> expression;
    private volatile Kernel.Binary kernel;

    LogicKernel(BinaryOperator<Condition> expression) {
        this.expression = expression;
    }

    /// {@return the kernel of a comparison of truth values}
    public static LogicKernel of(BinaryKernel comparison) {
        return valueOf(comparison.name());
    }

    /// {@return the kernel, created on first use} Two threads may each create one; the two are equivalent.
    public Kernel.Binary kernel() {
        if (kernel == null) {
            Precision p = Element.BOOL.precision();
            kernel = Kernels.binary(BinaryKernel.method(this) + "Bool", expression.apply(p.mask(0), p.mask(1)));
        }
        return kernel;
    }
}
