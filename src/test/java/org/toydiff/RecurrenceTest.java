package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.internal.recurrence.Cell;

/// Recurrent layers against their definition as a composition of ops, their gradients against differences.
@Tag("kernels")
class RecurrenceTest {
    private static final long[][] SIZES = {
        {1, 1, 1, 1}, {1, 2, 3, 2}, {4, 1, 2, 1}, {5, 3, 4, 6}, {3, 5, 1, 17}, {2, 70, 3, 65}
    };

    private static final long[] PANELS = {16, 70, 3, 160};

    /// A call of an op on T steps of B sequences.
    ///
    /// @param sizes T, B, in and H
    record Call(Cell cell, long[] sizes, boolean biased, boolean padded, boolean reverse) {
        static Stream<Call> all() {
            List<Call> calls = new ArrayList<>();
            for (Cell cell : Cell.values()) {
                for (int i = 0; i < SIZES.length; i++) {
                    for (int flags = 0; flags < 8; flags++) {
                        calls.add(new Call(cell, SIZES[i], (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0));
                    }
                }
            }
            return calls.stream();
        }

        /// Of so many steps of so large layers that some libraries multiply panels of the weight. Without relu: among
        /// so many sums one is near 0, on the other side in the composition.
        static Stream<Call> inPanels() {
            return Arrays.stream(Cell.values())
                    .filter(cell -> cell != Cell.RNN_RELU)
                    .map(cell -> new Call(cell, PANELS, true, true, true));
        }

        /// The elements of h: where it is projected and there are few units, more than these in some cases, which
        /// layers refuse and the op takes.
        long width() {
            long units = sizes[3];
            return cell != Cell.PROJECTED_LSTM ? units : units < 100 ? 3 : units / 2;
        }

        static Stream<Call> some() {
            return all().filter(call -> call.sizes == SIZES[3]);
        }

        List<Tensor> inputs(DType dtype) {
            long steps = sizes[0];
            long batch = sizes[1];
            long in = sizes[2];
            long units = sizes[3];
            long width = width();
            long rows = cell.gates * units;
            var random = new Random(7);
            List<Tensor> inputs = new ArrayList<>();
            inputs.add(Tensor.randn(dtype, random, steps, batch, in));
            inputs.add(Tensor.randn(dtype, random, rows, in));
            inputs.add(Tensor.randn(dtype, random, rows, width).divide(Math.sqrt(width)));
            inputs.add(Tensor.randn(dtype, random, batch, width));
            if (cell.isLstm()) {
                inputs.add(Tensor.randn(dtype, random, batch, units));
            }
            if (biased) {
                inputs.add(Tensor.randn(dtype, random, rows));
                inputs.add(Tensor.randn(dtype, random, rows));
            }
            if (cell == Cell.PROJECTED_LSTM) {
                inputs.add(Tensor.randn(dtype, random, width, units).divide(Math.sqrt(units)));
            }
            return inputs;
        }

        Tensor lengths() {
            int[] lengths = new int[(int) sizes[1]];
            Arrays.setAll(lengths, i -> 1 + (int) ((2 * i + 2) % sizes[0]));
            return Tensor.of(lengths);
        }

        List<Tensor> run(List<Tensor> inputs) {
            return run(inputs, padded ? lengths() : null);
        }

        List<Tensor> run(List<Tensor> in, Tensor lengths) {
            int bias = cell.isLstm() ? 5 : 4;
            Tensor weightHr = cell == Cell.PROJECTED_LSTM ? in.getLast() : null;
            Tensor biasIh = biased ? in.get(bias) : null;
            Tensor biasHh = biased ? in.get(bias + 1) : null;
            Tensor x = in.get(0);
            return switch (cell) {
                case LSTM, PROJECTED_LSTM ->
                    x.lstm(in.get(3), in.get(4), in.get(1), in.get(2), biasIh, biasHh, weightHr, lengths, reverse);
                case GRU -> x.gru(in.get(3), in.get(1), in.get(2), biasIh, biasHh, lengths, reverse);
                case RNN_TANH, RNN_RELU ->
                    x.rnn(in.get(3), in.get(1), in.get(2), biasIh, biasHh, lengths, reverse, activation());
            };
        }

        Activation activation() {
            return cell == Cell.RNN_TANH ? Activation.TANH : Activation.RELU;
        }

        /// As [#run], from ops on each step.
        List<Tensor> composed(List<Tensor> in) {
            Tensor[] operands = in.toArray(Tensor[]::new);
            long steps = sizes[0];
            Tensor inside = null;
            if (padded) {
                Tensor outside = Tensor.arange(DType.INT32, 0, steps, 1)
                        .reshape(steps, 1)
                        .greaterOrEqual(lengths());
                operands = Arrays.copyOf(operands, operands.length + 1);
                operands[operands.length - 1] = outside;
                inside = outside.logicalNot().cast(in.getFirst().dtype).reshape(steps, sizes[1], 1);
            }
            var layer = new RecurrentLayer("composed", cell, biased, padded, reverse);
            List<Tensor> results = new ArrayList<>(layer.results(layer.composed(operands), operands));
            if (padded) {
                results.set(0, results.getFirst().multiply(inside));
            }
            return results;
        }

        @Override
        public String toString() {
            return cell + " " + Arrays.toString(sizes) + (biased ? " biased" : "") + (padded ? " padded" : "")
                    + (reverse ? " reverse" : "");
        }
    }

