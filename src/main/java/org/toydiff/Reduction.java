package org.toydiff;

/// What a reduction makes of the elements along the reduced axes.
enum Reduction {
    SUM,
    MEAN,
    MAX,
    MIN,
    STD,
    ARGMAX;

    /// Whether kept columns can be reduced row by row.
    boolean byColumns() {
        return this == SUM || this == MEAN || this == MAX || this == MIN;
    }
}
