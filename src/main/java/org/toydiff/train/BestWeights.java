package org.toydiff.train;

import java.util.LinkedHashMap;
import java.util.Map;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A copy of the parameters and buffers of a model in its best epoch, allocated in an arena with the first one.
final class BestWeights implements Stateful {
    private final Stateful model;
    private final TensorArena home;
    private Map<String, Tensor> copy = Map.of();

    BestWeights(Stateful model, TensorArena home) {
        this.model = model;
        this.home = home;
    }

    /// Keeps a copy of the current model.
    void keep() {
        if (copy.isEmpty()) {
            Map<String, Tensor> made = new LinkedHashMap<>();
            model.stateDict().forEach((name, tensor) -> made.put(name, tensor.copyTo(home)));
            copy = made;
        } else {
            model.stateDict().forEach((name, tensor) -> copy.get(name).copyFrom(tensor));
        }
    }

    /// Restores the copy, if there is one.
    void restore() {
        if (!copy.isEmpty()) {
            model.loadStateDict(copy);
        }
    }

    @Override
    public Map<String, Tensor> stateDict() {
        return copy;
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        Stateful.requireFits("best: loadStateDict", copy, state);
        state.forEach((name, tensor) -> copy.get(name).copyFrom(tensor));
    }
}
