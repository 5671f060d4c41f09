package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;

/// How tensors begin, print, and keep their gradients.
class TensorTest {
    private TensorArena arena;

    @BeforeEach
    void open() {
        arena = TensorArena.ofConfined();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    @Test
    void factoriesMakeWhatTheySay() {
        assertArrayEquals(new float[] {1, 0, 0, 1}, Tensor.eye(2).toFloatArray());
        assertArrayEquals(new double[] {1, 1.5, 2}, Tensor.arange(1, 2.1, 0.5).toDoubleArray());
        assertArrayEquals(
                new double[] {3, 2, 1}, Tensor.arange(DType.INT64, 3, 0, -1).toDoubleArray());
        assertEquals(200, Tensor.arange(-1, 1, 0.01).size());
        assertArrayEquals(
                new long[] {2, 2}, Tensor.of(new float[][] {{1, 2}, {3, 4}}).shape());
        assertEquals(DType.FLOAT64, Tensor.of(new double[] {1, 2}, 2, 1).dtype());
        assertEquals(DType.INT32, Tensor.of(new int[] {1, 2}).dtype());
        assertEquals(DType.INT64, Tensor.zerosLike(Tensor.ones(DType.INT64, 3)).dtype());
        assertEquals(
                3,
                Tensor.full(arena, DType.BOOL, 1, 3).cast(DType.FLOAT32).sum().item());
    }

    @Test
    void randomNumbersFollowTheSeed() {
        Tensor.manualSeed(3);
        Tensor first = Tensor.randn(10_000);
        Tensor.manualSeed(3);
        assertArrayEquals(first.toFloatArray(), Tensor.randn(10_000).toFloatArray());
        assertEquals(0, first.mean().item(), 0.05);
        assertEquals(1, first.std().item(), 0.05);
        Tensor uniform = Tensor.rand(10_000);
        assertTrue(uniform.min().item() >= 0 && uniform.max().item() < 1);
        assertEquals(0.5, uniform.mean().item(), 0.02);
    }

    /// Each expected text is NumPy's `repr` with "array" exchanged for "Tensor".
    @Test
    void tensorsPrintAsNumPyPrintsArrays() {
        assertEquals("Tensor(0.1, dtype=float32)", Tensor.scalar(0.1).toString());
        assertEquals("Tensor(1.0, dtype=float32)", Tensor.scalar(1).toString());
        assertEquals("Tensor([1.  , 2.25], dtype=float32)", Tensor.of(1, 2.25f).toString());
        assertEquals(
                "Tensor([[ 1.,  2.],\n        [-3.,  4.]], dtype=float32)",
                Tensor.of(new float[][] {{1, 2}, {-3, 4}}).toString());
        assertEquals(
                "Tensor([1.e+00, 1.e-05], dtype=float32)", Tensor.of(1, 1e-5f).toString());
        assertEquals(
                "Tensor([ 1., nan, inf], dtype=float32)",
                Tensor.of(1, Float.NaN, Float.POSITIVE_INFINITY).toString());
        assertEquals(
                "Tensor([ 1, 20], dtype=int32)", Tensor.of(new int[] {1, 20}).toString());
        assertEquals(
                "Tensor([ True, False], dtype=bool)",
                Tensor.of(DType.BOOL, 1, 0).toString());
        assertEquals("Tensor([], dtype=float32)", Tensor.zeros(0).toString());
        assertEquals(
                "Tensor([0.000e+00, 1.000e+00, 2.000e+00, ..., 1.998e+03, 1.999e+03,\n        2.000e+03],"
                        + " dtype=float32)",
                Tensor.arange(0, 2001, 1).toString());
        assertEquals(
                "Tensor([[[0., 0.]],\n\n        [[0., 0.]]], dtype=float32)",
                Tensor.zeros(2, 1, 2).toString());
        Tensor x = Tensor.ones(1).trackGradient();
        assertEquals("Tensor([1.], dtype=float32, tracksGradient=true)", x.toString());
        assertEquals("Tensor(1.0, dtype=float32, backward=Sum)", x.sum().toString());
    }

    @Test
    void gradientsAccumulateUntilTheyAreZeroed() {
        Tensor x = Tensor.of(1, 2).trackGradient();
        assertFalse(x.hasGradient());
        Tensor y = x.multiply(x).sum();
        y.backward();
        Tensor gradient = x.gradient();
        assertArrayEquals(new float[] {2, 4}, gradient.toFloatArray());
        y.backward();
        assertArrayEquals(new float[] {4, 8}, gradient.toFloatArray());
        x.zeroGradient();
        assertFalse(x.hasGradient());
        y.backward(Tensor.scalar(10));
        assertSame(gradient, x.gradient(), "one block for good");
        assertArrayEquals(new float[] {20, 40}, gradient.toFloatArray());
    }

    @Test
    void atCloseKeepsIntermediateGradientsAndASecondBackwardAddsToThem() {
        Tensor x = Tensor.of(1, 2).trackGradient();
        Tensor y = x.add(1);
        Tensor z = y.multiply(3).sum();
        z.backward();
        z.backward();
        assertArrayEquals(new float[] {6, 6}, y.gradient().toFloatArray());
        assertArrayEquals(new float[] {6, 6}, x.gradient().toFloatArray());
        assertEquals(2, z.gradient().item());
    }

    @Test
    void gradientsAreReturnedWithoutTouchingAnyTensor() {
        Tensor x = Tensor.of(1, 2).trackGradient();
        Tensor unused = Tensor.ones(3).trackGradient();
        Tensor y = x.exp();
        List<Tensor> gradients = Autograd.gradients(y.sum(), List.of(x, y, unused));
        assertArrayEquals(y.toFloatArray(), gradients.get(0).toFloatArray());
        assertArrayEquals(new float[] {1, 1}, gradients.get(1).toFloatArray());
        assertArrayEquals(new float[] {0, 0, 0}, gradients.get(2).toFloatArray());
        assertFalse(x.hasGradient() || y.hasGradient());
    }

    @Test
    void nothingIsRecordedWithoutGradient() {
        Tensor x = Tensor.ones(2).trackGradient();
        try (var off = Autograd.noGradient()) {
            assertFalse(x.exp().tracksGradient());
        }
        assertTrue(x.exp().tracksGradient());
        assertFalse(x.exp().detach().tracksGradient());
    }

    @Test
    void aDrawingNamesOpsShapesBytesAndSteps() {
        Tensor x = Tensor.ones(2, 3).trackGradient();
        assertEquals("""
                digraph backward {
                  label="backward(EAGER): peak 384 B"
                  node [shape=box, fontname="sans-serif"]
                  n0 [label="sum (step 1)\\n[] float32 4 B\\nvalue kept\\ngradient kept"]
                  n1 -> n0
                  n1 [label="exp (step 2)\\n[2, 3] float32 24 B\\nvalue freed at step 2\\ngradient freed at step 2"]
                  t0 [style=filled, fillcolor=lightblue, label="leaf\\n[2, 3] float32 24 B"]
                  t0 -> n1
                }
                """, Autograd.draw(x.exp().sum()));
    }

    @Test
    void aDrawingHasTheNamesOfTensors() {
        var net = new Sequential(new Linear(3, 2), new ReLU());
        Tensor x = Tensor.ones(4, 3);
        Tensor y = net.forward(x);
        Tensor loss = y.sum();
        Map<String, Tensor> names = net.namedParameters();
        names.put("a \"b\" \\ \n", x);
        names.put("output", y);
        names.put("the output again", y);
        names.put("elsewhere", Tensor.ones(1));
        List<String> labels = Autograd.draw(loss, names)
                .lines()
                .filter(line -> line.contains("label=") && line.contains("["))
                .map(line -> line.replaceFirst(".* label=\"|.*\\[label=\"", "").replaceFirst("\\\\n\\[.*", ""))
                .toList();
        assertEquals(
                Set.of(
                        "sum (step 1)",
                        "output, the output again = relu (step 2)",
                        "linear (step 3)",
                        "a \\\"b\\\" \\\\ \\n",
                        "0.weight",
                        "0.bias"),
                Set.copyOf(labels));
        assertEquals(6, labels.size(), "each once");
    }

    @Test
    void modulesNameSaveAndLoadTheirParameters() {
        var net = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2, false));
        assertEquals(
                List.of("0.weight", "0.bias", "2.weight"),
                List.copyOf(net.namedParameters().keySet()));
        assertEquals(
                "Sequential(\n  (0): Linear(in=3, out=4, bias=true)\n  (1): ReLU()\n"
                        + "  (2): Linear(in=4, out=2, bias=false)\n)",
                net.toString());
        var other = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2, false));
        other.loadStateDict(net.stateDict());
        Tensor x = Tensor.rand(5, 3);
        assertArrayEquals(net.forward(x).toFloatArray(), other.forward(x).toFloatArray());
        net.forward(x).sum().backward();
        net.zeroGradients();
        assertFalse(net.parameters().getFirst().hasGradient());
        net.eval();
        assertFalse(net.isTraining());
        net.train();
        assertTrue(net.isTraining());
    }

    @Test
    void wholeNumbersKeepAllTheirBits() {
        try (var arena = TensorArena.ofConfined()) {
            long[] values = {Long.MAX_VALUE, -1, (1L << 53) + 1, Long.MIN_VALUE};
            assertArrayEquals(values, Tensor.of(values).toLongArray());
            Tensor turned = Tensor.of(values, 2, 2).transpose();
            assertArrayEquals(new long[] {values[0], values[2], values[1], values[3]}, turned.toLongArray());
            assertThrows(IllegalArgumentException.class, () -> Tensor.ones(2).toLongArray());
        }
    }

    @Test
    void randomNumbersGoOnFromASavedState() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.manualSeed(3);
            Tensor.randn(5);
            Tensor state = Tensor.randomState();
            float[] next = Tensor.rand(7).toFloatArray();
            assertFalse(Arrays.equals(next, Tensor.rand(7).toFloatArray()));
            Tensor.setRandomState(state);
            assertArrayEquals(next, Tensor.rand(7).toFloatArray());
            assertThrows(IllegalArgumentException.class, () -> Tensor.setRandomState(Tensor.of(new long[4])));
        }
    }

    @Test
    void axesOfSizeOneComeAndGoInPlace() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(1, 2, 3, 4, 5, 6).reshape(2, 3);
            long live = arena.liveBytes();
            assertArrayEquals(new long[] {1, 2, 3}, x.unsqueeze(0).shape());
            assertArrayEquals(new long[] {2, 1, 3}, x.unsqueeze(-2).shape());
            assertArrayEquals(new long[] {2, 3, 1}, x.unsqueeze(2).shape());
            assertArrayEquals(new long[] {2, 3}, x.unsqueeze(1).squeeze(1).shape());
            assertArrayEquals(new long[] {2, 3}, x.unsqueeze(2).squeeze(-1).shape());
            assertEquals(live, arena.liveBytes(), "views take no memory");
            assertArrayEquals(new long[] {1}, x.sum().unsqueeze(-1).shape());
            assertSame(x, x.squeeze(0), "a size other than 1 stays, as in PyTorch");
            assertArrayEquals(new long[] {0}, Tensor.zeros(1, 0).squeeze(0).shape());
            assertTrue(x.unsqueeze(1).isContiguous());
            assertTrue(x.transpose().unsqueeze(1).squeeze(1).transpose().isContiguous());
            x.unsqueeze(1).fill(0);
            assertEquals(0, x.sum().item());
            Tensor y = Tensor.of(new int[] {1, 2}).unsqueeze(0);
            assertEquals(DType.INT32, y.dtype());
            assertArrayEquals(new long[] {1, 2}, y.toLongArray());
        }
    }

    @Test
    void theSizeOfAnAxisIsThatOfTheShape() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(2, 0, 3);
            assertEquals(2, x.size(0));
            assertEquals(0, x.size(-2));
            assertEquals(3, x.transpose().size(0));
        }
    }
}
