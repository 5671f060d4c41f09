package org.toydiff.internal.launch;

/// The kinds of reductions.
public enum ReductionKind {
    SUM,
    MEAN,
    MAX,
    MIN,
    STD,
    NORM,
    VAR,
    ARGMAX,
    ARGMIN;

    /// {@return whether kept columns can be reduced row by row}
    boolean byColumns() {
        return this == SUM || this == MEAN || this == MAX || this == MIN;
    }

    /// {@return whether integers have it}
    public boolean takesIntegers() {
        return this == SUM || this == MAX || this == MIN;
    }

    /// {@return whether the result is a position, not a value}
    public boolean isPosition() {
        return this == ARGMAX || this == ARGMIN;
    }
}
