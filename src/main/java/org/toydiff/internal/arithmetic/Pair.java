package org.toydiff.internal.arithmetic;

/// A sum of two numbers, the second small relative to the first.
record Pair(Real high, Real low) {
    /// {@return a constant in two parts}
    static Pair constant(Precision precision, double[] parts) {
        return new Pair(precision.constant(parts[0]), precision.constant(parts[1]));
    }

    /// {@return the exact sum of two numbers, the first of which is not smaller than the second, or is 0}
    static Pair sum(Real a, Real b) {
        Real high = a.add(b);
        return new Pair(high, a.subtract(high).add(b));
    }

    /// {@return the exact product of two numbers}
    static Pair product(Real a, Real b) {
        Real high = a.multiply(b);
        return new Pair(high, a.fma(b, high.negative()));
    }

    /// {@return this with `more` added to its second part}
    Pair plusLow(Real more) {
        return new Pair(high, low.add(more));
    }

    /// {@return the product of two pairs, without that of their second parts}
    Pair times(Pair b) {
        Pair product = product(high, b.high);
        return new Pair(product.high, high.fma(b.low, low.fma(b.high, product.low)));
    }

    /// {@return this where the condition holds, else b}
    Pair where(Condition condition, Pair b) {
        return new Pair(condition.select(high, b.high), condition.select(low, b.low));
    }
}
