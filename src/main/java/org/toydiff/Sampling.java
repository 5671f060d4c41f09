package org.toydiff;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.random.WeightTree;

/// Draws integers, permutations and samples. A tensor without memory draws nothing.
final class Sampling {
    private Sampling() {}

    /// Uniform integers from `low` to `high − 1`.
    static Tensor integers(DType dtype, RandomGenerator generator, long low, long high, long[] shape) {
        if (dtype != DType.INT32 && dtype != DType.INT64) {
            throw new IllegalArgumentException(
                    "randint: draws integers, not " + dtype + "; draw INT64 and cast the result");
        }
        if (low >= high) {
            throw new IllegalArgumentException(
                    "randint: there are no integers from " + low + " to below " + high + "; give low below high");
        }
        if (dtype == DType.INT32 && (low < Integer.MIN_VALUE || high - 1 > Integer.MAX_VALUE)) {
            throw new IllegalArgumentException(
                    "randint: " + low + " to " + (high - 1) + " are not all of INT32; draw INT64");
        }
        Tensor y = Tensor.allocate("randint", null, dtype, shape);
        for (long i = 0; i < elements(y); i++) {
            long value = low + below(generator, high - low);
            dtype.setLong(y.storage.segment(), y.offset + i, value);
        }
        return y;
    }

    /// A uniform integer from 0 to `bound − 1`, `bound` read as unsigned: the first of as many random bits as the
    /// largest one has that is below the bound, so that all are equally likely.
    private static long below(RandomGenerator generator, long bound) {
        long largest = bound - 1;
        int unused = Long.numberOfLeadingZeros(largest);
        if (unused == Long.SIZE) {
            return 0;
        }
        long value;
        do {
            value = generator.nextLong() >>> unused;
        } while (Long.compareUnsigned(value, largest) > 0);
        return value;
    }

    /// The numbers below n in random order: R. Durstenfeld, "Algorithm 235: random permutation", CACM 7(7), 1964.
    static Tensor permutation(RandomGenerator generator, long n) {
        Tensor y = Tensor.allocate("randperm", null, DType.INT64, n);
        for (long i = 0; i < elements(y); i++) {
            MemorySegment numbers = y.storage.segment();
            long other = below(generator, i + 1);
            numbers.setAtIndex(JAVA_LONG, y.offset + i, numbers.getAtIndex(JAVA_LONG, y.offset + other));
            numbers.setAtIndex(JAVA_LONG, y.offset + other, i);
        }
        return y;
    }

    static Tensor bernoulli(Tensor x, RandomGenerator generator) {
        Tensor y = Tensor.make("bernoulli", x.dtype, x.shape, false);
        if (!y.storage.isAbstract()) {
            boolean wide = x.isWide();
            x.forEach((i, probability) -> {
                double draw = wide ? generator.nextDouble() : generator.nextFloat();
                y.dtype.set(y.storage.segment(), y.offset + i, draw < probability ? 1 : 0);
            });
        }
        return y;
    }

    static Tensor multinomial(Tensor x, long count, boolean replacement, RandomGenerator generator) {
        boolean vector = x.shape.length == 1;
        Tensor rows = vector ? x.view(x.offset, Shape.withOne(x.shape, 0), Shape.withOne(x.strides, 0)) : x;
        long[] shape = {rows.shape[0], count};
        Tensor y = Tensor.make("multinomial", DType.INT64, vector ? new long[] {count} : shape, false);
        if (y.storage.isAbstract()) {
            return y;
        }
        try (var scratch = Arena.ofConfined()) {
            var tree = new WeightTree(scratch, rows.shape[1]);
            for (long i = 0; i < rows.shape[0]; i++) {
                load(tree, rows, i, replacement ? 1 : count);
                for (long j = 0; j < count; j++) {
                    long position = tree.find(generator.nextDouble());
                    y.dtype.setLong(y.storage.segment(), y.offset + i * count + j, position);
                    if (!replacement) {
                        tree.remove(position);
                    }
                }
            }
        }
        return y;
    }

    private static void load(WeightTree tree, Tensor rows, long row, long needed) {
        long positive = 0;
        for (long j = 0; j < rows.shape[1]; j++) {
            long at = rows.offset + row * rows.strides[0] + j * rows.strides[1];
            double weight = rows.dtype.get(rows.storage.segment(), at);
            positive += weight > 0 ? 1 : 0;
            tree.load(j, weight);
        }
        tree.addUp();
        if (positive < needed || tree.total() == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("multinomial: row " + row + " of " + Shape.text(rows.shape) + " has "
                    + positive + " weights above 0, with a sum of " + tree.total() + "; it needs at least " + needed
                    + ", with a finite sum");
        }
    }

    private static long elements(Tensor y) {
        return y.storage.isAbstract() ? 0 : y.size();
    }
}
