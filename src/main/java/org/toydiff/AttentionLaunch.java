package org.toydiff;

import static org.toydiff.Launch.memory;

import org.toydiff.internal.attention.AttentionBackward;
import org.toydiff.internal.attention.AttentionForward;
import org.toydiff.internal.attention.AttentionWork;
import org.toydiff.internal.attention.HeadMatrices;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.launch.DropoutWork;
import org.toydiff.internal.random.DropoutMask;

/// The part of [Launch] where attention starts. Operands are checked, of one dtype, FLOAT32 or FLOAT64, and have the
/// same leading axes but for the heads; their rows are contiguous.
final class AttentionLaunch {
    private AttentionLaunch() {}

    /// The numbers that attention is computed with.
    ///
    /// @param group how many heads of queries share a head of keys and values
    /// @param diagonal the last key that query i sees is `i +` this
    /// @param scale the factor of the scores
    /// @param dropout which probabilities are dropped, or null
    record Settings(int group, long diagonal, double scale, DropoutMask dropout) {}

    /// `y` = the values weighted by the softmax of the scores, and `logSums` = the log-sum-exp of each row of these.
    /// The mask may be null, and so may `logSums`.
    static void forward(Settings settings, Tensor q, Tensor k, Tensor v, Tensor mask, Tensor y, Tensor logSums) {
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        CBlas.require();
        AttentionForward work = scope.attention;
        operands(work, settings, q, k, v, mask, logSums);
        set(work.output, y);
        work.run();
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor queries = recorder.reads(q);
            Tensor keys = recorder.reads(k);
            Tensor values = recorder.reads(v);
            Tensor bias = recorder.reads(mask);
            Tensor output = recorder.writes(y);
            Tensor sums = recorder.writes(logSums);
            recorder.keep(y.storage.op, () -> forward(settings, queries, keys, values, bias, output, sums), output);
        }
    }

    /// The gradients, of which those that are not wanted are null; one is wanted.
    static void backward(
            Settings settings,
            Tensor g,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor mask,
            Tensor y,
            Tensor logSums,
            Tensor toQ,
            Tensor toK,
            Tensor toV) {
        Scope scope = Scope.current();
        if (g.size() == 0) {
            zero(toQ, toK, toV);
            return;
        }
        Tensor any = toQ != null ? toQ : toK != null ? toK : toV;
        if (Launch.skips(any, scope)) {
            return;
        }
        AttentionBackward work = scope.attentionGradients;
        operands(work, settings, q, k, v, mask, logSums);
        set(work.output, y);
        set(work.gradient, g);
        set(work.toQueries, toQ);
        set(work.toKeys, toK);
        set(work.toValues, toV);
        work.run();
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor from = recorder.reads(g);
            Tensor queries = recorder.reads(q);
            Tensor keys = recorder.reads(k);
            Tensor values = recorder.reads(v);
            Tensor bias = recorder.reads(mask);
            Tensor output = recorder.reads(y);
            Tensor sums = recorder.reads(logSums);
            Tensor a = recorder.writes(toQ);
            Tensor b = recorder.writes(toK);
            Tensor c = recorder.writes(toV);
            Runnable again = () -> backward(settings, from, queries, keys, values, bias, output, sums, a, b, c);
            recorder.keep(any.storage.op, again, a != null ? a : b != null ? b : c);
        }
    }

    /// `y` = the factors of probabilities that a dropout drops, 0, and of the others; y is contiguous, and 1 before.
    static void factors(DropoutMask mask, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        long keys = y.shape[y.rank() - 1];
        for (long row = 0; row < y.size() / keys; row++) {
            long at = y.offset + row * keys;
            long index = AttentionWork.indexOfRow(row, keys);
            DropoutWork.apply(mask, y.dtype.kind, index, keys, memory(y), at, memory(y), at);
        }
        if (scope.recorder != null) {
            Tensor ones = scope.recorder.reads(y);
            Tensor result = scope.recorder.writes(y);
            scope.recorder.keep("dropout", () -> factors(mask, ones), result);
        }
    }

    private static void zero(Tensor... gradients) {
        for (Tensor gradient : gradients) {
            if (gradient != null) {
                gradient.view(gradient.storage.base(), new long[] {gradient.size()}, new long[] {1})
                        .fill(0);
            }
        }
    }

    private static void operands(
            AttentionWork work, Settings settings, Tensor q, Tensor k, Tensor v, Tensor mask, Tensor logSums) {
        int rank = q.rank();
        long heads = 1;
        for (int axis = 0; axis < rank - 2; axis++) {
            heads *= q.shape[axis];
        }
        long columns = v.shape[rank - 1];
        work.sizes(q.isWide(), heads, settings.group, q.shape[rank - 2], k.shape[rank - 2], q.shape[rank - 1], columns);
        work.scores(settings.diagonal, settings.scale);
        work.dropout(settings.dropout);
        set(work.queries, q);
        set(work.keys, k);
        set(work.values, v);
        if (mask != null) {
            work.mask.set(memory(mask), mask.offset, mask.shape, mask.strides, mask.dtype == DType.BOOL);
        }
        if (logSums != null) {
            work.logSums(memory(logSums), logSums.offset);
        }
    }

    /// Sets an operand or a result, or none.
    private static void set(HeadMatrices operand, Tensor t) {
        if (t != null) {
            operand.set(memory(t), t.offset, t.shape, t.strides);
        }
    }
}
