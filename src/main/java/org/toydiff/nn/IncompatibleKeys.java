package org.toydiff.nn;

import java.util.Collection;
import java.util.List;

/// The paths in which a state and the layer that loaded it differ; see [Layer#loadMatching].
///
/// @param missing the paths of parameters and buffers that the state lacks and that kept their values, in the order
///     of the layer
/// @param unexpected the paths in the state that the layer lacks, in the order of the state
public record IncompatibleKeys(List<String> missing, List<String> unexpected) {
    /// Copies the lists.
    public IncompatibleKeys {
        missing = List.copyOf(missing);
        unexpected = List.copyOf(unexpected);
    }

    static IncompatibleKeys of(Collection<String> layer, Collection<String> state) {
        return new IncompatibleKeys(without(layer, state), without(state, layer));
    }

    private static List<String> without(Collection<String> keys, Collection<String> others) {
        return keys.stream().filter(key -> !others.contains(key)).toList();
    }

    /// {@return whether the state and the layer have the same paths}
    public boolean isEmpty() {
        return missing.isEmpty() && unexpected.isEmpty();
    }
}
