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
