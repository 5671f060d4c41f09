package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.Activation;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.GradientCheck;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;

/// Layers beyond their formulas: modes, errors, summaries, names.
class LayersTest extends ArenaTest {
    @BeforeEach
    void seed() {
        Tensor.manualSeed(1);
    }

    @Test
    void dropoutDropsItsShareAndScalesTheRest() {
        var dropout = new Dropout(0.3);
        Tensor x = Tensor.ones(1000, 100).trackGradient();
        Tensor y = dropout.forward(x).retain();
        double zeros = y.equalTo(Tensor.scalar(0)).cast(DType.FLOAT32).mean().item();
        assertEquals(0.3, zeros, 0.005);
        assertEquals(1 / 0.7, y.max().item(), 1e-6);
        y.sum().backward(Release.EAGER);
        assertArrayEquals(y.toFloatArray(), x.gradient().toFloatArray(), "the gradient goes through the same mask");
        dropout.eval();
        assertSame(x, dropout.forward(x));
        assertArrayEquals(
                new float[2],
                Functional.dropout(Tensor.of(1, Float.POSITIVE_INFINITY), 1).toFloatArray());
        assertArrayEquals(
                new float[] {1, 2}, Functional.dropout(Tensor.of(1, 2), 0).toFloatArray());
    }

    @Test
    void dropoutGoesOnFromASavedState() {
        Tensor x = Tensor.ones(50);
        Tensor state = Tensor.randomState();
        float[] y = Functional.dropout(x, 0.5).toFloatArray();
        Tensor.setRandomState(state);
        assertArrayEquals(y, Functional.dropout(x, 0.5).toFloatArray());
    }

    @Test
    void flattenJoinsAxes() {
        Tensor x = Tensor.ones(2, 3, 4, 5);
        assertArrayEquals(new long[] {2, 60}, new Flatten().forward(x).shape());
        assertArrayEquals(new long[] {2, 12, 5}, new Flatten(1, 2).forward(x).shape());
        assertArrayEquals(new long[] {120}, new Flatten(0, -1).forward(x).shape());
        var failure = assertThrows(IllegalArgumentException.class, () -> new Flatten(1, 4).forward(x));
        assertEquals("Flatten: axes 1 to 4 are not in [2, 3, 4, 5]", failure.getMessage());
    }

    @Test
    void gradientsAreThoseOfDifferences() {
        Tensor x = Tensor.randn(DType.FLOAT64, 4, 3);
        GradientCheck.check(Functional::gelu, x);
        GradientCheck.check(Functional::geluTanh, x);
        GradientCheck.check(Functional::silu, x);
        GradientCheck.check(t -> Functional.elu(t, 0.7), x);
        GradientCheck.check(Functional::hardswish, x);
        GradientCheck.check(Functional::mish, x);
        GradientCheck.check(t -> Functional.leakyRelu(t, 0.2), x);
        GradientCheck.check(t -> Functional.softplus(t, 3, 20), x);
        GradientCheck.check(
                xs -> Functional.huberLoss(xs.get(0), xs.get(1), 0.6, Reduction.SUM),
                x,
                x.multiply(0.3).sin());
        GradientCheck.check(xs -> Functional.binaryCrossEntropyWithLogits(xs.get(0), xs.get(1)), x, x.sigmoid());
        Tensor labels = Tensor.of(new long[] {2, 0, 1, 1});
        GradientCheck.check(t -> Functional.nllLoss(t, labels, Reduction.SUM), x);
        GradientCheck.check(
                xs -> Functional.layerNorm(xs.get(0), xs.get(1), xs.get(2), 1e-3),
                x,
                Tensor.of(new double[] {1, 2, 3}),
                Tensor.of(new double[] {0, 1, -1}));
        GradientCheck.check(
                xs -> xs.get(0).batchNorm(xs.get(1), xs.get(2), 1e-3).values(),
                x,
                Tensor.of(new double[] {1, 2, 3}),
                Tensor.of(new double[] {0, 1, -1}));
        Tensor state = Tensor.randomState();
        GradientCheck.check(
                t -> {
                    Tensor.setRandomState(state);
                    return Functional.dropout(t, 0.4).exp();
                },
                x);
        GradientCheck.check(
                t -> t.add(new Flatten().forward(t).reshape(t.shape()).sin()), x);
        var loss =
                new CrossEntropyLoss().weight(Tensor.of(new double[] {1, 2, 3})).labelSmoothing(0.1);
        GradientCheck.check(t -> loss.forward(t, labels), x);
    }

