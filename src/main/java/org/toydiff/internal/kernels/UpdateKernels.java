package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// The steps of optimizers: one pass over runs of parameter p, gradient g and state m and v, which are modified in
/// place; the gradient is not. Starts and counts are in elements. Formulas are those of [org.toydiff.Updates].
public interface UpdateKernels {
    /// The kernels for FLOAT32 or FLOAT64 (`wide`).
    static UpdateKernels of(boolean wide) {
        return wide ? Holder.FLOAT64 : Holder.FLOAT32;
    }

    /// The chosen ones, made once.
    final class Holder {
        private static final UpdateKernels FLOAT32 = Kernels.updates(false);
        private static final UpdateKernels FLOAT64 = Kernels.updates(true);

        private Holder() {}
    }

    /// `d = scale·(g + decay·p)`, `p ← p − rate·d`
    void descend(MemorySegment p, long p0, MemorySegment g, long g0, long n, Coefficients c);

    /// `d = scale·(g + decay·p)`, `v ← first·v + d`, `p ← p − rate·(along·v + look·d)`
    void momentum(MemorySegment p, long p0, MemorySegment g, long g0, MemorySegment v, long v0, long n, Coefficients c);

    /// `d = g + decay·p`, `m ← first·m + (1 − first)·d`, `v ← second·v + square·d²`,
    /// `p ← kept·p − rate·m / (root·√v + epsilon)`
    void adam(
            MemorySegment p,
            long p0,
            MemorySegment g,
            long g0,
            MemorySegment m,
            long m0,
            MemorySegment v,
            long v0,
            long n,
            Coefficients c);

    /// `d = g + decay·p`, `v ← second·v + square·d²`, `p ← p − rate·d / (root·√v + epsilon)`
    void adaptive(MemorySegment p, long p0, MemorySegment g, long g0, MemorySegment v, long v0, long n, Coefficients c);

    /// `d = g + decay·p`, `v ← second·v + square·d²`, `m ← first·m + d / (root·√v + epsilon)`,
    /// `p ← p − rate·m`
    void adaptiveMomentum(
            MemorySegment p,
            long p0,
            MemorySegment g,
            long g0,
            MemorySegment m,
            long m0,
            MemorySegment v,
            long v0,
            long n,
            Coefficients c);

    /// LAMB's moments, as [#adam] without decay, and the sum of squares of the step
    /// `scale·m / (root·√v + epsilon) + decay·p`, which is not taken yet.
    double lambMoments(
            MemorySegment p,
            long p0,
            MemorySegment g,
            long g0,
            MemorySegment m,
            long m0,
            MemorySegment v,
            long v0,
            long n,
            Coefficients c);

    /// LAMB's step: `p ← p − rate·(scale·m / (root·√v + epsilon) + decay·p)`
    void lambStep(MemorySegment p, long p0, MemorySegment m, long m0, MemorySegment v, long v0, long n, Coefficients c);
}
