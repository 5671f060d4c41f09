package org.toydiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.toydiff.internal.launch.Shape;

/// An object whose state can be saved and loaded: a layer, an optimizer, a schedule, a loader.
///
/// Everything is a tensor, numbers too (INT64 or FLOAT64, `[1]`), so that one file format holds any state exactly.
public interface Stateful {
    /// Returns the state to save, under names that stay the same from run to run.
    ///
    /// @return tensors in a fixed order: the live ones where the state is tensors, new ones in the innermost arena
    ///     where it is numbers
    Map<String, Tensor> stateDict();

    /// Loads a state that [#stateDict()] returned, by copying it; nothing is changed unless all of it fits.
    ///
    /// @param state a tensor of the same shape and dtype for each name of [#stateDict()]
    /// @throws IllegalArgumentException naming every tensor that is missing, unknown or of another shape or dtype
    void loadStateDict(Map<String, Tensor> state);

    /// Checks that a state fits: the first thing that [#loadStateDict] does.
    ///
    /// @param op the first words of the message: `SGD: loadStateDict`
    /// @param current the result of [#stateDict()]
    /// @param state the state to load
    /// @throws IllegalArgumentException naming every tensor that is missing, unknown or of another shape or dtype
    static void requireFits(String op, Map<String, Tensor> current, Map<String, Tensor> state) {
        List<String> problems = new ArrayList<>();
        current.forEach((name, tensor) -> {
            Tensor given = state.get(name);
            if (given == null) {
                problems.add(name + " is missing");
            } else if (!describe(given).equals(describe(tensor))) {
                problems.add(name + " is " + describe(given) + " and not " + describe(tensor));
            }
        });
        state.keySet().stream()
                .filter(name -> !current.containsKey(name))
                .forEach(name -> problems.add(name + " is unknown"));
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(op + ": " + String.join("; ", problems));
        }
    }

    private static String describe(Tensor tensor) {
        return Shape.text(tensor.shape()) + " " + tensor.dtype();
    }
}
