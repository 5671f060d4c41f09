package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.Checkpoint;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;

/// Activation checkpoints: the function itself is the oracle.
class RecomputeTest {
    private record Result(float[] y, float[] x, float[] w, long peak) {}

    private static Result run(boolean checkpointed, Release release) {
        long before = Memory.liveBytes();
        try (var model = TensorArena.ofConfined()) {
            Tensor.manualSeed(4);
            Tensor x = Tensor.randn(64, 32).trackGradient();
            Tensor w = Tensor.randn(32, 32).multiply(0.1).detach().copyTo(model).trackGradient();
            try (var step = TensorArena.ofConfined()) {
                UnaryOperator<Tensor> block = t -> {
                    Tensor h = t;
                    for (int i = 0; i < 6; i++) {
                        h = h.linear(w, null, Activation.TANH).multiply(Tensor.rand(64, 32));
                    }
                    return h;
                };
                Tensor h = x.multiply(2);
                for (int i = 0; i < 3; i++) {
                    h = checkpointed ? Autograd.checkpoint(block, h, List.of(w)) : block.apply(h);
                }
                Tensor y = h.sum();
                y.backward(release);
                return new Result(
                        y.toFloatArray(),
                        x.gradient().toFloatArray(),
                        w.gradient().toFloatArray(),
                        step.peakBytes());
            }
        } finally {
            assertEquals(before, Memory.liveBytes());
        }
    }

    @Test
    void gradientsAreTheFunctionsOwnAndMemoryIsSaved() {
        for (Release release : Release.values()) {
            Result plain = run(false, release);
            Result saved = run(true, release);
            assertArrayEquals(plain.y, saved.y);
            assertArrayEquals(plain.x, saved.x);
            assertArrayEquals(plain.w, saved.w, 1e-4f);
            assertTrue(saved.peak < plain.peak * 0.7, saved.peak + " and " + plain.peak);
        }
    }

