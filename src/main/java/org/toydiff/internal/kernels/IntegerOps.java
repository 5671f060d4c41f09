package org.toydiff.internal.kernels;

/// Comparisons of two integers; see [IntegerComparisonLoop].
final class IntegerOps {
    private IntegerOps() {}

    static boolean greater(long a, long b) {
        return a > b;
    }

    static boolean greaterOrEqual(long a, long b) {
        return a >= b;
    }

    static boolean less(long a, long b) {
        return a < b;
    }

    static boolean lessOrEqual(long a, long b) {
        return a <= b;
    }

    static boolean equalTo(long a, long b) {
        return a == b;
    }
}
