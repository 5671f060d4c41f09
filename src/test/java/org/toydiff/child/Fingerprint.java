package org.toydiff.child;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Linalg;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// Prints a checksum of the bits of each op's results and gradients, one line for each op: the same in every process,
/// but for products, the same in every process on one machine, for BLAS chooses its kernels by the processor.
public final class Fingerprint {
    /// All short sizes, one that is odd and longer, and one that several threads share.
    private static final int[] SIZES = {1_021, 70_003};

    private final CRC32C checksum = new CRC32C();
    private final SplittableRandom random = new SplittableRandom(1);

    private Fingerprint() {}

    /// Prints the checksums of every op.
    public static void main(String[] arguments) {
        unary().forEach((name, op) -> print(name, f -> f.each(x -> f.add(op, x))));
        binary().forEach((name, op) -> print(name, f -> f.each(x -> f.add(op, x, f.like(x)))));
        List.of("sgd", "momentum", "adam", "rmsprop", "lamb")
                .forEach(name -> print(name, f -> f.each(x -> f.step(name, x))));
        print("products", Fingerprint::addProducts);
        print("convolutions", Fingerprint::addConvolutions);
        print("attention", Fingerprint::addAttention);
        print("recurrence", Fingerprint::addRecurrence);
        print("linalg", Fingerprint::addDecompositions);
        print("integers", f -> f.each(f::addIntegers));
        print("bfloat16", f -> f.each(f::addBfloat16));
        print(
                "dropout",
                f -> f.each(x -> f.add(
                        t -> {
                            Tensor.manualSeed(1);
                            return t.dropout(0.3);
                        },
                        x)));
    }

    /// Conversions, arithmetic of integers, logic, and what moves elements.
    private void addIntegers(Tensor x) {
        Tensor int32 = x.cast(DType.INT32);
        Tensor int64 = x.cast(DType.INT64);
        Tensor positive = x.greater(0);
        List.of(
                        x.cast(DType.FLOAT64).cast(DType.FLOAT32),
                        int32.cast(x.dtype()),
                        int64.cast(x.dtype()),
                        positive.cast(x.dtype()),
                        int32.multiply(int32).add(int64.cast(DType.INT32)),
                        int64.multiply(int64).subtract(int32.cast(DType.INT64)).maximum(int64),
                        int32.abs().floorDivide(3),
                        int64.remainder(-3),
                        int32.fmod(-3),
                        int64.clamp(-2, 3).add(int64.relu()),
                        int64.sum(-1),
                        int64.max(-1),
                        int32.min(0),
                        int32.argmax(0),
                        int64.argmin(-1),
                        positive.logicalXor(int32.less(1)),
                        positive.any(0),
                        Tensor.where(positive, x, x.negative()))
                .forEach(this::add);
    }