    @Test
    void anInputThatDoesNotFitNamesTheLayer() {
        var net = new Sequential(
                new Linear(20, 8), new ReLU(), new Residual(new Sequential(new LayerNorm(8), new Linear(7, 8))));
        var first = assertThrows(IllegalArgumentException.class, () -> net.forward(Tensor.ones(4, 21)));
        assertTrue(
                first.getMessage().startsWith("Linear(in=20, out=8, bias=true) at \"0\": linear: x [4, 21]"),
                first.getMessage());
        var inner = assertThrows(IllegalArgumentException.class, () -> net.forward(Tensor.ones(4, 20)));
        assertTrue(
                inner.getMessage().startsWith("Linear(in=7, out=8, bias=true) at \"2.module.1\": linear: x [4, 8]"),
                inner.getMessage());
        var single = assertThrows(IllegalArgumentException.class, () -> new BatchNorm1d(3).forward(Tensor.ones(1, 3)));
        assertEquals(
                "BatchNorm1d: [1, 3] has 1 value for each channel, and a variance needs two; leave a last batch of one example out with"
                        + " DataLoader.dropLast(), make batches or micro-batches larger, or set the layer to eval()",
                single.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Dropout(1.5));
        assertThrows(IllegalArgumentException.class, () -> new LayerNorm());
        assertThrows(IllegalArgumentException.class, () -> new Embedding(0, 3));
        assertThrows(
                IllegalArgumentException.class,
                () -> new CrossEntropyLoss().weight(Tensor.ones(2)).forward(Tensor.ones(1, 3), Tensor.of(new long[1])));
    }

    @Test
    void aLinearLayerTakesAVector() {
        var layer = new Linear(4, 3);
        Tensor x = Tensor.randn(4).trackGradient();
        Tensor y = layer.forward(x).retain();
        assertArrayEquals(new long[] {3}, y.shape());
        assertArrayEquals(layer.forward(x.reshape(1, 4)).toFloatArray(), y.toFloatArray(), "as a batch of one example");
        y.multiply(Tensor.of(1, 2, 3)).sum().backward(Release.EAGER);
        Tensor weight = layer.parameters().getFirst();
        assertArrayEquals(
                Tensor.of(1, 2, 3).matmul(weight.detach()).toFloatArray(),
                x.gradient().toFloatArray(),
                1e-6f);
        assertArrayEquals(
                Tensor.of(1, 2, 3).reshape(3, 1).multiply(x.detach()).toFloatArray(),
                weight.gradient().toFloatArray(),
                1e-6f);
        assertArrayEquals(
                new float[] {1, 2, 3}, layer.parameters().get(1).gradient().toFloatArray());
        assertArrayEquals(
                layer.forward(x).relu().toFloatArray(),
                new Sequential(layer, new ReLU()).forward(x).toFloatArray(),
                "with an activation in the same pass");
        assertArrayEquals(new long[] {3}, new Linear(4, 3, false).forward(x).shape());
        Tensor wide = Tensor.randn(DType.FLOAT64, 5);
        Tensor matrix = Tensor.randn(DType.FLOAT64, 2, 5);
        GradientCheck.check(
                xs -> xs.get(0).linear(xs.get(1), xs.get(2)).tanh(), wide, matrix, Tensor.randn(DType.FLOAT64, 2));
        GradientCheck.check(t -> t.linear(matrix, null, Activation.TANH), wide);
    }

    @Test
    void aLinearLayerKeepsLeadingAxesOfAnySize() {
        var layer = new Linear(4, 3);
        for (long[] leading : new long[][] {{}, {0}, {1}, {5}, {2, 0}, {0, 2}, {2, 5}}) {
            long[] in = Arrays.copyOf(leading, leading.length + 1);
            long[] out = in.clone();
            in[leading.length] = 4;
            out[leading.length] = 3;
            assertArrayEquals(out, layer.forward(Tensor.ones(in)).shape());
        }
        var scalar = assertThrows(IllegalArgumentException.class, () -> layer.forward(Tensor.scalar(1)));
        assertTrue(scalar.getMessage().contains("they are [..., in], [out, in] and [out]"), scalar.getMessage());
        var longer = assertThrows(IllegalArgumentException.class, () -> layer.forward(Tensor.ones(5)));
        assertTrue(longer.getMessage().contains("x [5], weight [3, 4]"), longer.getMessage());
    }

