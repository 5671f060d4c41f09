package org.toydiff;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.random.DefaultGenerator;
import org.toydiff.internal.random.DropoutMask;
import org.toydiff.internal.random.WeightTree;

/// Draws integers, permutations and samples. A tensor without memory draws nothing.
final class Sampling {
    private Sampling() {}

    /// Sets the elements of a fresh, contiguous tensor to random ones.
    @FunctionalInterface
    interface Draw {
        /// `x` has the parameters of the distribution, or is null.
        void fill(Tensor x, Tensor y, RandomGenerator source);
    }

    /// Uniform random values in [0, 1), with as many bits as the dtype has: rounded ones could round up to 1.
    static final Draw UNIFORM = (x, y, source) -> {
        DType dtype = y.dtype;
        for (long i = 0; i < y.size(); i++) {
            // The value first: the source may be the caller's code, which may close the arena.
            double value =
                    switch (dtype) {
                        case FLOAT64 -> source.nextDouble();
                        case BFLOAT16 -> (source.nextInt() >>> 24) * 0x1p-8;
                        default -> source.nextFloat();
                    };
            y.dtype.set(y.storage.segment(), y.offset + i, value);
        }
    };

    /// Standard normal random values.
    static final Draw NORMAL = (x, y, source) -> {
        for (long i = 0; i < y.size(); i++) {
            double value = source.nextGaussian();
            y.dtype.set(y.storage.segment(), y.offset + i, value);
        }
    };

    /// The result of `fill`, called with the default generator.
    static Tensor drawn(Function<RandomGenerator, Tensor> fill) {
        return DefaultGenerator.use(Scope.current().draws, fill);
    }

    /// The elements of a state of the default generator.
    static long[] generatorState(Tensor state) {
        long[] elements = state.dtype == DType.INT64 ? state.toLongArray() : new long[0];
        if (!DefaultGenerator.isState(elements)) {
            throw new IllegalArgumentException("setRandomState: " + Shape.text(state.shape) + " " + state.dtype
                    + " is no state of the generator; give a result of randomState()");
        }
        return elements;
    }

    /// Returns y, a fresh, contiguous tensor, with random elements, whose distribution depends on x, which may be
    /// null.
    static Tensor draw(Tensor x, Tensor y, RandomGenerator source, Draw draw) {
        if (!y.storage.isAbstract() && y.size() > 0) {
            draw.fill(x, y, source);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                Tensor parameters = recorder.reads(x);
                Tensor result = recorder.writes(y);
                recorder.keep(y.storage.op, again(source, each -> draw.fill(parameters, result, each)), result);
            }
        }
        return y;
    }

    /// Returns a task for replays, which draws again as `draw` did just now.
    private static Runnable again(RandomGenerator source, Consumer<RandomGenerator> draw) {
        return DefaultGenerator.again(Scope.current().draws, source, draw);
    }

    /// Sets elements of x to 0 with probability p and scales the others.
    static Tensor dropout(Tensor x, double p) {
        x.requireFloating("dropout");
        requireProbability("dropout", p);
        return dropout(x, dropoutMask(p, x));
    }

    /// Returns a mask with a key of its own, drawn unless there is nothing to drop.
    static DropoutMask dropoutMask(double p, Tensor dropped) {
        var mask = new DropoutMask(p);
        if (dropped.size() > 0 && !Launch.skips(dropped)) {
            DefaultGenerator.use(Scope.current().draws, source -> draw(mask, source));
        }
        return mask;
    }

    static void requireProbability(String op, double p) {
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException(op + ": " + p + " is no probability; give 0 to 1");
        }
    }

    private static DropoutMask draw(DropoutMask mask, RandomGenerator source) {
        mask.draw(source);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.keep(null, again(source, mask::draw), null);
        }
        return mask;
    }

    /// The gradient goes through the same mask.
    private static Tensor dropout(Tensor x, DropoutMask mask) {
        boolean recorded = Tensor.recorded(x);
        boolean overwrites = x.isDying() && x.isContiguous();
        Tensor y = overwrites ? x.view() : Tensor.make("dropout", x.dtype, x.shape, recorded);
        if (!x.isContiguous()) {
            Launch.unary(Families.copy(x.dtype), x, y);
        }
        Launch.dropout(mask, x.isContiguous() ? x : y, y);
        return recorded ? y.record("dropout", null, Rule.readsNothing(g -> dropout(g, mask)), x) : y;
    }

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
        return draw(null, Tensor.allocate("randint", null, dtype, shape), generator, (x, y, source) -> {
            for (long i = 0; i < y.size(); i++) {
                long value = low + below(source, high - low);
                dtype.setLong(y.storage.segment(), y.offset + i, value);
            }
        });
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
        return draw(null, Tensor.allocate("randperm", null, DType.INT64, n), generator, PERMUTATION);
    }

    private static final Draw PERMUTATION = (x, y, source) -> {
        for (long i = 0; i < y.size(); i++) {
            MemorySegment numbers = y.storage.segment();
            long other = below(source, i + 1);
            numbers.setAtIndex(JAVA_LONG, y.offset + i, numbers.getAtIndex(JAVA_LONG, y.offset + other));
            numbers.setAtIndex(JAVA_LONG, y.offset + other, i);
        }
    };

    static Tensor bernoulli(Tensor x, RandomGenerator generator) {
        return draw(x, Tensor.make("bernoulli", x.dtype, x.shape, false), generator, BERNOULLI);
    }

    private static final Draw BERNOULLI = (x, y, source) -> {
        boolean wide = x.dtype == DType.FLOAT64;
        boolean isContiguous = x.isContiguous();
        for (long i = 0; i < y.size(); i++) {
            long at = x.offset + (isContiguous ? i : Shape.offset(i, x.shape, x.strides));
            double probability = x.dtype.get(x.storage.segment(), at);
            double draw = wide ? source.nextDouble() : source.nextFloat();
            y.dtype.set(y.storage.segment(), y.offset + i, draw < probability ? 1 : 0);
        }
    };

    static Tensor multinomial(Tensor x, long count, boolean replacement, RandomGenerator generator) {
        boolean vector = x.shape.length == 1;
        Tensor rows = vector ? x.view(x.offset, Shape.withOne(x.shape, 0), Shape.withOne(x.strides, 0)) : x;
        long[] shape = {rows.shape[0], count};
        Tensor y = Tensor.make("multinomial", DType.INT64, vector ? new long[] {count} : shape, false);
        var tree = new WeightTree(rows.shape[1]);
        Tensor sums = Tensor.make("multinomial", DType.FLOAT64, new long[] {tree.nodes()}, true);
        try {
            if (!y.storage.isAbstract() && y.size() > 0) {
                sample(rows, replacement, tree, sums, y, generator);
                keepSample(rows, replacement, tree, sums, y, generator);
            }
        } finally {
            sums.freeScratch("multinomial");
        }
        return y;
    }

    private static void keepSample(
            Tensor rows, boolean replacement, WeightTree tree, Tensor sums, Tensor y, RandomGenerator generator) {
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            Tensor weights = recorder.reads(rows);
            Tensor nodes = recorder.writes(sums);
            Tensor drawn = recorder.writes(y);
            Runnable body = again(generator, source -> sample(weights, replacement, tree, nodes, drawn, source));
            recorder.keep("multinomial", body, drawn);
        }
    }

    private static void sample(
            Tensor rows, boolean replacement, WeightTree tree, Tensor sums, Tensor y, RandomGenerator generator) {
        long count = y.size() / rows.shape[0];
        tree.place(sums.storage.segment(), sums.offset);
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
}
