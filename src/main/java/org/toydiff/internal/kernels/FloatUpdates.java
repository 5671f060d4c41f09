package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/// The steps of optimizers for floats, element by element. The double ones are generated from this file.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatUpdates implements UpdateKernels {
    /// `x + factor·y`, and x itself where the factor is 0: then y may be infinite.
    private static float plus(float x, float factor, float y) {
        return factor == 0 ? x : x + factor * y;
    }

    @Override
    public void descend(MemorySegment p, long p0, MemorySegment g, long g0, long n, Coefficients c) {
        Bounds.within(p, p0, g, g0);
        float rate = (float) c.rate;
        float scale = (float) c.scale;
        float decay = (float) c.decay;
        for (long i = 0; i < n; i++) {
            float old = p.getAtIndex(JAVA_FLOAT, p0 + i);
            float d = scale * plus(g.getAtIndex(JAVA_FLOAT, g0 + i), decay, old);
            p.setAtIndex(JAVA_FLOAT, p0 + i, old - rate * d);
        }
    }

    @Override
    public void momentum(
            MemorySegment p, long p0, MemorySegment g, long g0, MemorySegment v, long v0, long n, Coefficients c) {
        Bounds.within(p, p0, g, g0, v, v0);
        float rate = (float) c.rate;
        float scale = (float) c.scale;
        float decay = (float) c.decay;
        float first = (float) c.first;
        float along = (float) c.along;
        float look = (float) c.look;
        for (long i = 0; i < n; i++) {
            float old = p.getAtIndex(JAVA_FLOAT, p0 + i);
            float d = scale * plus(g.getAtIndex(JAVA_FLOAT, g0 + i), decay, old);
            float velocity = first * v.getAtIndex(JAVA_FLOAT, v0 + i) + d;
            v.setAtIndex(JAVA_FLOAT, v0 + i, velocity);
            p.setAtIndex(JAVA_FLOAT, p0 + i, old - rate * plus(along * velocity, look, d));
        }
    }

    @Override
    public void adam(
            MemorySegment p,
            long p0,
            MemorySegment g,
            long g0,
            MemorySegment m,
            long m0,
            MemorySegment v,
            long v0,
            long n,
            Coefficients c) {
        Bounds.within(p, p0, g, g0, m, m0, v, v0);
        float rate = (float) c.rate;
        float decay = (float) c.decay;
        float first = (float) c.first;
        float taken = (float) (1 - c.first);
        float second = (float) c.second;
        float square = (float) c.square;
        float root = (float) c.root;
        float epsilon = (float) c.epsilon;
        float kept = (float) c.kept;
        for (long i = 0; i < n; i++) {
            float old = p.getAtIndex(JAVA_FLOAT, p0 + i);
            float d = plus(g.getAtIndex(JAVA_FLOAT, g0 + i), decay, old);
            float mean = first * m.getAtIndex(JAVA_FLOAT, m0 + i) + taken * d;
            float variance = second * v.getAtIndex(JAVA_FLOAT, v0 + i) + square * d * d;
            m.setAtIndex(JAVA_FLOAT, m0 + i, mean);
            v.setAtIndex(JAVA_FLOAT, v0 + i, variance);
            float divisor = root * (float) Math.sqrt(variance) + epsilon;
            p.setAtIndex(JAVA_FLOAT, p0 + i, kept * old - rate * mean / divisor);
        }
    }

    @Override
    public void adaptive(
            MemorySegment p, long p0, MemorySegment g, long g0, MemorySegment v, long v0, long n, Coefficients c) {
        Bounds.within(p, p0, g, g0, v, v0);
        float rate = (float) c.rate;
        float decay = (float) c.decay;
        float second = (float) c.second;
        float square = (float) c.square;
        float root = (float) c.root;
        float epsilon = (float) c.epsilon;
        for (long i = 0; i < n; i++) {
            float old = p.getAtIndex(JAVA_FLOAT, p0 + i);
            float d = plus(g.getAtIndex(JAVA_FLOAT, g0 + i), decay, old);
            float variance = second * v.getAtIndex(JAVA_FLOAT, v0 + i) + square * d * d;
            v.setAtIndex(JAVA_FLOAT, v0 + i, variance);
            p.setAtIndex(JAVA_FLOAT, p0 + i, old - rate * d / (root * (float) Math.sqrt(variance) + epsilon));
        }
    }

    @Override
    public void adaptiveMomentum(
            MemorySegment p,
            long p0,
            MemorySegment g,
            long g0,
            MemorySegment m,
            long m0,
            MemorySegment v,
            long v0,
            long n,
            Coefficients c) {
        Bounds.within(p, p0, g, g0, m, m0, v, v0);
        float rate = (float) c.rate;
        float decay = (float) c.decay;
        float first = (float) c.first;
        float second = (float) c.second;
        float square = (float) c.square;
        float root = (float) c.root;
        float epsilon = (float) c.epsilon;
        for (long i = 0; i < n; i++) {
            float old = p.getAtIndex(JAVA_FLOAT, p0 + i);
            float d = plus(g.getAtIndex(JAVA_FLOAT, g0 + i), decay, old);
            float variance = second * v.getAtIndex(JAVA_FLOAT, v0 + i) + square * d * d;
            v.setAtIndex(JAVA_FLOAT, v0 + i, variance);
            float velocity =
                    first * m.getAtIndex(JAVA_FLOAT, m0 + i) + d / (root * (float) Math.sqrt(variance) + epsilon);
            m.setAtIndex(JAVA_FLOAT, m0 + i, velocity);
            p.setAtIndex(JAVA_FLOAT, p0 + i, old - rate * velocity);
        }
    }

    @Override
    public double lambMoments(
            MemorySegment p,
            long p0,
            MemorySegment g,
            long g0,
            MemorySegment m,
            long m0,
            MemorySegment v,
            long v0,
            long n,
            Coefficients c) {
        Bounds.within(p, p0, g, g0, m, m0, v, v0);
        float first = (float) c.first;
        float taken = (float) (1 - c.first);
        float second = (float) c.second;
        float square = (float) c.square;
        float root = (float) c.root;
        float epsilon = (float) c.epsilon;
        float scale = (float) c.scale;
        float decay = (float) c.decay;
        double sum = 0;
        for (long i = 0; i < n; i++) {
            float d = g.getAtIndex(JAVA_FLOAT, g0 + i);
            float mean = first * m.getAtIndex(JAVA_FLOAT, m0 + i) + taken * d;
            float variance = second * v.getAtIndex(JAVA_FLOAT, v0 + i) + square * d * d;
            m.setAtIndex(JAVA_FLOAT, m0 + i, mean);
            v.setAtIndex(JAVA_FLOAT, v0 + i, variance);
            float divisor = root * (float) Math.sqrt(variance) + epsilon;
            double step = plus(scale * mean / divisor, decay, p.getAtIndex(JAVA_FLOAT, p0 + i));
            sum += step * step;
        }
        return sum;
    }

    @Override
    public void lambStep(
            MemorySegment p, long p0, MemorySegment m, long m0, MemorySegment v, long v0, long n, Coefficients c) {
        Bounds.within(p, p0, m, m0, v, v0);
        float rate = (float) c.rate;
        float root = (float) c.root;
        float epsilon = (float) c.epsilon;
        float scale = (float) c.scale;
        float decay = (float) c.decay;
        for (long i = 0; i < n; i++) {
            float old = p.getAtIndex(JAVA_FLOAT, p0 + i);
            float divisor = root * (float) Math.sqrt(v.getAtIndex(JAVA_FLOAT, v0 + i)) + epsilon;
            float step = plus(scale * m.getAtIndex(JAVA_FLOAT, m0 + i) / divisor, decay, old);
            p.setAtIndex(JAVA_FLOAT, p0 + i, old - rate * step);
        }
    }
}
