package org.toydiff.internal.fusion;

import java.util.Arrays;

/// The layout of an operand's elements along a row.
enum Columns {
    /// One after another.
    CONTIGUOUS,

    /// One element for the whole row.
    REPEATED,

    /// At any other distance.
    STRIDED;

    static Columns of(long step) {
        return step == 1 ? CONTIGUOUS : step == 0 ? REPEATED : STRIDED;
    }

    static Columns[] of(long[] steps) {
        return Arrays.stream(steps).mapToObj(Columns::of).toArray(Columns[]::new);
    }

    /// {@return steps between columns, 0 or 1, of operands that are not strided}
    static long[] steps(Columns[] columns) {
        return Arrays.stream(columns)
                .mapToLong(each -> each == CONTIGUOUS ? 1 : 0)
                .toArray();
    }

    /// {@return whether no operand is strided}
    static boolean adjacent(Columns[] columns) {
        return !Arrays.asList(columns).contains(STRIDED);
    }
}
