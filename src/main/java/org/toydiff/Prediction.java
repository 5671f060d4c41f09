package org.toydiff;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Ops run on shapes alone: what all arenas of it hold together, and what stands in for the tensors around it.
final class Prediction {
    private long live;
    private long peak;

    /// Shows backward stand-ins of the tensors that have memory, so that their gradients stay as they are.
    private final Sight sight = new Sight.DryRun(this);

    /// Real tensors that were asked to track gradients meanwhile.
    private final List<Tensor> tracked = new ArrayList<>();

    /// Runs `ops` with an innermost arena that has no memory.
    ///
    /// @throws IllegalStateException if they leave an arena or a region open
    <T> T run(String op, Supplier<T> ops) {
        Scope scope = Scope.current();
        int depth = scope.depth();
        Recording region = scope.begin(op, scope.recording);
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

    /// Lets a tensor track gradients; a real one until the prediction that is under way ends.
    static void track(Tensor tensor) {
        tensor.leaf = true;
        Tensor seen = Scope.current().sight().see(tensor);
        seen.leaf = true;
        seen.storage.pinned = true;
        Prediction prediction = Scope.current().innermost("trackGradient").prediction();
        if (prediction != null && !tensor.storage.shapeOnly()) {
            prediction.tracked.add(tensor);
        }
    }

    Sight sight() {
        return sight;
    }

    void count(long bytes) {
        live += bytes;
        peak = Math.max(peak, live);
    }

    long peakBytes() {
        return peak;
    }
}
