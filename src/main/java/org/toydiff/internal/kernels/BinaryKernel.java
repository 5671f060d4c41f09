package org.toydiff.internal.kernels;

import java.util.Locale;

/// The elementwise kernels of two operands. What each does is the method of its name in [FloatOps] and
/// [FloatVectorOps]; comparisons write bytes of 0 or 1.
public enum BinaryKernel {
    ADD,
    ADD_RELU,
    ADD_SIGMOID,
    ADD_TANH,
    DIVIDE,
    EQUAL_TO(true),
    GREATER(true),
    GREATER_OR_EQUAL(true),
    LESS(true),
    LESS_OR_EQUAL(true),
    MAXIMUM,
    MAXIMUM_SHARE,
    MINIMUM,
    MULTIPLY,
    POWER,
    RELU_GRADIENT,
    SHARED,
    SIGMOID_GRADIENT,
    SUBTRACT,
    TANH_GRADIENT;

    private final boolean comparison;
    private volatile Kernel.Binary float32;
    private volatile Kernel.Binary float64;

    /// By the logarithm of their size. Two threads may each make one; they are alike.
    private final Kernel.Binary[] whole = new Kernel.Binary[4];

    BinaryKernel() {
        this(false);
    }

    BinaryKernel(boolean comparison) {
        this.comparison = comparison;
    }

    /// The kernel for FLOAT32 or FLOAT64 (`wide`), made when it is first asked for.
    public Kernel.Binary of(boolean wide) {
        Kernel.Binary kernel = wide ? float64 : float32;
        return kernel != null ? kernel : make(wide);
    }

    private synchronized Kernel.Binary make(boolean wide) {
        String op = method(this);
        Kernel.Binary kernel = comparison ? Kernels.comparison(op, wide) : Kernels.binary(op, wide);
        if (wide) {
            float64 = kernel;
        } else {
            float32 = kernel;
        }
        return kernel;
    }

    /// A comparison's kernel for whole numbers of `bytes` bytes.
    public Kernel.Binary ofWhole(int bytes) {
        int at = Integer.numberOfTrailingZeros(bytes);
        if (whole[at] == null) {
            whole[at] = Kernels.wholeComparison(method(this), bytes);
        }
        return whole[at];
    }

    /// `GREATER_OR_EQUAL` is the method `greaterOrEqual`.
    static String method(Enum<?> constant) {
        String[] words = constant.name().toLowerCase(Locale.ROOT).split("_");
        var name = new StringBuilder(words[0]);
        for (int i = 1; i < words.length; i++) {
            name.append(Character.toUpperCase(words[i].charAt(0))).append(words[i].substring(1));
        }
        return name.toString();
    }
}