    @Test
    void gradientsOfGradientsGoThroughIt() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.rand(DType.FLOAT64, 3, 4);
            UnaryOperator<Tensor> f =
                    t -> Autograd.checkpoint(u -> u.multiply(u).exp().sin(), t.tanh(), List.of());
            GradientCheck.check(f, x);
            GradientCheck.check(t -> Oracles.gradientOf(f, t), x);
        }
    }

    @Test
    void whatGivesItsInputOrReadsNoInputIsDifferentiatedToo() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(1, 2).trackGradient();
            Tensor w = Tensor.of(3, 4).trackGradient();
            Autograd.checkpoint(t -> t, x.multiply(5), List.of()).sum().backward(Release.EAGER);
            assertArrayEquals(new float[] {5, 5}, x.gradient().toFloatArray());
            x.zeroGradient();
            Autograd.checkpoint(t -> w.multiply(2), x, List.of(w)).sum().backward(Release.EAGER);
            assertArrayEquals(new float[] {2, 2}, w.gradient().toFloatArray());
            assertArrayEquals(new float[] {0, 0}, x.gradient().toFloatArray());
            Autograd.checkpoint(t -> w.detach(), x, List.of(w)).sum().backward(Release.EAGER);
            assertArrayEquals(new float[] {2, 2}, w.gradient().toFloatArray());
        }
    }

    private static void requireGradients(double[] expected, Tensor y, Tensor x) {
        assertArrayEquals(
                expected, Autograd.gradients(y, List.of(x), true).getFirst().toDoubleArray(), 1e-12);
        assertArrayEquals(expected, Autograd.gradients(y, List.of(x)).getFirst().toDoubleArray(), 1e-12);
        for (Release release : Release.values()) {
            x.zeroGradient();
            y.backward(release);
            assertArrayEquals(expected, x.gradient().toDoubleArray(), 1e-12);
        }
        x.zeroGradient();
    }

    @Test
    void aParameterGivenTwiceCountsOnce() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new double[] {2, 3}, 2).trackGradient();
            Tensor w = Tensor.of(new double[] {5, 7}, 2).trackGradient();
            List<Tensor> twice = List.of(w, w);
            requireGradients(
                    new double[] {2, 3},
                    Autograd.checkpoint(w::multiply, x, twice).sum(),
                    w);
            requireGradients(
                    new double[] {5, 7},
                    Autograd.checkpoint(w::multiply, x, twice).sum(),
                    x);
        }
    }

    @Test
    void theInputMayBeAParameterToo() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new double[] {2, 3}, 2).trackGradient();
            requireGradients(
                    new double[] {4, 6},
                    Autograd.checkpoint(t -> t.multiply(x), x, List.of(x)).sum(),
                    x);
            GradientCheck.check(
                    t -> Oracles.gradientOf(
                            u -> Autograd.checkpoint(v -> v.multiply(u).exp(), u, List.of(u)), t),
                    x);
            var undeclared = assertThrows(
                    IllegalArgumentException.class, () -> Autograd.checkpoint(t -> t.multiply(x), x, List.of()));
            assertEquals(
                    "checkpoint: the function computes with a tensor [2] that tracks gradients and is neither its argument"
                            + " nor among the parameters given to checkpoint; add it to them, or detach() it",
                    undeclared.getMessage());
        }
    }

    @Test
    void anInputWhoseGradientNobodyAsksForStays() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new double[] {2, 3}, 2).trackGradient();
            Tensor w = Tensor.of(new double[] {5, 7}, 2).trackGradient();
            Tensor square = w.multiply(w);
            Tensor y = Autograd.checkpoint(square::multiply, x, List.of(square)).sum();
            assertArrayEquals(
                    new double[] {25, 49},
                    Autograd.gradients(y, List.of(x)).getFirst().toDoubleArray());
            assertArrayEquals(new double[] {25, 49}, square.toDoubleArray());
            requireGradients(new double[] {20, 42}, y, w);
        }
    }

    /// A view that the function takes of a parameter shares the parameter's block, which is not the function's to free.
    @Test
    void aParameterThatIsSeenThroughAViewStays() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new double[] {2, 3}, 2).trackGradient();
            Tensor w = Tensor.of(new double[] {0, 0}, 2).trackGradient();
            for (Release release : Release.values()) {
                Tensor p = w.exp();
                Tensor y = Autograd.checkpoint(
                                t -> t.reshape(2, 1).multiply(p.reshape(2, 1)).exp(), x, List.of(p))
                        .sum();
                String predicted = y.releaseSchedule().toString();
                assertArrayEquals(new double[] {1, 1}, p.toDoubleArray(), "predicting frees nothing");
                if (release == Release.EAGER) {
                    assertEquals(predicted, ScheduleTest.measure(y).toString());
                } else {
                    y.backward(release);
                }
                double[] expected = {2 * Math.exp(2), 3 * Math.exp(3)};
                assertArrayEquals(expected, w.gradient().toDoubleArray(), 1e-12);
                w.zeroGradient();
            }
        }
    }

    @Test
    void ofManyParametersEachIsKeptUntilItIsRead() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new double[] {2, 3}, 2).trackGradient();
            for (int count : new int[] {1, 29, 30, 31, 32, 33, 70}) {
                List<Tensor> parameters = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    parameters.add(x.multiply(i));
                }
                UnaryOperator<Tensor> f = t -> {
                    Tensor y = t;
                    for (Tensor parameter : parameters) {
                        y = y.add(parameter);
                    }
                    return y;
                };
                double sum = 1 + count * (count - 1) / 2.0;
                Tensor y = Autograd.checkpoint(f, x, parameters).sum();
                y.backward(Release.EAGER);
                assertArrayEquals(new double[] {sum, sum}, x.gradient().toDoubleArray());
                x.zeroGradient();
            }
        }
    }

    @Test
    void aFunctionThatFailsLeavesNothingBehind() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(8).trackGradient();
            long live = arena.liveBytes();
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Autograd.checkpoint(t -> t.exp().matmul(Tensor.ones(3, 3)), x, List.of()));
            assertEquals(live, arena.liveBytes());
            assertTrue(x.exp().tracksGradient());
        }
    }

    @Test
    void theScheduleShowsWhatIsMadeAgain() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(8).trackGradient();
            Tensor y = Autograd.checkpoint(t -> t.exp().sin(), x.tanh(), List.of());
            List<String> freed = new ArrayList<>();
            y.sum().releaseSchedule().entries().forEach(e -> freed.add(e.step() + " " + e.op() + " " + e.made()));
            assertTrue(freed.contains("2 exp 2"), freed.toString());
        }
    }

    @Test
    void aModuleKeepsItsNamesAndGradients() {
        try (var arena = TensorArena.ofConfined()) {
            var plain = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 2));
            var saved = new Sequential(Checkpoint.of(new Sequential(new Linear(4, 8), new Tanh())), new Linear(8, 2));
            assertEquals(
                    List.of("0.0.weight", "0.0.bias", "1.weight", "1.bias"),
                    List.copyOf(saved.stateDict().keySet()));
            for (int i = 0; i < 4; i++) {
                saved.parameters().get(i).copyFrom(plain.parameters().get(i));
            }
            Tensor x = Tensor.rand(5, 4);
            plain.forward(x).exp().sum().backward(Release.EAGER);
            saved.forward(x).exp().sum().backward(Release.EAGER);
            for (int i = 0; i < 4; i++) {
                assertArrayEquals(
                        plain.parameters().get(i).gradient().toFloatArray(),
                        saved.parameters().get(i).gradient().toFloatArray());
            }
            saved.eval();
            assertFalse(saved.isTraining());
            assertEquals("Checkpoint(Tanh())", Checkpoint.of(new Tanh()).toString());
        }
    }
}
