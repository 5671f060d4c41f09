package org.toydiff.train.metrics;

import java.util.regex.Pattern;
import org.toydiff.Stateful;
import org.toydiff.Tensor;

/// A measure of the quality of outputs, accumulated over batches.
///
/// The value over several batches is the value over all their examples, not the mean of the values of the batches.
/// Metrics are not thread-safe.
public interface Metric extends Stateful {
    /// Checks the name of a metric or of a column of a history.
    ///
    /// @param name the name
    /// @return the name
    /// @throws IllegalArgumentException if it is empty or has a blank, a comma, a quote or a character beyond ASCII
    static String requireName(String name) {
        if (!Pattern.matches("[\\p{Graph}&&[^,\"]]+", name)) {
            throw new IllegalArgumentException("history: \"" + name
                    + "\" is not a name for a column; use visible ASCII without commas and quotes");
        }
        return name;
    }

    /// Returns the name in histories, progress and reports.
    ///
    /// @return `accuracy` for instance: lower case, words joined by `_`
    String name();

    /// Adds a batch. Records nothing for gradients, and frees its temporaries before it returns.
    ///
    /// @param output the output of the model; not modified
    /// @param target the targets; not modified
    /// @throws IllegalArgumentException if the shapes do not fit; nothing is added then
    void update(Tensor output, Tensor target);

    /// Returns the value over the batches added since [#reset()].
    ///
    /// @return the value, NaN if it is not defined, as without examples
    double value();

    /// Removes all batches.
    void reset();

    /// Returns whether larger values are better.
    ///
    /// @return true, unless overridden
    default boolean higherIsBetter() {
        return true;
    }
}
