package org.toydiff.internal.kernels;

import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.Hypotenuse;
import org.toydiff.internal.arithmetic.InverseTrigonometry;
import org.toydiff.internal.arithmetic.Power;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.Remainder;

/// Elementwise kernels of two operands, and the expression that each computes. Comparisons write bytes of 0 or 1.
public enum BinaryKernel {
    ADD(Real::add),
    ADD_RELU((a, b) -> Activations.relu(a.add(b))),
    ADD_SIGMOID((a, b) -> Exponential.sigmoid(a.add(b))),
    ADD_TANH((a, b) -> Hyperbolic.tanh(a.add(b))),
    ATAN2(InverseTrigonometry::atan2),

    /// A score of attention, and −∞ where the second operand, a mask, says that the key takes no part.
    ATTENDED(p -> p.mask(1).select(p.input(0), p.constant(Double.NEGATIVE_INFINITY))),
    DIVIDE(Real::divide),
    ELU(Activations::elu),
    ELU_SLOPE(Activations::eluSlope),
    EQUAL_TO(Real::equalTo),
    FLOOR_DIVIDE(Remainder::floorDivide),
    FMOD(Remainder::fmod),
    GELU_GRADIENT(Activations::geluGradient),
    GELU_TANH_GRADIENT(Activations::geluTanhGradient),
    GREATER(Real::greater),
    GREATER_OR_EQUAL(Real::greaterOrEqual),
    HARDSWISH_GRADIENT(Activations::hardswishGradient),
    HYPOT(Hypotenuse::hypot),
    LESS(Real::less),
    LESS_OR_EQUAL(Real::lessOrEqual),
    MAXIMUM(Real::max),
    MAXIMUM_SHARE(BinaryKernel::maximumShare),
    MINIMUM(Real::min),
    MISH_GRADIENT(Activations::mishGradient),
    MULTIPLY(Real::multiply),
    NOT_EQUAL_TO(Real::notEqualTo),
    POWER(Power::power),
    RELU_GRADIENT(Activations::reluGradient),
    REMAINDER(Remainder::remainder),
    SHARED(BinaryKernel::shared),
    SIGMOID_GRADIENT(Activations::sigmoidGradient),
    SUBTRACT(Real::subtract),
    TANH_GRADIENT(Activations::tanhGradient),

    /// The second operand is a mask.
    ZERO_WHERE(p -> p.mask(1).select(p.constant(0), p.input(0)));

    private final PerPrecision<Kernel.Binary> kernel;
    private final Function<Precision, Expression> expression;

    BinaryKernel(Function<Precision, Expression> expression) {
        kernel = new PerPrecision<>(p -> Kernels.binary(Kernels.name(this, p), expression.apply(p)));
        this.expression = expression;
    }

    BinaryKernel(BiFunction<Real, Real, Expression> expression) {
        this(p -> expression.apply(p.input(0), p.input(1)));
    }

    /// {@return the share of maximum's gradient that goes to a: 1 where a is larger, ½ where both are equal, else 0}
    private static Real maximumShare(Real a, Real b) {
        Precision p = a.precision();
        return a.less(b).select(p.constant(0), a.equalTo(b).select(p.constant(0.5), p.constant(1)));
    }

    /// {@return `g·share`, and 0 where the share is 0, even for an infinite g}
    private static Real shared(Real g, Real share) {
        Real zero = g.precision().constant(0);
        return share.equalTo(zero).select(zero, g.multiply(share));
    }

    /// {@return whether the results are truth values}
    public boolean isTest() {
        return expression.apply(Precision.FLOAT32) instanceof Condition;
    }

    /// {@return whether the second operand is a mask}
    public boolean takesMask() {
        return Graph.of(List.of(expression.apply(Precision.FLOAT32))).isMask(1);
    }

    /// {@return the kernel for FLOAT32 or FLOAT64 (`wide`), created on first use}
    public Kernel.Binary of(boolean wide) {
        return kernel.of(wide);
    }

    /// {@return the name of the method for a constant: `greaterOrEqual` for `GREATER_OR_EQUAL`}
    static String method(Enum<?> constant) {
        String[] words = constant.name().toLowerCase(Locale.ROOT).split("_");
        var name = new StringBuilder(words[0]);
        for (int i = 1; i < words.length; i++) {
            name.append(Character.toUpperCase(words[i].charAt(0))).append(words[i].substring(1));
        }
        return name.toString();
    }
}
