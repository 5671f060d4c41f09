package org.toydiff;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import org.toydiff.internal.memory.AbstractStorage;
import org.toydiff.internal.memory.Storage;

/// The abstract tensors of a prediction: each has shape, dtype and size of a real one, and no memory. Every tensor,
/// storage and arena has one abstract counterpart, so that what is shared stays shared.
final class AbstractTensors {
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
