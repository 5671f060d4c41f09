package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The steps of optimizers over vectors of floats; what is left at the end of a run goes by the scalar ones. The
/// double ones are generated from this file.
///
/// Accesses are written out: behind methods of their own, the vectors of the second dtype to run were made as
/// objects.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatVectorUpdates implements UpdateKernels {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final UpdateKernels REST = new FloatUpdates();

    @Override
    public void descend(MemorySegment p, long p0, MemorySegment g, long g0, long n, Coefficients c) {
        Bounds.within(p, p0, g, g0);
        float rate = (float) c.rate;
        float scale = (float) c.scale;
        float decay = (float) c.decay;
        var decays = SPECIES.maskAll(decay != 0);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var old = FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER);
            var d = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER)
                    .add(old.mul(decay), decays)
                    .mul(scale);
            old.sub(d.mul(rate)).intoMemorySegment(p, (p0 + i) * Float.BYTES, ORDER);
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
            var old = FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER);
            var d = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER)
                    .add(old.mul(decay), decays)
                    .mul(scale);
            var velocity = FloatVector.fromMemorySegment(SPECIES, v, (v0 + i) * Float.BYTES, ORDER)
                    .mul(first)
                    .add(d);
            velocity.intoMemorySegment(v, (v0 + i) * Float.BYTES, ORDER);
            old.sub(velocity.mul(along).add(d.mul(look), looks).mul(rate))
                    .intoMemorySegment(p, (p0 + i) * Float.BYTES, ORDER);
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
            var old = FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER);
            var d = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER)
                    .add(old.mul(decay), decays);
            var mean = FloatVector.fromMemorySegment(SPECIES, m, (m0 + i) * Float.BYTES, ORDER)
                    .mul(first)
                    .add(d.mul(taken));
            var variance = FloatVector.fromMemorySegment(SPECIES, v, (v0 + i) * Float.BYTES, ORDER)
                    .mul(second)
                    .add(d.mul(square).mul(d));
            mean.intoMemorySegment(m, (m0 + i) * Float.BYTES, ORDER);
            variance.intoMemorySegment(v, (v0 + i) * Float.BYTES, ORDER);
            var divisor = variance.sqrt().mul(root).add(epsilon);
            old.mul(kept).sub(mean.mul(rate).div(divisor)).intoMemorySegment(p, (p0 + i) * Float.BYTES, ORDER);
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
            var old = FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER);
            var d = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER)
                    .add(old.mul(decay), decays);
            var variance = FloatVector.fromMemorySegment(SPECIES, v, (v0 + i) * Float.BYTES, ORDER)
                    .mul(second)
                    .add(d.mul(square).mul(d));
            variance.intoMemorySegment(v, (v0 + i) * Float.BYTES, ORDER);
            old.sub(d.mul(rate).div(variance.sqrt().mul(root).add(epsilon)))
                    .intoMemorySegment(p, (p0 + i) * Float.BYTES, ORDER);
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
            var old = FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER);
            var d = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER)
                    .add(old.mul(decay), decays);
            var variance = FloatVector.fromMemorySegment(SPECIES, v, (v0 + i) * Float.BYTES, ORDER)
                    .mul(second)
                    .add(d.mul(square).mul(d));
            variance.intoMemorySegment(v, (v0 + i) * Float.BYTES, ORDER);
            var velocity = FloatVector.fromMemorySegment(SPECIES, m, (m0 + i) * Float.BYTES, ORDER)
                    .mul(first)
                    .add(d.div(variance.sqrt().mul(root).add(epsilon)));
            velocity.intoMemorySegment(m, (m0 + i) * Float.BYTES, ORDER);
            old.sub(velocity.mul(rate)).intoMemorySegment(p, (p0 + i) * Float.BYTES, ORDER);
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
            var d = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER);
            var mean = FloatVector.fromMemorySegment(SPECIES, m, (m0 + i) * Float.BYTES, ORDER)
                    .mul(first)
                    .add(d.mul(taken));
            var variance = FloatVector.fromMemorySegment(SPECIES, v, (v0 + i) * Float.BYTES, ORDER)
                    .mul(second)
                    .add(d.mul(square).mul(d));
            mean.intoMemorySegment(m, (m0 + i) * Float.BYTES, ORDER);
            variance.intoMemorySegment(v, (v0 + i) * Float.BYTES, ORDER);
            var divisor = variance.sqrt().mul(root).add(epsilon);
            var step = mean.mul(scale)
                    .div(divisor)
                    .add(
                            FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER)
                                    .mul(decay),
                            decays);
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
            var old = FloatVector.fromMemorySegment(SPECIES, p, (p0 + i) * Float.BYTES, ORDER);
            var divisor = FloatVector.fromMemorySegment(SPECIES, v, (v0 + i) * Float.BYTES, ORDER)
                    .sqrt()
                    .mul(root)
                    .add(epsilon);
            var step = FloatVector.fromMemorySegment(SPECIES, m, (m0 + i) * Float.BYTES, ORDER)
                    .mul(scale)
                    .div(divisor)
                    .add(old.mul(decay), decays);
            old.sub(step.mul(rate)).intoMemorySegment(p, (p0 + i) * Float.BYTES, ORDER);
        }
        REST.lambStep(p, p0 + i, m, m0 + i, v, v0 + i, n - i, c);
    }
}
