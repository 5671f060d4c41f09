package org.toydiff.nn;

/// What becomes of the losses of single elements.
public enum Reduction {
    /// Their mean.
    MEAN,
    /// Their sum.
    SUM,
    /// They are returned as they are.
    NONE
}
