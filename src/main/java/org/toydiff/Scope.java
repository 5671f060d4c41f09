package org.toydiff;

import java.util.Arrays;
import java.util.List;

/// What is in force on one thread: the open arenas, innermost last, whether ops are recorded, and the backward
/// that runs.
final class Scope {
    private static final ThreadLocal<Scope> CURRENT = ThreadLocal.withInitial(Scope::new);

    private TensorArena[] arenas = new TensorArena[8];
    private int depth;

    /// Whether ops on tracked tensors are recorded.
    boolean recording = true;

    /// The checkpointed function that runs forward, unrecorded, or null.
    Recompute segment;

    /// Where the storages of new tensors are noted, by whoever will free them early; null when nobody does.
    List<Storage> temporaries;

    /// The backward whose rule is running, or null.
    Backward backward;

    // What this thread launches, one object for each kind, used again.
    final ElementWork elements = new ElementWork();
    final ReductionWork reductions = new ReductionWork();
    final ProductWork products = new ProductWork();
    final RowWork rows = new RowWork();
    final UpdateWork updates = new UpdateWork();

    /// What the walk backward of this thread has changed.
    final GradientLog gradientLog = new GradientLog();

    /// Sorts the graphs that this thread goes backward over.
    final GraphOrder graphs = new GraphOrder();

    static Scope current() {
        return CURRENT.get();
    }

    void push(TensorArena arena) {
        if (depth == arenas.length) {
            arenas = Arrays.copyOf(arenas, 2 * depth);
        }
        arenas[depth++] = arena;
    }

    void pop() {
        arenas[--depth] = null;
    }

    TensorArena innermostOrNull() {
        return depth == 0 ? null : arenas[depth - 1];
    }

    /// The arena that new tensors go to.
    TensorArena innermost(String op) {
        if (depth == 0) {
            throw new IllegalStateException(
                    op + ": no arena is open on " + Thread.currentThread().getName()
                            + ", so the new tensor has no place. Open one around it:\n"
                            + "    try (var arena = TensorArena.ofConfined()) {\n"
                            + "        … }");
        }
        return arenas[depth - 1];
    }

    int depth() {
        return depth;
    }

    /// Whether an op that reads `tracked`, which tracks gradients, is recorded.
    boolean records(Tensor tracked) {
        if (!recording && segment != null) {
            segment.requireDeclared(tracked);
        }
        return recording;
    }

    /// Whether what this thread makes now has no memory.
    boolean predicts() {
        return depth > 0 && arenas[depth - 1].predicts();
    }

    /// Which tensors a walk backward of this thread changes: in a prediction, not those that have memory.
    Sight sight() {
        Prediction prediction = depth == 0 ? null : arenas[depth - 1].prediction();
        return prediction == null ? Sight.REAL : prediction.sight();
    }

    /// Ends arenas of a prediction that were left open, down to a depth.
    void unwind(int to) {
        while (depth > to) {
            arenas[depth - 1].abandon();
            pop();
        }
    }
}
