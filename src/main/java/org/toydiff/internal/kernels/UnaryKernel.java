package org.toydiff.internal.kernels;

/// The elementwise kernels of one operand. What each does is the method of its name in [FloatOps] and
/// [FloatVectorOps].
public enum UnaryKernel {
    ABS,
    COS,
    COSH,
    ERF,
    EXP,
    LOG,
    LOG1P,
    NEGATIVE,
    RECIPROCAL,
    RELU,
    SIGMOID,
    SIGN,
    SIN,
    SINH,
    SQRT,
    TAN,
    TANH;

    private volatile Kernel.Unary float32;
    private volatile Kernel.Unary float64;

    /// The kernel for FLOAT32 or FLOAT64 (`wide`), made when it is first asked for.
    public Kernel.Unary of(boolean wide) {
        Kernel.Unary kernel = wide ? float64 : float32;
        return kernel != null ? kernel : make(wide);
    }

    private synchronized Kernel.Unary make(boolean wide) {
        Kernel.Unary kernel = Kernels.unary(BinaryKernel.method(this), wide);
        if (wide) {
            float64 = kernel;
        } else {
            float32 = kernel;
        }
        return kernel;
    }
}
