package org.toydiff.train.metrics;

import java.util.regex.Pattern;
import org.toydiff.Stateful;
import org.toydiff.Tensor;

/// A number that tells how good outputs are, accumulated over batches.
///
/// The value over several batches is that over all their examples at once, not the mean of the batches' values.
/// Metrics are not safe for several threads.
public interface Metric extends Stateful {
    /// Checks a name: of a metric, and of any column of a history.
    ///
    /// @param name the name
    /// @return it
    /// @throws IllegalArgumentException if it is empty or has a blank, a comma, a quote or a character beyond ASCII
    static String requireName(String name) {
        if (!Pattern.matches("[\\p{Graph}&&[^,\"]]+", name)) {
            throw new IllegalArgumentException(
                    "history: \"" + name + "\" is no name for a column; use visible ASCII without commas and quotes");
        }
        return name;
    }

    /// What it is called in histories, progress and reports.
    ///
    /// @return `accuracy` for instance: lower case, words joined by `_`
    String name();

    /// Adds a batch. Nothing is recorded, and what is made on the way is freed before it returns.
    ///
    /// @param output what the model gave; not modified
    /// @param target what was asked for; not modified
    /// @throws IllegalArgumentException if the shapes do not fit; nothing is added then
    void update(Tensor output, Tensor target);

    /// The value over what was added since [#reset()].
    ///
    /// @return the value, NaN when there is nothing it could be computed from
    double value();

    /// Forgets what was added.
    void reset();

    /// Whether a larger value is a better one.
    ///
    /// @return true, unless overridden
    default boolean higherIsBetter() {
        return true;
    }
}