    @Test
    void aSummaryTellsShapesWithoutComputing() {
        var net = new Sequential(
                new Flatten(),
                new Linear(784, 32),
                new BatchNorm1d(32),
                new ReLU(),
                new Residual(new Sequential(new Linear(32, 32), new GELU())),
                new Linear(32, 10, false));
        long live = Memory.liveBytes();
        Memory.resetPeak();
        Summary summary = net.summary(128, 28, 28);
        assertEquals(live, Memory.peakBytes());
        assertEquals("""
                path        layer                                          output          parameters      output bytes
                0           Flatten(start=1, end=-1)                       [128, 784]               0           401,408
                1           Linear(in=784, out=32, bias=true)              [128, 32]           25,120            16,384
                2           BatchNorm1d(32, epsilon=1.0E-5, momentum=0.1)  [128, 32]               64            16,384
                """, summary.toString().lines().limit(4).reduce("", (a, b) -> a + b + "\n"));
        assertEquals(
                List.of("0", "1", "2", "3", "4.module.0", "4.module.1", "4", "5"),
                summary.layers().stream().map(Summary.Row::path).toList());
        assertEquals(784 * 32 + 32 + 64 + 32 * 32 + 32 + 320, summary.parameters());
        assertEquals(summary.parameters() * 4, summary.parameterBytes());
        assertEquals(List.of(128L, 10L), summary.layers().getLast().output());
        assertEquals(0, net.namedBuffers().get("2.num_batches_tracked").toLongArray()[0], "nothing was changed");
        assertTrue(summary.toString().contains("parameters: 26,560 in 106,240 bytes"), summary.toString());
        var failure = assertThrows(IllegalArgumentException.class, () -> net.summary(128, 3));
        assertTrue(failure.getMessage().contains("at \"1\""), failure.getMessage());
        assertEquals(1, new Embedding(4, 2).summary(DType.INT64, 3).layers().size());
    }

    @Test
    void layersPrintAsATree() {
        var net = new Sequential(new Linear(2, 2), new Residual(new Sequential(new Dropout(0.1), new SiLU())));
        assertEquals("""
                Sequential(
                  (0): Linear(in=2, out=2, bias=true)
                  (1): Residual(
                    (module): Sequential(
                      (0): Dropout(p=0.1)
                      (1): SiLU()
                    )
                  )
                )""", net.toString());
        assertEquals("GELU(tanh)", new GELU(true).toString());
        assertEquals("ELU(alpha=1.0)", new ELU().toString());
        assertEquals("LeakyReLU(slope=0.01)", new LeakyReLU().toString());
        assertEquals("Softplus(beta=1.0, threshold=20.0)", new Softplus().toString());
        assertEquals(
                "Softplus(beta=2.0, threshold=5.0)",
                new Softplus().threshold(5).beta(2).toString());
        assertEquals(
                "BatchNorm1d(4, epsilon=0.001, momentum=0.2)",
                new BatchNorm1d(4).momentum(0.2).epsilon(1e-3).toString());
    }

    @Test
    void namedSettingsReachTheFormula() {
        float[] x = {-3, -0.5f, 0, 1, 2.6f};
        double[] expected = {
            Math.log1p(Math.exp(-6)) / 2,
            Math.log1p(Math.exp(-1)) / 2,
            Math.log(2) / 2,
            Math.log1p(Math.exp(2)) / 2,
            2.6
        };
        double[] actual =
                new Softplus().beta(2).threshold(5).forward(Tensor.of(x)).toDoubleArray();
        assertArrayEquals(expected, actual, 1e-6);

        // Mean 2, biased variance 1, unbiased 2.
        var norm = new BatchNorm1d(1).epsilon(3).momentum(0.25);
        Tensor y = norm.forward(Tensor.of(new float[] {1, 3}, 2, 1));
        assertArrayEquals(new double[] {-0.5, 0.5}, y.toDoubleArray(), 1e-6);
        assertEquals(0.5, norm.namedBuffers().get("running_mean").item(), 1e-6);
        assertEquals(0.75 + 0.5, norm.namedBuffers().get("running_var").item(), 1e-6);
    }

    @Test
    void namedSettingsRefuseValuesOutOfRange() {
        var norm = new BatchNorm1d(1);
        for (double value : new double[] {-1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> norm.epsilon(value));
            assertThrows(IllegalArgumentException.class, () -> new Softplus().beta(value));
        }
        for (double value : new double[] {-0.1, 1.1, Double.NaN}) {
            assertEquals(
                    "BatchNorm1d: momentum " + value + " must be within 0 to 1",
                    assertThrows(IllegalArgumentException.class, () -> norm.momentum(value))
                            .getMessage());
        }
        assertEquals("BatchNorm1d(1, epsilon=1.0E-5, momentum=0.1)", norm.toString());
        assertThrows(IllegalArgumentException.class, () -> new BatchNorm1d(0));
    }