    /// A number to which every result contributes differently.
    private static Tensor loss(List<Tensor> results) {
        var random = new Random(3);
        Tensor loss = Tensor.scalar(results.getFirst().dtype, 0);
        for (Tensor result : results) {
            loss = loss.add(result.multiply(Tensor.randn(result.dtype, random, result.shape))
                    .sum());
        }
        return loss;
    }

    private static void requireClose(Tensor expected, Tensor actual, String what) {
        double tolerance = expected.dtype == DType.FLOAT64 ? 1e-12 : 2e-4;
        assertArrayEquals(expected.shape, actual.shape, what);
        double[] want = expected.toDoubleArray();
        double[] got = actual.toDoubleArray();
        for (int i = 0; i < want.length; i++) {
            assertEquals(want[i], got[i], tolerance * Math.max(1, Math.abs(want[i])), what + " at " + i);
        }
    }

    @TestFactory
    Stream<DynamicTest> resultsAndGradientsAreThoseOfTheComposition() {
        return Stream.of(DType.FLOAT32, DType.FLOAT64).flatMap(dtype -> Stream.concat(Call.all(), Call.inPanels())
                .map(call -> dynamicTest(call + " " + dtype, () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        List<Tensor> inputs = call.inputs(dtype);
                        List<Tensor> untracked = call.run(inputs);
                        inputs.forEach(Tensor::trackGradient);
                        List<Tensor> expected = call.composed(inputs);
                        List<Tensor> actual = call.run(inputs);
                        for (int i = 0; i < expected.size(); i++) {
                            requireClose(expected.get(i), actual.get(i), "result " + i);
                            assertArrayEquals(
                                    actual.get(i).toDoubleArray(),
                                    untracked.get(i).toDoubleArray());
                        }
                        List<Tensor> want = Autograd.gradients(loss(expected), inputs);
                        List<Tensor> got = Autograd.gradients(loss(actual), inputs);
                        for (int i = 0; i < want.size(); i++) {
                            requireClose(want.get(i), got.get(i), "gradient " + i);
                        }
                    }
                })));
    }

    @TestFactory
    Stream<DynamicTest> gradientsAreTheDifferences() {
        return Call.some()
                .filter(call -> call.cell != Cell.RNN_RELU)
                .map(call -> dynamicTest(call.toString(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Tensor[] inputs = call.inputs(DType.FLOAT64).toArray(Tensor[]::new);
                        Function<List<Tensor>, Tensor> f = in -> loss(call.run(in));
                        GradientCheck.check(f, inputs);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> eachOperandHasItsGradientAlone() {
        return Call.some()
                .map(call -> dynamicTest(call.toString(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        List<Tensor> all = call.inputs(DType.FLOAT64);
                        all.forEach(Tensor::trackGradient);
                        List<Tensor> want = Autograd.gradients(loss(call.run(all)), all);
                        for (int i = 0; i < all.size(); i++) {
                            List<Tensor> inputs = call.inputs(DType.FLOAT64);
                            Tensor one = inputs.get(i).trackGradient();
                            loss(call.run(inputs)).backward(Release.EAGER);
                            assertArrayEquals(
                                    want.get(i).toDoubleArray(), one.gradient().toDoubleArray());
                        }
                    }
                }));
    }

    /// Of a layer so small that all its kernels have the scalar form, which makes no objects.
    @TestFactory
    Stream<DynamicTest> stepsTakeNoJavaHeap() {
        var bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Stream.of(Cell.values())
                .map(cell -> dynamicTest(cell.toString(), () -> {
                    long[] least = {Long.MAX_VALUE, Long.MAX_VALUE};
                    for (int i = 0; i < 3_000 && (least[0] != least[1] || i < 2); i++) {
                        for (int k = 0; k < 2; k++) {
                            try (var arena = TensorArena.ofConfined()) {
                                var call = new Call(cell, new long[] {k == 0 ? 2 : 40, 2, 3, 2}, true, false, false);
                                List<Tensor> inputs = call.inputs(DType.FLOAT32);
                                inputs.forEach(Tensor::trackGradient);
                                long before = bean.getCurrentThreadAllocatedBytes();
                                call.run(inputs).getFirst().sum().backward(Release.EAGER);
                                least[k] = Math.min(least[k], bean.getCurrentThreadAllocatedBytes() - before);
                            }
                        }
                    }
                    assertEquals(least[0], least[1]);
                }));
    }

    /// The gradients of a number that depends on all gradients.
    private static List<Tensor> secondGradients(List<Tensor> results, List<Tensor> inputs) {
        return Autograd.gradients(loss(Autograd.gradients(loss(results), inputs, true)), inputs);
    }

    @TestFactory
    Stream<DynamicTest> secondGradientsAreThoseOfTheComposition() {
        return Call.some()
                .map(call -> dynamicTest(call.toString(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        List<Tensor> inputs = call.inputs(DType.FLOAT64);
                        inputs.forEach(Tensor::trackGradient);
                        List<Tensor> want = secondGradients(call.composed(inputs), inputs);
                        List<Tensor> got = secondGradients(call.run(inputs), inputs);
                        for (int i = 0; i < want.size(); i++) {
                            requireClose(want.get(i), got.get(i), "gradient " + i);
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> thePredictedPeakIsTheMeasuredOne() {
        return Stream.of(Release.values()).flatMap(release -> Stream.concat(Call.some(), Call.inPanels())
                .map(call -> dynamicTest(call + " " + release, () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        List<Tensor> inputs = call.inputs(DType.FLOAT32);
                        inputs.forEach(Tensor::trackGradient);
                        Tensor lengths = call.lengths();
                        loss(call.run(inputs, call.padded ? lengths : null)).backward();
                        inputs.forEach(Tensor::zeroGradient);
                        try (var step = TensorArena.ofConfined()) {
                            Tensor loss = loss(call.run(inputs, call.padded ? lengths : null));
                            long predicted = loss.releaseSchedule().peakBytes();
                            loss.backward(release);
                            if (release == Release.EAGER) {
                                assertEquals(predicted, step.peakBytes());
                            } else {
                                assertTrue(predicted <= step.peakBytes());
                            }
                        }
                    }
                })));
    }

    @TestFactory
    Stream<DynamicTest> aCompiledStepReplaysTheEagerBits() {
        return Stream.concat(Call.some(), Call.inPanels())
                .map(call -> dynamicTest(call.toString(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        List<Tensor> inputs = call.inputs(DType.FLOAT32);
                        Tensor x = inputs.getFirst();
                        List<Tensor> parameters = inputs.subList(1, inputs.size());
                        parameters.forEach(Tensor::trackGradient);
                        Tensor lengths = call.lengths();
                        Function<Tensor, Tensor> step = input -> {
                            parameters.forEach(Tensor::zeroGradient);
                            List<Tensor> in = new ArrayList<>(List.of(input));
                            in.addAll(parameters);
                            List<Tensor> results = call.run(in, call.padded ? lengths : null);
                            Tensor loss = results.getFirst()
                                    .sum()
                                    .add(results.getLast().sum());
                            loss.backward(Release.EAGER);
                            return loss;
                        };
                        try (var compiled = CompiledFunction.of(step::apply)) {
                            Tensor other = x.multiply(0.5);
                            compiled.run(x);
                            double replayed = compiled.run(other).item();
                            List<double[]> gradients = new ArrayList<>();
                            parameters.forEach(p -> gradients.add(p.gradient().toDoubleArray()));
                            assertEquals(1, compiled.recordings());
                            assertEquals(step.apply(other).item(), replayed);
                            for (int i = 0; i < gradients.size(); i++) {
                                assertArrayEquals(
                                        parameters.get(i).gradient().toDoubleArray(),
                                        gradients.get(i),
                                        "gradient " + i);
                            }
                        }
                    }
                }));
    }

    @Test
    void aCheckpointComputesTheStepsAgain() {
        try (var arena = TensorArena.ofConfined()) {
            var call = new Call(Cell.LSTM, SIZES[3], true, true, true);
            List<Tensor> inputs = call.inputs(DType.FLOAT32);
            inputs.forEach(Tensor::trackGradient);
            List<Tensor> want = Autograd.gradients(call.run(inputs).getFirst().sum(), inputs);
            List<Tensor> parameters = inputs.subList(1, inputs.size());
            Tensor y = Autograd.checkpoint(
                    x -> {
                        List<Tensor> in = new ArrayList<>(List.of(x));
                        in.addAll(parameters);
                        return call.run(in).getFirst();
                    },
                    inputs.getFirst(),
                    parameters);
            y.sum().backward(Release.EAGER);
            for (int i = 0; i < want.size(); i++) {
                assertArrayEquals(
                        want.get(i).toDoubleArray(), inputs.get(i).gradient().toDoubleArray(), "gradient " + i);
            }
        }
    }

    @Test
    void autocastRegionsComputeInFloat32() {
        try (var arena = TensorArena.ofConfined()) {
            var call = new Call(Cell.LSTM, SIZES[3], true, false, false);
            List<Tensor> inputs = call.inputs(DType.FLOAT32);
            List<Tensor> halves = new ArrayList<>(inputs);
            for (int i : new int[] {0, 3, 4}) {
                halves.set(i, inputs.get(i).cast(DType.BFLOAT16).trackGradient());
                inputs.set(i, halves.get(i).cast(DType.FLOAT32));
            }
            try (var region = Autocast.bfloat16()) {
                Tensor y = call.run(halves).getFirst();
                assertEquals(DType.FLOAT32, y.dtype());
                assertArrayEquals(call.run(inputs).getFirst().toFloatArray(), y.toFloatArray());
                y.sum().backward();
                assertEquals(DType.BFLOAT16, halves.getFirst().gradient().dtype());
            }
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> call.run(halves.stream()
                                    .map(t -> t.cast(DType.BFLOAT16))
                                    .toList()))
                    .getMessage();
            assertTrue(message.contains("cast(DType.FLOAT32) first"), message);
        }
    }

    @Test
    void operandsMayBeViews() {
        try (var arena = TensorArena.ofConfined()) {
            var call = new Call(Cell.LSTM, SIZES[3], true, true, false);
            List<Tensor> plain = call.inputs(DType.FLOAT32);
            List<Tensor> views = plain.stream()
                    .map(t -> {
                        int[] back = new int[t.rank()];
                        Arrays.setAll(back, i -> t.rank() - 1 - i);
                        return t.transpose(back)
                                .contiguousCopy("copy")
                                .transpose(back)
                                .trackGradient();
                    })
                    .toList();
            plain.forEach(Tensor::trackGradient);
            List<Tensor> want = Autograd.gradients(loss(call.run(plain)), plain);
            List<Tensor> got = Autograd.gradients(loss(call.run(views)), views);
            for (int i = 0; i < want.size(); i++) {
                requireClose(want.get(i), got.get(i), "gradient " + i);
            }
        }
    }

    @Test
    void resultsOfPaddingAreZeroWhateverStandsThere() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new float[] {1, 2, Float.NaN, 3, 4, 5}, 3, 2, 1);
            Tensor weight = Tensor.ones(3, 1);
            Tensor state = Tensor.zeros(2, 1);
            Tensor y = x.gru(state, weight, weight, null, null, Tensor.of(new int[] {1, 3}), false)
                    .getFirst();
            assertEquals(0, y.at(1, 0, 0));
            assertEquals(0, y.at(2, 0, 0));
            assertTrue(y.at(0, 0, 0) > 0 && y.at(2, 1, 0) > 0);
        }
    }

    @Test
    void aBatchMayBeEmpty() {
        try (var arena = TensorArena.ofConfined()) {
            for (Cell cell : Cell.values()) {
                var call = new Call(cell, new long[] {3, 0, 2, 4}, true, false, false);
                List<Tensor> inputs = call.inputs(DType.FLOAT32);
                inputs.forEach(Tensor::trackGradient);
                List<Tensor> results = call.run(inputs);
                assertArrayEquals(
                        new long[] {3, 0, call.width()}, results.getFirst().shape());
                results.getFirst().sum().backward(Release.EAGER);
                assertEquals(0, inputs.get(2).gradient().abs().sum().item());
            }
        }
    }

    @Test
    void operandsThatDoNotFitAreRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(3, 2, 5);
            Tensor h = Tensor.ones(2, 4);
            Tensor ih = Tensor.ones(16, 5);
            Tensor hh = Tensor.ones(16, 4);
            requireRefused("[T, B, in], [4·H, in]", () -> x.lstm(h, h, ih, ih, null, null, null, null, false));
            requireRefused("[3·H, H]", () -> x.gru(h, ih, hh, null, null, null, false));
            requireRefused(
                    "lstm: there is one bias of two; give both",
                    () -> x.lstm(h, h, ih, hh, Tensor.ones(16), null, null, null, false));
            requireRefused(
                    "length 4 of sequence 1",
                    () -> x.lstm(h, h, ih, hh, null, null, null, Tensor.of(new int[] {3, 4}), false));
            requireRefused(
                    "length 0 of sequence 0",
                    () -> x.lstm(h, h, ih, hh, null, null, null, Tensor.of(new int[] {0, 3}), false));
            requireRefused(
                    "one for each", () -> x.lstm(h, h, ih, hh, null, null, null, Tensor.of(new int[] {3}), false));
            Tensor projected = Tensor.ones(2, 3);
            Tensor hp = Tensor.ones(16, 3);
            requireRefused(
                    "[4·H, P], [B, P], [B, H], [4·H] twice or never, and [P, H] with elements",
                    () -> x.lstm(projected, h, ih, hp, null, null, Tensor.ones(4, 3), null, false));
            requireRefused(
                    "do not fit",
                    () -> x.lstm(projected, projected, ih, hp, null, null, Tensor.ones(3, 4), null, false));
            Tensor nothing = Tensor.ones(2, 0);
            requireRefused(
                    "with elements",
                    () -> x.lstm(nothing, h, ih, Tensor.ones(16, 0), null, null, Tensor.ones(0, 4), null, false));
            requireRefused("no steps", () -> Tensor.ones(0, 2, 5).lstm(h, h, ih, hh, null, null, null, null, false));
            requireRefused("TANH or RELU", () -> x.rnn(h, ih, hh, null, null, null, false, Activation.SIGMOID));
            assertEquals(
                    "cell",
                    assertThrows(
                                    NullPointerException.class,
                                    () -> x.lstm(h, null, ih, hh, null, null, null, null, false))
                            .getMessage());
            requireRefused("is float64", () -> x.lstm(h.cast(DType.FLOAT64), h, ih, hh, null, null, null, null, false));
        }
    }

    private static void requireRefused(String part, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(part), message);
    }
}
