package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.random.DropoutMask;
import org.toydiff.internal.random.Xoshiro256;

/// Dropout: which elements it drops, their statistics, gradients, and the memory that it keeps.
class DropoutTest {
    private final TensorArena arena = TensorArena.ofConfined();

    @BeforeEach
    void seed() {
        Tensor.manualSeed(3);
    }

    @AfterEach
    void close() {
        arena.close();
    }

    /// Returns whether each of n elements is dropped, by a key that is drawn from the state that the default generator
    /// is in.
    private static boolean[] mask(double p, int n) {
        var generator = new Xoshiro256(0);
        generator.state(Tensor.randomState().toLongArray());
        var mask = new DropoutMask(p);
        mask.draw(generator);
        int[] words = new int[Math.ceilDiv(n, 4) * 4];
        mask.words(0, n, words);
        boolean[] dropped = new boolean[n];
        for (int i = 0; i < n; i++) {
            dropped[i] = mask.drops(words[i]);
        }
        return dropped;
    }

    /// One part and several, whose numbers of elements are no multiples of a block.
    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64", "BFLOAT16"})
    void anElementIsDroppedByItsIndexAndScaledElse(DType dtype) {
        for (int n : new int[] {1, 7, 63, 511, 513, 100_003}) {
            Tensor x = Tensor.randn(dtype, new Random(n), n);
            boolean[] dropped = mask(0.3, n);
            double scale = Tensor.scalar(dtype, 1 / 0.7).item();
            double[] expected = x.multiply(scale).toDoubleArray();
            for (int i = 0; i < n; i++) {
                expected[i] = dropped[i] ? 0 : expected[i];
            }
            assertArrayEquals(expected, x.dropout(0.3).toDoubleArray());
        }
    }

    @Test
    void aViewIsDroppedByTheIndexInTheView() {
        Tensor x = Tensor.randn(90, 70);
        for (Tensor view :
                List.of(x.transpose(), x.slice(1, 3, 60), x.slice(0, 1, 2).broadcastTo(80, 70))) {
            Tensor state = Tensor.randomState();
            Tensor expected = view.copyTo(arena).dropout(0.4);
            Tensor.setRandomState(state);
            assertArrayEquals(expected.toFloatArray(), view.dropout(0.4).toFloatArray());
        }
    }

    @Test
    void threadsDoNotChangeTheMask() {
        Tensor x = Tensor.ones(200_001);
        Tensor state = Tensor.randomState();
        int threads = Threads.count();
        try {
            Threads.set(1);
            float[] one = x.dropout(0.5).toFloatArray();
            Threads.set(4);
            Tensor.setRandomState(state);
            assertArrayEquals(one, x.dropout(0.5).toFloatArray());
        } finally {
            Threads.set(threads);
        }
    }

    /// Within five standard deviations: the share, that of neighbours dropped together, and that of elements dropped
    /// by two keys.
    @Test
    void elementsAreDroppedWithTheirProbabilityAndIndependently() {
        int n = 400_000;
        for (double p : new double[] {0.01, 0.3, 0.5, 0.9}) {
            boolean[] first = dropped(Tensor.ones(n).dropout(p));
            boolean[] second = dropped(Tensor.ones(n).dropout(p));
            requireShare(p, first, first);
            requireShare(p * p, first, second);
            for (int distance : new int[] {1, 2, 3, 4, 8, 512, 1 << 14}) {
                requireShare(p * p, Arrays.copyOf(first, n - distance), Arrays.copyOfRange(first, distance, n));
            }
        }
    }

    private static boolean[] dropped(Tensor y) {
        float[] elements = y.toFloatArray();
        boolean[] dropped = new boolean[elements.length];
        for (int i = 0; i < dropped.length; i++) {
            dropped[i] = elements[i] == 0;
        }
        return dropped;
    }

    private static void requireShare(double expected, boolean[] a, boolean[] b) {
        int both = 0;
        for (int i = 0; i < a.length; i++) {
            both += a[i] && b[i] ? 1 : 0;
        }
        assertEquals(expected, both / (double) a.length, 5 * Math.sqrt(expected * (1 - expected) / a.length));
    }

    @Test
    void aDrawAdvancesTheGeneratorByOneNumber() {
        Tensor.randint(Long.MIN_VALUE, Long.MAX_VALUE, 1);
        long[] after = Tensor.randomState().toLongArray();
        Tensor.manualSeed(3);
        Tensor.ones(1000).dropout(0.5);
        assertArrayEquals(after, Tensor.randomState().toLongArray());
        Tensor.ones(0, 3).dropout(0.5);
        MemoryPlan.of(
                in -> in.getFirst().dropout(0.5).sum(), List.of(Tensor.ones(2).trackGradient()));
        assertArrayEquals(after, Tensor.randomState().toLongArray(), "nothing to drop, nothing drawn");
    }

    @Test
    void gradientsOfEachOrderGoThroughTheSameMask() {
        Tensor x = Tensor.randn(DType.FLOAT64, 3, 7).trackGradient();
        boolean[] dropped = mask(0.4, 21);
        Tensor y = x.dropout(0.4);
        Tensor g = Autograd.gradients(y.multiply(y).sum(), List.of(x), true).getFirst();
        double[] first = g.toDoubleArray();
        double[] second =
                Autograd.gradients(g.sum(), List.of(x), false).getFirst().toDoubleArray();
        double scale = 1 / 0.6;
        for (int i = 0; i < dropped.length; i++) {
            double factor = dropped[i] ? 0 : scale;
            assertEquals(2 * factor * factor * x.toDoubleArray()[i], first[i], 1e-12);
            assertEquals(2 * factor * factor, second[i], 1e-12);
        }
        assertTrue(Arrays.stream(second).anyMatch(each -> each == 0));
    }

    /// Memory in a step: x, y, their gradients, and the scalars; no mask.
    @Test
    void nothingIsKeptForBackward() {
        int n = 1 << 16;
        Tensor x = Tensor.ones(n).trackGradient();
        long before = Memory.liveBytes();
        Tensor loss = x.dropout(0.5).sum();
        assertTrue(Memory.liveBytes() - before <= 4L * n + 4096, "the output alone");
        loss.backward();
        assertFalse(Double.isNaN(x.gradient().sum().item()));
    }

    @Test
    void infiniteElementsThatAreDroppedBecomeZero() {
        float[] y = Tensor.full(DType.FLOAT32, Double.POSITIVE_INFINITY, 100)
                .dropout(0.5)
                .toFloatArray();
        for (float each : y) {
            assertTrue(each == 0 || each == Float.POSITIVE_INFINITY);
        }
        assertArrayEquals(new float[] {0, 0}, Tensor.of(1, Float.NaN).dropout(1).toFloatArray());
        assertArrayEquals(new float[] {1, 2}, Tensor.of(1, 2).dropout(0).toFloatArray());
    }

    @Test
    void refusesBadArguments() {
        rejected("dropout: 1.5 is no probability; give 0 to 1", () -> Tensor.ones(2)
                .dropout(1.5));
        rejected("dropout: NaN is no probability; give 0 to 1", () -> Tensor.ones(2)
                .dropout(Double.NaN));
        Tensor integers = Tensor.of(new long[] {1});
        assertThrows(IllegalArgumentException.class, () -> integers.dropout(0.5));
    }
}
