package org.toydiff.optim;

import org.toydiff.Tensor;

/// Divides the elements of parameters among processes that step together, each its own ones, with the state of these
/// alone: S. Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter models", 2020,
/// section 5.1 (optimizer state). [Optimizer#divide] uses it; parameters are counted as in [Optimizer#parameters()].
///
/// Every process calls the methods that communicate, [#sum] and [#whole], in the same order.
public interface Division {
    /// {@return the first of this process's elements of the flattened parameter, a multiple of
    /// [org.toydiff.Updates#UNIT]}
    ///
    /// @param parameter the number of the parameter
    long from(int parameter);

    /// {@return the end of this process's elements of the flattened parameter: a multiple of
    /// [org.toydiff.Updates#UNIT], or the parameter's size; [#from] if it has none}
    ///
    /// @param parameter the number of the parameter
    long to(int parameter);

    /// {@return the gradient of this process's elements, `[to - from]`, or null if the parameter has no gradient in any
    /// process and stays as it is}
    ///
    /// @param parameter the number of the parameter
    Tensor gradient(int parameter);

    /// Replaces numbers by their sums over all processes, of which one at most has a number other than 0: so the
    /// sums are exact.
    ///
    /// @param numbers the numbers
    void sum(double[] numbers);

    /// {@return the elements of all processes: a new tensor of the shape of the parameter in the innermost arena}
    ///
    /// @param parameter the number of the parameter
    /// @param own this process's elements, `[to - from]`
    Tensor whole(int parameter, Tensor own);
}
