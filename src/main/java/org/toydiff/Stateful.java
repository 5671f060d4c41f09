package org.toydiff;

import java.util.Map;

/// What can be saved and put back: a module, an optimizer, a schedule, a loader.
///
/// Everything is a tensor, numbers too (INT64 or FLOAT64, `[1]`), so that one file format holds any state exactly.
public interface Stateful {
    /// What must be saved, under names that stay the same from run to run.
    ///
    /// @return tensors in a fixed order: the live ones where the state is tensors, new ones in the innermost arena
    ///     where it is numbers
    Map<String, Tensor> stateDict();

    /// Puts back what [#stateDict()] gave, by copying it; nothing is changed unless all of it fits.
    ///
    /// @param state a tensor of the same shape and dtype for each name of [#stateDict()]
    /// @throws IllegalArgumentException naming what is missing, unknown or of another shape or dtype
    void loadStateDict(Map<String, Tensor> state);
}
