package org.toydiff;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import org.toydiff.internal.launch.ElementWork;
import org.toydiff.internal.launch.ProductWork;
import org.toydiff.internal.launch.ReductionWork;
import org.toydiff.internal.launch.RowWork;
import org.toydiff.internal.launch.UpdateWork;

/// What is in force on one thread: the open arenas, innermost last, whether ops are recorded, and the backward
/// that runs.
final class Scope {
    /// Weak: a thread may outlive this library's class loader, as those of an application server do, and must not
    /// hold it.
    private static final ThreadLocal<Reference<Scope>> CURRENT = new ThreadLocal<>();

    /// Keeps each scope for as long as its thread lives.
    private static final Map<Thread, Scope> OF_THREADS = new WeakHashMap<>();

    private TensorArena[] arenas = new TensorArena[8];
    private int depth;

    /// Whether ops on tracked tensors are recorded; changed by [#begin] and by what that gives.
    boolean recording = true;

    /// The checkpointed function that runs forward, unrecorded, or null.
    Recompute segment;

    /// The region begun last that is open still, or null.
    private Recording region;

    /// Where the storages of new tensors are noted, by whoever will free them early; null when nobody does.
    List<Storage> temporaries;

    /// What the innermost checkpointed function under way draws, or null.
    Draws draws;

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
        Reference<Scope> reference = CURRENT.get();
        Scope scope = reference == null ? null : reference.get();
        return scope != null ? scope : first();
    }

    private static Scope first() {
        var scope = new Scope();
        synchronized (OF_THREADS) {
            OF_THREADS.put(Thread.currentThread(), scope);
        }
        CURRENT.set(new WeakReference<>(scope));
        return scope;
    }

    /// Begins a region in which ops are recorded, or are not.
    Recording begin(String name, boolean recorded) {
        region = new Recording(this, name, region);
        recording = recorded;
        segment = null;
        return region;
    }

    Recording region() {
        return region;
    }

    void ended(Recording outer, boolean before, Recompute around) {
        region = outer;
        recording = before;
        segment = around;
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

    /// Throws when a region that was begun inside the innermost arena is open still.
    void requireNoRegionInside() {
        if (region != null) {
            region.requireOutside(depth);
        }
    }

    TensorArena innermostOrNull() {
        return depth == 0 ? null : arenas[depth - 1];
    }

    /// The arena that new tensors go to.
    TensorArena innermost(String op) {
        if (depth == 0) {
            throw new IllegalStateException(op + ": no arena is open on " + text(Thread.currentThread())
                    + ", so the new tensor has no place. Open one around it:\n"
                    + "    try (var arena = TensorArena.ofConfined()) {\n"
                    + "        … }");
        }
        return arenas[depth - 1];
    }

    /// A thread in a message: by its name, or its number when it has none, as virtual threads have.
    static String text(Thread thread) {
        String kind = thread.isVirtual() ? "virtual thread " : "thread ";
        return kind + (thread.getName().isEmpty() ? "#" + thread.threadId() : thread.getName());
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
