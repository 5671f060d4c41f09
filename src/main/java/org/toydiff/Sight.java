package org.toydiff;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/// Which tensors a walk backward sees: the real ones, or stand-ins of the same shapes and sizes that have no
/// memory.
abstract sealed class Sight {
    static final Sight REAL = new Real();

    abstract Tensor see(Tensor tensor);

    abstract Tensor[] see(Tensor[] tensors);

    /// Whether a walk may mark the node that made a tensor as released.
    abstract boolean owns(Tensor tensor);

    private static final class Real extends Sight {
        @Override
        boolean owns(Tensor tensor) {
            return true;
        }

        @Override
        Tensor see(Tensor tensor) {
            return tensor;
        }

        @Override
        Tensor[] see(Tensor[] tensors) {
            return tensors;
        }
    }

    /// For backward in a dry run: the tensors made there, and stand-ins of those around it.
    static final class DryRun extends Predicting {
        DryRun(Prediction prediction) {
            super(prediction);
        }

        @Override
        Tensor see(Tensor tensor) {
            return owns(tensor) ? tensor : super.see(tensor);
        }

        @Override
        boolean owns(Tensor tensor) {
            return tensor.storage.shapeOnly();
        }
    }

    /// One stand-in for each tensor, storage and arena, so that what is shared stays shared.
    static sealed class Predicting extends Sight {
        private final Map<Tensor, Tensor> tensors = new IdentityHashMap<>();
        private final Map<Storage, Storage> storages = new IdentityHashMap<>();
        private final Map<TensorArena, TensorArena> arenas = new IdentityHashMap<>();
        private final Prediction prediction;
        private final TensorArena callers;

        Predicting(Prediction prediction) {
            this.prediction = prediction;
            this.callers = TensorArena.predicting(null, null);
        }

        @Override
        boolean owns(Tensor tensor) {
            return false;
        }

        @Override
        Tensor see(Tensor real) {
            Tensor known = tensors.get(real);
            if (known != null) {
                return known;
            }
            Storage storage = storages.computeIfAbsent(real.storage, s -> Storage.shapeOnly(arena(s.home), s));
            Tensor standIn = new Tensor(storage, real.offset, real.shape, real.strides, real.dtype);
            tensors.put(real, standIn);
            standIn.node = real.node;
            standIn.leaf = real.leaf;
            standIn.retained = real.retained;
            standIn.gradient = real.gradient == null ? null : see(real.gradient);
            standIn.gradientSet = real.gradientSet;
            return standIn;
        }

        @Override
        Tensor[] see(Tensor[] real) {
            Tensor[] standIns = new Tensor[real.length];
            Arrays.setAll(standIns, i -> see(real[i]));
            return standIns;
        }

        /// The stand-in of an arena; memory of the caller's counts nowhere.
        TensorArena arena(Arena home) {
            return home instanceof TensorArena real
                    ? arenas.computeIfAbsent(real, arena -> TensorArena.predicting(arena, prediction))
                    : callers;
        }
    }
}
