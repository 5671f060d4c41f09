package org.toydiff.internal.kernels;

/// What elementwise ops do to one float: the scalar kernels, which [FloatUnaryLoop] and its kin run over memory.
/// The double ones are generated from this file by exchanging the type.
///
/// Elementary functions are computed in double and rounded once, so float results are within 0.51 ulp or so of the
/// true value, and double ones within the 1 to 2.5 ulp that [Math] states.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatOps {
    private FloatOps() {}

    static float log(float x) {
        return (float) Math.log(x);
    }

    static float log1p(float x) {
        return (float) Math.log1p(x);
    }

    static float erf(float x) {
        return (float) ErrorFunction.erf(x);
    }

    static float negative(float x) {
        return -x;
    }

    static float sin(float x) {
        return (float) Math.sin(x);
    }

    static float cos(float x) {
        return (float) Math.cos(x);
    }

    static float tan(float x) {
        return (float) Math.tan(x);
    }

    static float sinh(float x) {
        return (float) Math.sinh(x);
    }

    static float cosh(float x) {
        return (float) Math.cosh(x);
    }

    static float tanh(float x) {
        return (float) Math.tanh(x);
    }

    static float exp(float x) {
        return (float) Math.exp(x);
    }

    static float abs(float x) {
        return Math.abs(x);
    }

    static float reciprocal(float x) {
        return 1 / x;
    }

    static float sqrt(float x) {
        return (float) Math.sqrt(x);
    }

    static float sigmoid(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    /// −1, 0 or 1; 0 for NaN.
    static float sign(float x) {
        return x > 0 ? 1 : x < 0 ? -1 : 0;
    }

    /// NaN stays NaN.
    static float relu(float x) {
        return x < 0 ? 0 : x;
    }

    static float add(float a, float b) {
        return a + b;
    }

    static float subtract(float a, float b) {
        return a - b;
    }

    static float multiply(float a, float b) {
        return a * b;
    }

    static float divide(float a, float b) {
        return a / b;
    }

    /// As C's pow.
    static float power(float a, float b) {
        return (float) Math.pow(a, b);
    }

    /// NaN if either is.
    static float maximum(float a, float b) {
        return Math.max(a, b);
    }

    /// NaN if either is.
    static float minimum(float a, float b) {
        return Math.min(a, b);
    }

    static float addRelu(float a, float b) {
        return relu(a + b);
    }

    static float addTanh(float a, float b) {
        return tanh(a + b);
    }

    static float addSigmoid(float a, float b) {
        return sigmoid(a + b);
    }

    /// The part of maximum's gradient that goes to a: 1 where it is larger, ½ where both are equal, else 0.
    static float maximumShare(float a, float b) {
        return a < b ? 0 : a == b ? (float) 0.5 : 1;
    }

    /// g·share, 0 where the share is 0, even of an infinite g.
    static float shared(float g, float share) {
        return share == 0 ? 0 : g * share;
    }

    /// g where relu's output y is not 0, else 0.
    static float reluGradient(float g, float y) {
        return y <= 0 ? 0 : g;
    }

    /// g·(1 − y²) for tanh's output y.
    static float tanhGradient(float g, float y) {
        return g * (1 - y * y);
    }

    /// g·y·(1 − y) for the logistic function's output y.
    static float sigmoidGradient(float g, float y) {
        return g * (y - y * y);
    }

    static boolean greater(float a, float b) {
        return a > b;
    }

    static boolean greaterOrEqual(float a, float b) {
        return a >= b;
    }

    static boolean less(float a, float b) {
        return a < b;
    }

    static boolean lessOrEqual(float a, float b) {
        return a <= b;
    }

    static boolean equalTo(float a, float b) {
        return a == b;
    }
}
