package org.toydiff;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.toydiff.internal.memory.AbstractStorage;
import org.toydiff.internal.memory.Storage;

/// A run of ops on abstract tensors: the bytes that all of its arenas count together, and the abstract counterparts
/// of the tensors around it.
final class Prediction {
    private long live;
    private long peak;

    private final AbstractTensors abstractTensors = AbstractTensors.ofThoseWithMemory(this);

    /// Real tensors that were asked during the run to track gradients or to track none, with whether they did before.
    private final Map<Tensor, Boolean> tracked = new IdentityHashMap<>();

    /// The detached arenas that were opened during the run.
    private final List<TensorArena> detached = new ArrayList<>();

    /// Runs `ops` in an arena without memory.
    ///
    /// @throws IllegalStateException if they leave an arena or a region open
    <T> T run(String op, Supplier<T> ops) {
        Scope scope = Scope.current();
        int depth = scope.depth();
        Scope.GradientMode region = scope.begin(op, scope.recording);
        scope.casts = scope.casts == null ? null : new Autocast.Casts(true);
        scope.push(TensorArena.predicting(null, this));
        boolean leftOpen;
        T result;
        try {
            result = ops.get();
        } finally {
            leftOpen = scope.depth() != depth + 1
                    || scope.region() != region
                    || detached.stream().anyMatch(TensorArena::isOpen);
            scope.unwind(depth);
            detached.forEach(TensorArena::abandon);
            region.end();
            tracked.forEach((tensor, before) -> tensor.leaf = before);
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

    /// Lets a tensor track gradients, or none; a real one only until the prediction that is running ends.
    static void track(Tensor tensor, boolean tracks) {
        Prediction prediction = Scope.current().innermost("trackGradient").prediction();
        if (prediction != null && !tensor.storage.isAbstract()) {
            prediction.tracked.putIfAbsent(tensor, tensor.leaf);
        }
        tensor.leaf = tracks;
        Tensor counterpart = Scope.current().abstractTensors().of(tensor);
        counterpart.leaf = tracks;
        counterpart.storage.pinned = true;
    }

    void openedDetached(TensorArena arena) {
        detached.add(arena);
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

    /// The abstract tensors of a prediction: each has shape, dtype and size of a real one, and no memory. Every
    /// tensor, storage and arena has one abstract counterpart, so that what is shared stays shared.
    static final class AbstractTensors {
        /// Which tensors take part themselves, without an abstract counterpart.
        private enum Themselves {
            ALL,
            /// Those that a dry run has made.
            WITHOUT_MEMORY,
            NONE
        }

        /// Outside of predictions: every tensor takes part itself.
        static final AbstractTensors OF_NONE = new AbstractTensors(Themselves.ALL, null);

        private final Themselves themselves;
        private final Prediction prediction;
        private final TensorArena callers;
        private final Map<Tensor, Tensor> tensors = new IdentityHashMap<>();
        private final Map<Storage, Storage> storages = new IdentityHashMap<>();
        private final Map<TensorArena, TensorArena> arenas = new IdentityHashMap<>();

        private AbstractTensors(Themselves themselves, Prediction prediction) {
            this.themselves = themselves;
            this.prediction = prediction;
            this.callers = themselves == Themselves.ALL ? null : TensorArena.predicting(null, null);
        }

        /// For backward in a dry run, so that the gradients of tensors that have memory stay as they are.
        static AbstractTensors ofThoseWithMemory(Prediction prediction) {
            return new AbstractTensors(Themselves.WITHOUT_MEMORY, prediction);
        }

        /// For a prediction after which every tensor is as it was; null for one that counts nowhere else.
        static AbstractTensors ofAll(Prediction prediction) {
            return new AbstractTensors(Themselves.NONE, prediction);
        }

        /// Whether `tensor` takes part itself, and with it the node that made it.
        boolean includes(Tensor tensor) {
            return switch (themselves) {
                case ALL -> true;
                case WITHOUT_MEMORY -> tensor.storage.isAbstract();
                case NONE -> false;
            };
        }

        /// Returns the abstract counterpart of a tensor, or the tensor itself where that takes part.
        Tensor of(Tensor tensor) {
            return includes(tensor) ? tensor : counterpart(tensor);
        }

        Tensor[] of(Tensor[] some) {
            if (themselves == Themselves.ALL) {
                return some;
            }
            Tensor[] each = new Tensor[some.length];
            Arrays.setAll(each, i -> of(some[i]));
            return each;
        }

        /// Returns the counterpart of an arena; memory of the caller's counts nowhere.
        TensorArena of(Arena home) {
            return home instanceof TensorArena real
                    ? arenas.computeIfAbsent(real, arena -> TensorArena.predicting(arena, prediction))
                    : callers;
        }

        private Tensor counterpart(Tensor real) {
            Tensor known = tensors.get(real);
            if (known != null) {
                return known;
            }
            Storage storage = storages.computeIfAbsent(real.storage, s -> AbstractStorage.of(of(s.home).account, s));
            var tensor = new Tensor(storage, real.offset, real.shape, real.strides, real.dtype);
            tensors.put(real, tensor);
            tensor.node = real.node;
            tensor.leaf = real.leaf;
            tensor.retained = real.retained;
            tensor.gradient = real.gradient == null ? null : of(real.gradient);
            tensor.gradientSet = real.gradientSet;
            return tensor;
        }
    }
}
