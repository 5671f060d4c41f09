package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/// An array of doubles in row-major order: what a tensor's elements are known to be.
record Dense(long[] shape, double[] values) {
    /// What an op cannot do with its operands' shapes or positions: the library must refuse it, too.
    static final class Misfit extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /// Throws a [Misfit] unless a condition holds.
    static void require(boolean fits) {
        if (!fits) {
            throw new Misfit();
        }
    }

    /// The array whose element at each index is what a function gives for that index.
    static Dense build(long[] shape, ToDoubleFunction<long[]> element) {
        double[] values = new double[Math.toIntExact(size(shape))];
        long[] index = new long[shape.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = element.applyAsDouble(index);
            for (int axis = shape.length - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--) {
                index[axis] = 0;
            }
        }
        return new Dense(shape, values);
    }

    /// `0, 1, 2 …`: a name for each element of a new block.
    static Dense cells(long[] shape) {
        double[] values = new double[Math.toIntExact(size(shape))];
        Arrays.setAll(values, i -> i);
        return new Dense(shape, values);
    }

    static long size(long[] shape) {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    int rank() {
        return shape.length;
    }

    int size() {
        return values.length;
    }

    double at(long... index) {
        long position = 0;
        for (int axis = 0; axis < shape.length; axis++) {
            position = position * shape[axis] + index[axis];
        }
        return values[(int) position];
    }

    /// The element that broadcasting sees at an index of a shape that this stretches to.
    double stretchedAt(long[] index) {
        long position = 0;
        for (int axis = 0; axis < shape.length; axis++) {
            long i = shape[axis] == 1 ? 0 : index[index.length - shape.length + axis];
            position = position * shape[axis] + i;
        }
        return values[(int) position];
    }

    boolean isFinite() {
        return Arrays.stream(values).allMatch(Double::isFinite);
    }

    /// Whether two elements are equal.
    boolean repeats() {
        return Arrays.stream(values).distinct().count() < values.length;
    }

    @Override
    public String toString() {
        return Arrays.toString(shape);
    }
}
