package org.toydiff.internal.launch;

/// What a reduction makes of the elements along the reduced axes.
public enum Reduction {
    SUM,
    MEAN,
    MAX,
    MIN,
    STD,
    NORM,
    VAR,
    ARGMAX,
    ARGMIN;

    /// Whether kept columns can be reduced row by row.
    boolean byColumns() {
        return this == SUM || this == MEAN || this == MAX || this == MIN;
    }

    /// Whether it tells a position and no value.
    public boolean tellsPosition() {
        return this == ARGMAX || this == ARGMIN;
    }
}
