package org.toydiff.internal.kernels;

import static jdk.incubator.vector.VectorOperators.COS;
import static jdk.incubator.vector.VectorOperators.COSH;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LOG;
import static jdk.incubator.vector.VectorOperators.LOG1P;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.SIN;
import static jdk.incubator.vector.VectorOperators.SINH;
import static jdk.incubator.vector.VectorOperators.TAN;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// What elementwise ops do to a vector of floats, each by the name of its scalar twin in [FloatOps]; an op that is
/// missing here (power: its special values differ in vector libraries) runs on the scalar one. The double ones are
/// generated from this file by exchanging the type.
///
/// [VectorMath] gives exp, tanh, the logistic function and the error function (of floats alone); the others are the
/// vector library's that the JDK brings along (Intel's SVML or SLEEF), within 1 to 4 ulp.
final class FloatVectorOps {
    private FloatVectorOps() {}

    static FloatVector log(FloatVector x) {
        return x.lanewise(LOG);
    }

    static FloatVector log1p(FloatVector x) {
        return x.lanewise(LOG1P);
    }

    static FloatVector negative(FloatVector x) {
        return x.neg();
    }

    static FloatVector sin(FloatVector x) {
        return x.lanewise(SIN);
    }

    static FloatVector cos(FloatVector x) {
        return x.lanewise(COS);
    }

    static FloatVector tan(FloatVector x) {
        return x.lanewise(TAN);
    }

    static FloatVector sinh(FloatVector x) {
        return x.lanewise(SINH);
    }

    static FloatVector cosh(FloatVector x) {
        return x.lanewise(COSH);
    }

    static FloatVector tanh(FloatVector x) {
        return VectorMath.tanh(x);
    }

    static FloatVector exp(FloatVector x) {
        return VectorMath.exp(x);
    }

    static FloatVector abs(FloatVector x) {
        return x.abs();
    }

    static FloatVector reciprocal(FloatVector x) {
        return FloatVector.broadcast(x.species(), 1).div(x);
    }

    static FloatVector sqrt(FloatVector x) {
        return x.sqrt();
    }

    static FloatVector sigmoid(FloatVector x) {
        return VectorMath.sigmoid(x);
    }

    static FloatVector sign(FloatVector x) {
        FloatVector zero = x.broadcast(0f);
        return zero.blend(1f, x.compare(GT, 0f)).blend(-1f, x.compare(LT, 0f));
    }

    static FloatVector relu(FloatVector x) {
        return x.blend(0f, x.compare(LT, 0f));
    }

    static FloatVector add(FloatVector a, FloatVector b) {
        return a.add(b);
    }

    static FloatVector subtract(FloatVector a, FloatVector b) {
        return a.sub(b);
    }

    static FloatVector multiply(FloatVector a, FloatVector b) {
        return a.mul(b);
    }

    static FloatVector divide(FloatVector a, FloatVector b) {
        return a.div(b);
    }

    static FloatVector maximum(FloatVector a, FloatVector b) {
        return a.max(b);
    }

    static FloatVector minimum(FloatVector a, FloatVector b) {
        return a.min(b);
    }

    static FloatVector addRelu(FloatVector a, FloatVector b) {
        return relu(a.add(b));
    }

    static FloatVector addTanh(FloatVector a, FloatVector b) {
        return tanh(a.add(b));
    }

    static FloatVector addSigmoid(FloatVector a, FloatVector b) {
        return sigmoid(a.add(b));
    }

    static FloatVector maximumShare(FloatVector a, FloatVector b) {
        FloatVector one = a.broadcast(1f);
        return one.blend(0f, a.compare(LT, b)).blend(0.5f, a.compare(EQ, b));
    }

    static FloatVector shared(FloatVector g, FloatVector share) {
        return g.mul(share).blend(0f, share.compare(EQ, 0f));
    }

    static FloatVector reluGradient(FloatVector g, FloatVector y) {
        return g.blend(0f, y.compare(LE, 0f));
    }

    static FloatVector tanhGradient(FloatVector g, FloatVector y) {
        return g.mul(y.mul(y).neg().add(1f));
    }

    static FloatVector sigmoidGradient(FloatVector g, FloatVector y) {
        return g.mul(y.sub(y.mul(y)));
    }

    static VectorMask<Float> greater(FloatVector a, FloatVector b) {
        return a.compare(GT, b);
    }

    static VectorMask<Float> greaterOrEqual(FloatVector a, FloatVector b) {
        return a.compare(GE, b);
    }

    static VectorMask<Float> less(FloatVector a, FloatVector b) {
        return a.compare(LT, b);
    }

    static VectorMask<Float> lessOrEqual(FloatVector a, FloatVector b) {
        return a.compare(LE, b);
    }

    static VectorMask<Float> equalTo(FloatVector a, FloatVector b) {
        return a.compare(EQ, b);
    }
}