    @Test
    void buffersAreSavedAndRestored() {
        var norm = new BatchNorm1d(2);
        norm.forward(Tensor.randn(8, 2));
        var other = new BatchNorm1d(2);
        other.loadStateDict(norm.stateDict());
        assertEquals(
                List.of("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
                List.copyOf(norm.stateDict().keySet()));
        norm.eval();
        other.eval();
        assertFalse(other.isTraining());
        Tensor x = Tensor.randn(3, 2);
        assertArrayEquals(norm.forward(x).toFloatArray(), other.forward(x).toFloatArray());
        assertEquals(2, norm.parameters().size());
    }

    @Test
    void aLayerOfOnesOwnNeedsThePublicApiAlone() {
        var gated = new Gated();
        assertEquals(
                List.of("scale", "value.weight", "value.bias", "gate.weight", "gate.bias"),
                List.copyOf(gated.namedParameters().keySet()));
        gated.forward(Tensor.ones(2, 4)).sum().backward(Release.EAGER);
        gated.parameters().forEach(parameter -> assertTrue(parameter.hasGradient()));
        var failure = assertThrows(IllegalArgumentException.class, () -> gated.forward(Tensor.ones(2, 5)));
        assertTrue(failure.getMessage().contains("at \"value\""), failure.getMessage());
    }

    @Test
    void aLayerOfOnesOwnKeepsThePathsOfItsParts() {
        var net = new Sequential(new Linear(4, 4), new Residual(new Sequential(new Gated(), new Linear(3, 4))));
        Summary summary = net.summary(2, 4);
        assertEquals(
                List.of("0", "1.module.0.value", "1.module.0.gate", "1.module.0", "1.module.1", "1"),
                summary.layers().stream().map(Summary.Row::path).toList());
        assertEquals(15, summary.layers().get(2).parameters());
        var failure = assertThrows(IllegalArgumentException.class, () -> new Sequential(new Residual(new Gated()))
                .forward(Tensor.ones(2, 5)));
        assertTrue(
                failure.getMessage()
                        .startsWith("Linear(in=4, out=3, bias=true) at \"0.module.value\": linear: x [2, 5]"),
                failure.getMessage());
        failure = assertThrows(
                IllegalArgumentException.class, () -> new Residual(new Gated()).forward(Tensor.ones(2, 4)));
        assertEquals("add: ", failure.getMessage().substring(0, 5), "nobody named the outermost layer");
    }

    @Test
    void aWrapperAddsNothingToAPath() {
        var net = new Sequential(Checkpoint.of(new Sequential(new Linear(4, 3))), Checkpoint.of(new Linear(2, 2)));
        assertEquals(
                List.of("0.0", "1"),
                new Sequential(Checkpoint.of(new Sequential(new Linear(4, 3))), Checkpoint.of(new Linear(3, 2)))
                        .summary(2, 4).layers().stream().map(Summary.Row::path).toList());
        var failure = assertThrows(IllegalArgumentException.class, () -> net.forward(Tensor.ones(2, 4)));
        assertTrue(failure.getMessage().startsWith("Linear(in=2, out=2, bias=true) at \"1\": "), failure.getMessage());
        failure = assertThrows(IllegalArgumentException.class, () -> net.forward(Tensor.ones(2, 5)));
        assertTrue(failure.getMessage().contains(" at \"0.0\": "), failure.getMessage());
    }

    @Test
    void aLayerThatCallsAChildOfItsChildNamesItsPath() {
        var gated = new Gated();
        var caller = new Layer() {
            private final Gated child = child("gated", gated);

            @Override
            protected Tensor compute(Tensor x) {
                return child.gate.forward(x);
            }
        };
        var failure =
                assertThrows(IllegalArgumentException.class, () -> new Sequential(caller).forward(Tensor.ones(2, 5)));
        assertTrue(
                failure.getMessage().startsWith("Linear(in=4, out=3, bias=true) at \"0.gated.gate\": linear: "),
                failure.getMessage());
    }

    /// A layer that makes a child for each call, and so has no registered one.
    private static final class Unregistered extends Layer {
        @Override
        protected Tensor compute(Tensor x) {
            return new Sequential(new Sigmoid(), new Linear(4, 3)).forward(x);
        }

        @Override
        public String toString() {
            return "Unregistered()";
        }
    }

    @Test
    void anUnregisteredPartIsNamedWithinTheLayerThatCallsIt() {
        var net = new Sequential(new Unregistered());
        var failure = assertThrows(IllegalArgumentException.class, () -> net.forward(Tensor.ones(2, 5)));
        assertTrue(
                failure.getMessage()
                        .startsWith("Unregistered() at \"0\": Linear(in=4, out=3, bias=true) at \"1\": linear: "),
                failure.getMessage());
    }
}
