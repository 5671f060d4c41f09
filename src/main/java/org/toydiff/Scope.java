package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import org.toydiff.Prediction.AbstractTensors;
import org.toydiff.internal.attention.AttentionBackward;
import org.toydiff.internal.attention.AttentionForward;
import org.toydiff.internal.convolution.Convolutions;
import org.toydiff.internal.launch.Bfloat16ProductWork;
import org.toydiff.internal.launch.DropoutWork;
import org.toydiff.internal.launch.ElementWork;
import org.toydiff.internal.launch.IntegerReductionWork;
import org.toydiff.internal.launch.ProductWork;
import org.toydiff.internal.launch.ReductionWork;
import org.toydiff.internal.launch.RowWork;
import org.toydiff.internal.launch.UpdateWork;
import org.toydiff.internal.memory.Account;
import org.toydiff.internal.memory.Storage;
import org.toydiff.internal.normalization.GroupNormalizationWork;
import org.toydiff.internal.normalization.RowNormalizationWork;
import org.toydiff.internal.pooling.PoolingWork;
import org.toydiff.internal.random.Draws;
import org.toydiff.internal.recurrence.SequenceWork;

/// The state of one thread: its open arenas, innermost last, whether ops are recorded, and the backward that runs.
final class Scope {
    /// Weak: a thread may outlive this library's class loader, as those of an application server do, and must not
    /// keep it alive.
    private static final ThreadLocal<Reference<Scope>> CURRENT = new ThreadLocal<>();

    /// Keeps each scope for as long as its thread lives.
    private static final Map<Thread, Scope> OF_THREADS = new WeakHashMap<>();

    private TensorArena[] arenas = new TensorArena[8];
    private int depth;

    /// Whether ops on tracked tensors are recorded: the innermost [GradientMode] says.
    boolean recording = true;

    /// The checkpointed function that runs forward, unrecorded; or null.
    Recompute segment;

    /// The casts of the [Autocast] region in which ops run, or null.
    Autocast.Casts casts;

    /// The innermost open region, or null.
    private GradientMode region;

    /// Collects the storages of new tensors for whoever frees them early; null when nobody does.
    List<Storage> temporaries;

    /// The draws of the innermost checkpointed function that runs, or null.
    Draws draws;

    /// The backward whose rule is running, or null.
    Backward backward;

    /// Notes the launches of this thread for a compiled function, or null.
    Recorder recorder;

    // This thread's launches, one object of each kind, reused.
    final ElementWork elements = new ElementWork();
    final ReductionWork reductions = new ReductionWork();
    final IntegerReductionWork integerReductions = new IntegerReductionWork();
    final ProductWork products = new ProductWork();
    final Bfloat16ProductWork halfProducts = new Bfloat16ProductWork();
    final Convolutions convolutions = new Convolutions();
    final RowWork rows = new RowWork();
    final DropoutWork dropouts = new DropoutWork();
    final GroupNormalizationWork groupNormalizations = new GroupNormalizationWork();
    final RowNormalizationWork rowNormalizations = new RowNormalizationWork();
    final PoolingWork pooling = new PoolingWork();
    final UpdateWork updates = new UpdateWork();
    final AttentionForward attention = new AttentionForward();
    final AttentionBackward attentionGradients = new AttentionBackward();
    final SequenceWork sequences = new SequenceWork();

    /// Memory for one number, the operand of a launch in place.
    private MemorySegment operand;

    /// Strides of 0.
    private long[][] noStrides = {};

    /// The gradients that the walk backward of this thread has changed.
    final GradientSums.Changes gradientChanges = new GradientSums.Changes();

    /// Sorts the graphs that this thread goes backward over.
    final WalkPlan.Order graphs = new WalkPlan.Order();

    MemorySegment operand() {
        if (operand == null) {
            operand = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
        }
        return operand;
    }

