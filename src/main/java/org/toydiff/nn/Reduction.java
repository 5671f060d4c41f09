package org.toydiff.nn;

/// How the losses of rows or elements are reduced.
public enum Reduction {
    /// The mean of the losses.
    MEAN,
    /// The sum of the losses.
    SUM,
    /// The losses themselves.
    NONE
}
