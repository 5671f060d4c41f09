package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The steps of optimizers over vectors of floats; what is left at the end of a run goes by the scalar ones. The
/// double
/// ones are generated from this file.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatVectorUpdates implements UpdateKernels {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final UpdateKernels REST = new FloatUpdates();

    private static FloatVector load(MemorySegment x, long at) {
        return FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ORDER);
    }

    private static void store(FloatVector value, MemorySegment x, long at) {
        value.intoMemorySegment(x, at * Float.BYTES, ORDER);
    }

    @Override
    public void descend(MemorySegment p, long p0, MemorySegment g, long g0, long n, Coefficients c) {
        Bounds.within(p, p0, g, g0);
        float rate = (float) c.rate;
        float scale = (float) c.scale;
        float decay = (float) c.decay;
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = load(p, p0 + i);
            var d = load(g, g0 + i).add(old.mul(decay), decays).mul(scale);
            store(old.sub(d.mul(rate)), p, p0 + i);
        }
        REST.descend(p, p0 + i, g, g0 + i, n - i, c);
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
        var decays = SPECIES.maskAll(decay != 0);
        var looks = SPECIES.maskAll(look != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = load(p, p0 + i);
            var d = load(g, g0 + i).add(old.mul(decay), decays).mul(scale);
            var velocity = load(v, v0 + i).mul(first).add(d);
            store(velocity, v, v0 + i);
            store(old.sub(velocity.mul(along).add(d.mul(look), looks).mul(rate)), p, p0 + i);
        }
        REST.momentum(p, p0 + i, g, g0 + i, v, v0 + i, n - i, c);
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
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = load(p, p0 + i);
            var d = load(g, g0 + i).add(old.mul(decay), decays);
            var mean = load(m, m0 + i).mul(first).add(d.mul(taken));
            var variance = load(v, v0 + i).mul(second).add(d.mul(square).mul(d));
            store(mean, m, m0 + i);
            store(variance, v, v0 + i);
            var divisor = variance.sqrt().mul(root).add(epsilon);
            store(old.mul(kept).sub(mean.mul(rate).div(divisor)), p, p0 + i);
        }
        REST.adam(p, p0 + i, g, g0 + i, m, m0 + i, v, v0 + i, n - i, c);
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
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = load(p, p0 + i);
            var d = load(g, g0 + i).add(old.mul(decay), decays);
            var variance = load(v, v0 + i).mul(second).add(d.mul(square).mul(d));
            store(variance, v, v0 + i);
            store(old.sub(d.mul(rate).div(variance.sqrt().mul(root).add(epsilon))), p, p0 + i);
        }
        REST.adaptive(p, p0 + i, g, g0 + i, v, v0 + i, n - i, c);
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
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = load(p, p0 + i);
            var d = load(g, g0 + i).add(old.mul(decay), decays);
            var variance = load(v, v0 + i).mul(second).add(d.mul(square).mul(d));
            store(variance, v, v0 + i);
            var velocity = load(m, m0 + i)
                    .mul(first)
                    .add(d.div(variance.sqrt().mul(root).add(epsilon)));
            store(velocity, m, m0 + i);
            store(old.sub(velocity.mul(rate)), p, p0 + i);
        }
        REST.adaptiveMomentum(p, p0 + i, g, g0 + i, m, m0 + i, v, v0 + i, n - i, c);
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
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var d = load(g, g0 + i);
            var mean = load(m, m0 + i).mul(first).add(d.mul(taken));
            var variance = load(v, v0 + i).mul(second).add(d.mul(square).mul(d));
            store(mean, m, m0 + i);
            store(variance, v, v0 + i);
            var divisor = variance.sqrt().mul(root).add(epsilon);
            var step = mean.mul(scale).div(divisor).add(load(p, p0 + i).mul(decay), decays);
            sum += VectorMath.total(step.mul(step));
        }
        return sum + REST.lambMoments(p, p0 + i, g, g0 + i, m, m0 + i, v, v0 + i, n - i, c);
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
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = load(p, p0 + i);
            var divisor = load(v, v0 + i).sqrt().mul(root).add(epsilon);
            var step = load(m, m0 + i).mul(scale).div(divisor).add(old.mul(decay), decays);
            store(old.sub(step.mul(rate)), p, p0 + i);
        }
        REST.lambStep(p, p0 + i, m, m0 + i, v, v0 + i, n - i, c);
    }
}