    /// Few and many rows, a long inner axis, vectors and batches.
    private void addProducts() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (long[] size :
                    new long[][] {{3, 5, 7}, {32, 96, 512}, {300, 200, 70}, {10, 40, 4096}, {1, 900, 1200}}) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor a = numbers(dtype, size[0], size[2]);
                    Tensor b = numbers(dtype, size[2], size[1]);
                    add(Tensor::matmul, a, b);
                    add((x, z) -> x.linear(z, null), a, numbers(dtype, size[1], size[2]));
                    add(Tensor::matmul, a, numbers(dtype, size[2]));
                }
            }
            try (var arena = TensorArena.ofConfined()) {
                add(Tensor::matmul, numbers(dtype, 2, 3, 40, 50), numbers(dtype, 3, 50, 60));
            }
        }
    }

    /// Kernels of 3 by 3, strides, pointwise and depthwise ones, with several tiles and chunks of images.
    private void addConvolutions() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            try (var arena = TensorArena.ofConfined()) {
                convolve(numbers(dtype, 5, 3, 40, 41), numbers(dtype, 8, 3, 3, 3), 1, 1, 1);
                convolve(numbers(dtype, 1, 90, 9, 8), numbers(dtype, 4, 90, 3, 3), 2, 1, 1);
                convolve(numbers(dtype, 3, 16, 9, 9), numbers(dtype, 6, 16, 1, 1), 1, 0, 1);
                convolve(numbers(dtype, 3, 6, 33, 35), numbers(dtype, 12, 1, 3, 3), 1, 1, 6);
            }
        }
    }

    /// Small batches, and matrices for which LAPACK works in blocks.
    private void addDecompositions() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (long[] shape : new long[][] {{40, 3, 3}, {5, 33, 33}, {150, 150}}) {
                in(
                        numbers -> {
                            Tensor x = numbers.tanh();
                            Tensor one = Tensor.eye(dtype, x.size(-1));
                            Tensor square =
                                    Tensor.einsum("...ij,...kj->...ik", x, x).add(one);
                            add(Linalg::cholesky, square);
                            add(Linalg::inverse, square);
                            add(a -> Linalg.logDet(a).logAbsDet(), square);
                            add(Linalg::solve, square, x);
                            add(a -> Linalg.qr(a).q(), square);
                            add(a -> Linalg.svd(a).s(), square);
                            add(a -> Linalg.eigh(a).values(), square);
                        },
                        dtype,
                        shape);
            }
        }
    }

    /// One block and several, few heads and many.
    private void addAttention() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (long[] size : new long[][] {{2, 7, 5}, {1, 70, 1_000}, {9, 40, 600}}) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor k = numbers(dtype, size[0], size[2], 8).multiply(0.1);
                    Tensor mask = numbers(dtype, size[1], size[2]);
                    add(
                            (q, v) -> q.scaledDotProductAttention(k, v, mask, true),
                            numbers(dtype, size[0], size[1], 8),
                            numbers(dtype, size[0], size[2], 3));
                    Tensor q = numbers(dtype, size[0], size[1], 8);
                    add(x -> q.scaledDotProductAttention(x, x, mask.greater(0), false), k);
                }
            }
        }
    }

    /// One unit, some, and more rows than one part has.
    private void addRecurrence() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (long units : new long[] {1, 9, 64, 141}) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor x = numbers(dtype, 3, 40, 5);
                    Tensor state = numbers(dtype, 40, units);
                    Tensor weight = numbers(dtype, 4 * units, 5);
                    Tensor hidden = numbers(dtype, 4 * units, units);
                    Tensor three = hidden.slice(0, 0, 3 * units);
                    Tensor one = hidden.slice(0, 0, units);
                    add(
                            (a, b) -> a.lstm(state, state, b, hidden, null, null, null, null, false)
                                    .getFirst(),
                            x,
                            weight);
                    Tensor projected = numbers(dtype, 40, 3);
                    Tensor ofProjected = numbers(dtype, 4 * units, 3);
                    Tensor projection = numbers(dtype, 3, units);
                    add(
                            (a, b) -> a.lstm(projected, state, b, ofProjected, null, null, projection, null, true)
                                    .getFirst(),
                            x,
                            weight);
                    add(
                            (a, b) -> a.gru(state, b, three, null, null, null, false)
                                    .getFirst(),
                            x,
                            weight.slice(0, 0, 3 * units));
                    add(
                            (a, b) -> a.rnn(state, b, one, null, null, null, true, Activation.RELU)
                                    .getFirst(),
                            x,
                            weight.slice(0, 0, units));
                }
            }
        }
    }

    private void convolve(Tensor x, Tensor weight, long stride, long padding, long groups) {
        BinaryOperator<Tensor> op =
                (a, b) -> a.convolution(b, null, new long[] {stride}, new long[] {padding}, new long[] {1}, groups);
        add(op, x, weight);
        add(a -> a.unfold(new long[] {3}, new long[] {1}, new long[] {padding}, new long[] {stride}), x);
    }

    private void addBfloat16(Tensor x) {
        Tensor half = x.cast(DType.BFLOAT16);
        List.of(
                        half,
                        half.cast(x.dtype()),
                        half.exp(),
                        half.multiply(half).subtract(half.abs()),
                        half.greater(0.5),
                        half.sum(),
                        half.var(-1),
                        half.mean(0),
                        half.max(0),
                        half.softmax(-1),
                        half.cumsum(-1),
                        half.sort(-1).values())
                .forEach(this::add);
    }

    private interface Body {
        void run(Fingerprint fingerprint);
    }

    private interface Use {
        void of(Tensor x);
    }

    private static void print(String name, Body body) {
        var fingerprint = new Fingerprint();
        body.run(fingerprint);
        System.out.println(name + " " + Long.toHexString(fingerprint.checksum.getValue()));
    }

    private static Map<String, UnaryOperator<Tensor>> unary() {
        Map<String, UnaryOperator<Tensor>> ops = new LinkedHashMap<>();
        ops.put("abs", Tensor::abs);
        ops.put("cos", Tensor::cos);
        ops.put("cosh", Tensor::cosh);
        ops.put("erf", Tensor::erf);
        ops.put("exp", Tensor::exp);
        ops.put("gelu", Tensor::gelu);
        ops.put("geluTanh", Tensor::geluTanh);
        ops.put("elu", x -> x.elu(0.7));
        ops.put("hardswish", Tensor::hardswish);
        ops.put("mish", Tensor::mish);
        ops.put("log", x -> x.abs().log());
        ops.put("log1p", x -> x.abs().log1p());
        ops.put("negative", Tensor::negative);
        ops.put("reciprocal", Tensor::reciprocal);
        ops.put("relu", Tensor::relu);
        ops.put("sigmoid", Tensor::sigmoid);
        ops.put("sign", Tensor::sign);
        ops.put("sin", Tensor::sin);
        ops.put("sinh", Tensor::sinh);
        ops.put("sqrt", x -> x.abs().sqrt());
        ops.put("tan", Tensor::tan);
        ops.put("tanh", Tensor::tanh);
        ops.put("acos", x -> x.multiply(0.25).acos());
        ops.put("asin", x -> x.multiply(0.25).asin());
        ops.put("atan", Tensor::atan);
        ops.put("ceil", Tensor::ceil);
        ops.put("exp2", Tensor::exp2);
        ops.put("expm1", Tensor::expm1);
        ops.put("floor", Tensor::floor);
        ops.put("isFinite", Tensor::isFinite);
        ops.put("log2", x -> x.abs().log2());
        ops.put("log10", x -> x.abs().log10());
        ops.put("nanToNum", x -> x.log().nanToNum());
        ops.put("round", Tensor::round);
        ops.put("rsqrt", x -> x.abs().rsqrt());
        ops.put("trunc", Tensor::trunc);
        ops.put("clamp", x -> x.clamp(-1, 1));
        ops.put("sum", Tensor::sum);
        ops.put("mean", Tensor::mean);
        ops.put("max", Tensor::max);
        ops.put("var", Tensor::var);
        ops.put("std", Tensor::std);
        ops.put("norm", Tensor::norm);
        ops.put("softmax", x -> x.softmax(-1));
        ops.put("logSoftmax", x -> x.logSoftmax(-1));
        ops.put("logSumExp", x -> x.logSumExp(-1));
        ops.put("sort", x -> part(x).sort(-1).values());
        ops.put("cumsum", x -> x.cumsum(0));
        ops.put("cumprod", x -> x.cumprod(-1));
        ops.put("prod", Tensor::prod);
        ops.put("quantile", x -> part(x).quantile(new double[] {0.3, 0.9}, 0));
        ops.put("nanMean", x -> x.log().nanMean(0));
        ops.put("nanQuantile", x -> part(x).log().nanQuantile(0.3, 0));
        ops.put(
                "layerNorm",
                x -> x.layerNorm(
                        x.reshape(-1, x.size(-1)).get(0),
                        x.reshape(-1, x.size(-1)).get(0),
                        0.1));
        ops.put("rmsNorm", x -> x.rmsNorm(x.reshape(-1, x.size(-1)).get(0), 0.1));
        ops.put("batchNorm", x -> x.rank() == 2 ? grouped(x) : x);
        ops.put("pooling", x -> x.rank() == 2 && x.size(1) > 1 ? pooled(x.unsqueeze(0)) : x);
        ops.put("columns", x -> x.rank() == 2 ? x.mean(0).add(x.max(0)) : x);
        return ops;
    }

    private static Tensor grouped(Tensor x) {
        Tensor weight = x.mean(1);
        Tensor images = x.unsqueeze(0);
        return images.batchNorm(weight, weight, 0.1).values().add(images.groupNorm(1, weight, weight, 0.1));
    }

    private static Tensor pooled(Tensor x) {
        long[] ones = {1, 1};
        Tensor largest = x.maxPool(new long[] {3, 2}, ones, new long[] {1, 0}, ones, false);
        Tensor mean = x.avgPool(new long[] {3, 2}, ones, new long[] {1, 0}, false, true);
        long[] size = {largest.size(1), largest.size(2)};
        return largest.add(mean)
                .add(x.adaptiveAvgPool(size))
                .add(x.upsampleNearest(size))
                .add(x.upsampleLinear(false, size));
    }

    /// No more than some hundred elements of a run: sorting has one form only, and takes its time.
    private static Tensor part(Tensor x) {
        return x.slice(-1, 0, Math.min(500, x.size(-1)));
    }

    private static Map<String, BinaryOperator<Tensor>> binary() {
        Map<String, BinaryOperator<Tensor>> ops = new LinkedHashMap<>();
        ops.put("add", Tensor::add);
        ops.put("subtract", Tensor::subtract);
        ops.put("multiply", Tensor::multiply);
        ops.put("divide", Tensor::divide);
        ops.put("maximum", Tensor::maximum);
        ops.put("minimum", Tensor::minimum);
        ops.put("atan2", Tensor::atan2);
        ops.put("fmod", Tensor::fmod);
        ops.put("hypot", Tensor::hypot);
        ops.put("remainder", Tensor::remainder);
        ops.put("power", (a, b) -> a.abs().power(b));
        return ops;
    }

    /// Calls `use` with vectors, matrices and transposed matrices of both dtypes.
    private void each(Use use) {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (int n = 1; n <= 70; n++) {
                in(use, dtype, n);
                in(use, dtype, 3, n);
            }
            for (int n : SIZES) {
                in(use, dtype, n);
            }
            in(use, dtype, 41, 67);
            in(t -> use.of(t.transpose()), dtype, 17, 23);
            in(t -> use.of(t.slice(0, 1, t.size(0))), dtype, 40);
        }
    }

    private void in(Use use, DType dtype, long... shape) {
        try (var arena = TensorArena.ofConfined()) {
            use.of(numbers(dtype, shape));
        }
    }

    private Tensor numbers(DType dtype, long... shape) {
        double[] values = new double[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        Arrays.setAll(values, i -> i % 13 == 12 ? random.nextDouble(-1e4, 1e4) : random.nextDouble(-4, 4));
        return Tensor.of(dtype, values).reshape(shape);
    }

    private Tensor like(Tensor x) {
        return numbers(x.dtype(), x.shape());
    }

    private void add(UnaryOperator<Tensor> op, Tensor x) {
        Tensor leaf = x.detach().trackGradient();
        Tensor y = op.apply(leaf);
        add(y);
        if (y.tracksGradient()) {
            y.backward(like(y), Release.EAGER);
            add(leaf.gradient());
        }
    }

    private void add(BinaryOperator<Tensor> op, Tensor a, Tensor b) {
        Tensor left = a.detach().trackGradient();
        Tensor right = b.detach().trackGradient();
        Tensor y = op.apply(left, right);
        add(y);
        y.backward(like(y), Release.EAGER);
        add(left.gradient());
        add(right.gradient());
    }

    private void step(String name, Tensor x) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = x.copyTo(arena);
            Tensor g = like(p);
            Tensor m = like(p);
            Tensor v = like(p);
            v.copyFrom(v.abs());
            switch (name) {
                case "sgd" -> Updates.sgd(p, g, 0.1, 1e-4);
                case "momentum" -> Updates.sgd(p, g, m, 0.1, 1, 0.9, true, 1e-4);
                case "adam" -> Updates.adam(p, g, m, v, 3, 1e-3, 0.9, 0.999, 1e-8, 1e-4, 1);
                case "rmsprop" -> Updates.adaptive(p, g, v, m, 1e-2, 0.99, 0.01, 1e-8, 0.9, 0);
                default -> Updates.lamb(p, g, m, v, 3, 1e-3, 0.9, 0.999, 1e-6, 1e-2);
            }
            add(p);
            add(m);
            add(v);
        }
    }

    private void add(Tensor y) {
        double[] values = y.toDoubleArray();
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES);
        for (double value : values) {
            // One pattern for all NaN: sign and payload are the processor's own.
            bytes.putLong(Double.doubleToLongBits(value));
        }
        checksum.update(bytes.flip());
    }
}
