package org.toydiff;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// A run of ops on abstract tensors: the bytes that all of its arenas count together, and the abstract counterparts of
/// the tensors around it.
final class Prediction {
    private long live;
    private long peak;

    private final AbstractTensors abstractTensors = AbstractTensors.ofThoseWithMemory(this);

    /// Real tensors that were asked to track gradients during the run.
    private final List<Tensor> tracked = new ArrayList<>();

    /// Runs `ops` in an arena without memory.
    ///
    /// @throws IllegalStateException if they leave an arena or a region open
    <T> T run(String op, Supplier<T> ops) {
        Scope scope = Scope.current();
        int depth = scope.depth();
        Scope.GradientMode region = scope.begin(op, scope.recording);
        scope.push(TensorArena.predicting(null, this));
        boolean leftOpen;
        T result;
        try {
            result = ops.get();
        } finally {
            leftOpen = scope.depth() != depth + 1 || scope.region() != region;
            scope.unwind(depth);
            region.end();
            tracked.forEach(tensor -> tensor.leaf = false);
        }
        if (leftOpen) {
            throw new IllegalStateException(
                    op + ": an arena or a region that was begun in it is still open; close it there");
        }
        return result;
    }

    /// Predicts `backward(Release.EAGER)` of a tensor.
    static ReleaseSchedule schedule(Tensor root) {
        TensorArena innermost = Scope.current().innermostOrNull();
        return schedule(root, AbstractTensors.ofAll(innermost == null ? null : innermost.prediction()));
    }

    /// As [#schedule(Tensor)], leaving the abstract tensors as backward would leave the real ones.
    static ReleaseSchedule schedule(Tensor root, AbstractTensors tensors) {
        String op = "releaseSchedule";
        WalkPlan.requireTracked(op, root);
        Scope scope = Scope.current();
        TensorArena arena = tensors.of(scope.innermost(op));
        var writer = new ReleaseSchedule.Writer(arena);
        scope.push(arena);
        try {
            Backward.run(op, root, Release.EAGER, tensors, writer);
        } finally {
            scope.pop();
        }
        return writer.schedule();
    }

    /// Lets a tensor track gradients; a real one only until the prediction that is running ends.
    static void track(Tensor tensor) {
        tensor.leaf = true;
        Tensor counterpart = Scope.current().abstractTensors().of(tensor);
        counterpart.leaf = true;
        counterpart.storage.pinned = true;
        Prediction prediction = Scope.current().innermost("trackGradient").prediction();
        if (prediction != null && !tensor.storage.isAbstract()) {
            prediction.tracked.add(tensor);
        }
    }

    AbstractTensors abstractTensors() {
        return abstractTensors;
    }

    void count(long bytes) {
        live += bytes;
        peak = Math.max(peak, live);
    }

    long peakBytes() {
        return peak;
    }
}
