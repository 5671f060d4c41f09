package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Staging;
import org.toydiff.internal.random.DropoutMask;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One dropout in progress: the factors of some hundred elements, which are the scale or 0, are computed from the mask
/// and multiplied while they are in a first-level cache. One object per thread, like [ElementWork].
///
/// The factors are no expression that a fused loop could contain: the generator multiplies 32 by 32 bits to 64, where
/// the integers of an expression are as wide as its floats, and its words come in fours.
public final class DropoutWork extends Work implements RowStream.Rows {
    /// Elements per part, a multiple of a block.
    private static final long PART = 1 << 14;

    // The arrays of a staging.
    private static final int FACTORS = 0;
    private static final int WORDS = 1;

    private DropoutMask mask;
    private ElementKind kind;
    private final RowStream stream = new RowStream();
    private long n;

    /// Sets the source of x and the sink of y for the next [#run]; either may be null.
    public void pass(ElementSource source, ElementSink sink) {
        stream.pass(source, sink);
    }

    /// Computes y, of which n contiguous elements begin at `yAt`, from the elements of x from `xAt` on.
    public void run(DropoutMask mask, ElementKind kind, long n, MemorySegment x, long xAt, MemorySegment y, long yAt) {
        this.mask = mask;
        this.kind = kind;
        this.n = n;
        stream.x(x, xAt, 1);
        stream.y(y, yAt, 1);
        try {
            Workers.run(this, parts(n, PART));
        } finally {
            stream.forget();
            this.mask = null;
        }
    }

    @Override
    protected void part(long index) {
        stream.run(index * PART, Math.min(n, (index + 1) * PART), 1, this);
    }

    @Override
    public void compute(long first, long count, MemorySegment x, long xAt, long xi, MemorySegment y, long yAt) {
        apply(mask, kind, first, count, x, xAt, y, yAt);
    }

    /// Computes n contiguous elements of y from those of x on the calling thread.
    ///
    /// @param from the index of the first one in the mask, a multiple of 4
    public static void apply(
            DropoutMask mask,
            ElementKind kind,
            long from,
            long n,
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt) {
        Kernel.Binary kernel = kind.of(BinaryKernel.SHARED);
        MemorySegment factors = Scratch.take();
        try {
            Staging staging = Staging.take();
            for (long done = 0; done < n; done += Staging.LENGTH) {
                int block = Staging.blockLength(done, n);
                factors(mask, kind, staging, factors, from + done, block);
                kernel.run(x, xAt + done, 0, 1, factors, 0, 0, 1, y, yAt + done, 0, 1, 1, block);
            }
            staging.giveBack();
        } finally {
            Scratch.give(factors);
        }
    }

    private static void factors(
            DropoutMask mask, ElementKind kind, Staging staging, MemorySegment factors, long from, int count) {
        int[] words = (int[]) staging.set(WORDS, JAVA_INT, null, 0);
        mask.words(from, count, words);
        switch (kind) {
            case FLOAT32 -> floats(mask, (float[]) staging.set(FACTORS, JAVA_FLOAT, factors, 0), words, count);
            case FLOAT64 -> doubles(mask, (double[]) staging.set(FACTORS, JAVA_DOUBLE, factors, 0), words, count);
            case BFLOAT16 -> halves(mask, (short[]) staging.set(FACTORS, JAVA_SHORT, factors, 0), words, count);
            default -> throw new AssertionError(kind);
        }
        staging.store(1 << FACTORS, 0, count);
    }

    private static void floats(DropoutMask mask, float[] factors, int[] words, int count) {
        float scale = (float) mask.scale();
        for (int i = 0; i < count; i++) {
            factors[i] = mask.drops(words[i]) ? 0 : scale;
        }
    }

    private static void doubles(DropoutMask mask, double[] factors, int[] words, int count) {
        double scale = mask.scale();
        for (int i = 0; i < count; i++) {
            factors[i] = mask.drops(words[i]) ? 0 : scale;
        }
    }

    private static void halves(DropoutMask mask, short[] factors, int[] words, int count) {
        short scale = CastKernels.bfloat16(mask.scale());
        for (int i = 0; i < count; i++) {
            factors[i] = mask.drops(words[i]) ? 0 : scale;
        }
    }
}