    /// Returns that many strides of 0.
    long[] noStrides(int rank) {
        if (rank >= noStrides.length) {
            int known = noStrides.length;
            noStrides = Arrays.copyOf(noStrides, rank + 1);
            for (int i = known; i <= rank; i++) {
                noStrides[i] = new long[i];
            }
        }
        return noStrides[rank];
    }

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
    GradientMode begin(String name, boolean recorded) {
        region = new GradientMode(name);
        recording = recorded;
        segment = null;
        return region;
    }

    /// Begins a region in which products are cast, or, where `casts` is null, are not.
    Region begin(String name, Autocast.Casts casts) {
        region = new GradientMode(name);
        this.casts = casts;
        return region;
    }

    GradientMode region() {
        return region;
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

    /// Throws when a region that was begun inside the innermost arena is still open.
    void requireNoRegionInside() {
        if (region != null && region.arenasBefore >= depth) {
            throw new IllegalStateException(
                    "close: a " + region.name + " that was begun inside this arena is still open; close it first");
        }
    }

    TensorArena innermostOrNull() {
        return depth == 0 ? null : arenas[depth - 1];
    }

    /// Returns the arena in which new tensors are made.
    TensorArena innermost(String op) {
        if (depth == 0) {
            throw new IllegalStateException(op + ": no arena is open on " + Account.text(Thread.currentThread())
                    + ", so the new tensor has no place. Open one around it:\n"
                    + "    try (var arena = TensorArena.ofConfined()) {\n"
                    + "        … }");
        }
        return arenas[depth - 1];
    }

    int depth() {
        return depth;
    }

    /// Whether an arena is open on this thread and was opened or entered when there were `outside` others, or later.
    boolean holds(Arena arena, int outside) {
        for (int i = outside; i < depth; i++) {
            if (arenas[i] == arena) {
                return true;
            }
        }
        return false;
    }

    /// Whether an op that reads `tracked`, which tracks gradients, is recorded.
    boolean records(Tensor tracked) {
        if (!recording && segment != null) {
            segment.requireDeclared(tracked);
        }
        return recording;
    }

    /// Whether this thread runs a prediction, in which new tensors have no memory.
    boolean predicts() {
        return depth > 0 && arenas[depth - 1].predicts();
    }

    /// Returns the abstract tensors that take the place of those with memory where a prediction runs.
    AbstractTensors abstractTensors() {
        Prediction prediction = depth == 0 ? null : arenas[depth - 1].prediction();
        return prediction == null ? AbstractTensors.OF_NONE : prediction.abstractTensors();
    }

    /// Ends the arenas of a prediction that were left open, down to a depth.
    void unwind(int to) {
        while (depth > to) {
            arenas[depth - 1].abandon();
            pop();
        }
    }

    /// A region with a state of its own: whether this thread records ops on tracked tensors, and which casts it
    /// makes. The user begins it, or the engine around code that it runs.
    final class GradientMode implements Region {
        private final String name;
        private final GradientMode outer = region;
        private final boolean recordingBefore = recording;
        private final Recompute segmentBefore = segment;
        private final Autocast.Casts castsBefore = casts;

        /// How many arenas were open or entered on the thread when it began.
        private final int arenasBefore = depth;

        private boolean open = true;

        private GradientMode(String name) {
            this.name = name;
        }

        @Override
        public void close() {
            if (!open) {
                return;
            }
            if (current() != Scope.this) {
                throw new IllegalStateException("close: the " + name + " was begun on another thread; close it there");
            }
            if (region != this) {
                throw new IllegalStateException("close: a " + region.name + " that was begun inside this " + name
                        + " is still open; close it first");
            }
            if (depth != arenasBefore) {
                throw new IllegalStateException("close: an arena that was opened or entered inside this " + name
                        + " is still open; close it first");
            }
            end();
        }

        /// Ends it and every region begun inside it: for the engine, which cannot rely on the code that it runs.
        void end() {
            for (GradientMode inner = region; inner != outer; inner = inner.outer) {
                inner.open = false;
            }
            region = outer;
            recording = recordingBefore;
            segment = segmentBefore;
            casts = castsBefore;
        }
    }
}
