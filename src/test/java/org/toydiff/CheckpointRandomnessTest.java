package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Random numbers in checkpointed functions. For an input of ones the output of a product with random factors is the
/// factors' product, and so is the gradient, when backward draws the same.
class CheckpointRandomnessTest extends ArenaTest {
    private static final int N = 37;

    private int calls;

    /// What another thread draws.
    private static float[] elsewhere() {
        try (var other = Executors.newSingleThreadExecutor()) {
            return other.submit(() -> {
                        try (var own = TensorArena.ofConfined()) {
                            return Tensor.rand(N).toFloatArray();
                        }
                    })
                    .get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void requireSameFactors(UnaryOperator<Tensor> f) {
        Tensor x = Tensor.ones(N).trackGradient();
        Tensor y = Autograd.checkpoint(f, x, List.of());
        y.sum().backward();
        assertArrayEquals(y.toFloatArray(), x.gradient().toFloatArray(), 1e-5f);
    }

    private static Tensor product(Tensor x) {
        return x.multiply(Tensor.rand(N)).multiply(Tensor.randn(N));
    }

    @Test
    void anotherThreadMayDrawInForward() {
        requireSameFactors(t -> {
            Tensor first = t.multiply(Tensor.rand(N));
            if (calls++ == 0) {
                elsewhere();
            }
            return first.multiply(Tensor.rand(N));
        });
    }

    @Test
    void anotherThreadMayDrawInBackwardAndLosesNothing() {
        List<float[]> drawn = new ArrayList<>();
        requireSameFactors(t -> {
            Tensor first = t.multiply(Tensor.rand(N));
            if (calls++ == 1) {
                drawn.add(elsewhere());
            }
            return first.multiply(Tensor.rand(N));
        });
        assertFalse(Arrays.equals(drawn.getFirst(), elsewhere()), "numbers are drawn twice");
    }

    @Test
    void oneWithinAnotherDrawsTheSame() {
        UnaryOperator<Tensor> inner = t -> {
            if (calls++ % 2 == 0) {
                elsewhere();
            }
            return product(t);
        };
        requireSameFactors(t -> product(Autograd.checkpoint(inner, product(t), List.of())));
        assertEquals(3, calls);
    }

    @Test
    void theGeneratorEndsWhereItEndsWithoutCheckpoints() {
        long[][] ends = new long[2][];
        float[][] values = new float[2][];
        for (int i = 0; i < 2; i++) {
            Tensor.manualSeed(5);
            Tensor x = Tensor.ones(N).trackGradient();
            Tensor y = i == 0 ? product(x) : Autograd.checkpoint(CheckpointRandomnessTest::product, x, List.of());
            y.sum().releaseSchedule();
            y.sum().backward();
            y.sum().backward();
            ends[i] = Tensor.randomState().toLongArray();
            values[i] = y.toFloatArray();
        }
        assertArrayEquals(values[0], values[1]);
        assertArrayEquals(ends[0], ends[1]);
    }

    @Test
    void seedingInBackwardLeavesTheGeneratorAlone() {
        Tensor x = Tensor.ones(N).trackGradient();
        Tensor y = Autograd.checkpoint(
                t -> {
                    Tensor.manualSeed(9);
                    return product(t);
                },
                x,
                List.of());
        Tensor.rand(3);
        long[] before = Tensor.randomState().toLongArray();
        y.sum().backward();
        assertArrayEquals(y.toFloatArray(), x.gradient().toFloatArray(), 1e-5f);
        assertArrayEquals(before, Tensor.randomState().toLongArray());
    }

    @Test
    void aFunctionThatDrawsMoreOrLessInBackwardIsRefused() {
        for (int once : new int[] {0, 1}) {
            calls = 0;
            Tensor x = Tensor.ones(N).trackGradient();
            Tensor y = Autograd.checkpoint(t -> calls++ == once ? product(t) : t.multiply(2), x, List.of());
            assertEquals(
                    "checkpoint: the function drew random tensors " + (once == 0 ? 2 : 0) + " times in forward and "
                            + (once == 0 ? "less often, 0 times" : "more often")
                            + " in backward; it must do the same both times (layers must not switch between train and"
                            + " eval)",
                    assertThrows(IllegalStateException.class, () -> y.sum().backward())
                            .getMessage());
        }
    }

    @Test
    void threadsThatDrawAtTheSameTimeGetTheirOwnGradients() throws Exception {
        try (var pool = Executors.newFixedThreadPool(4)) {
            var runs = new ArrayList<java.util.concurrent.Future<?>>();
            for (int i = 0; i < 4; i++) {
                runs.add(pool.submit(() -> {
                    for (int step = 0; step < 200; step++) {
                        try (var own = TensorArena.ofConfined()) {
                            requireSameFactors(CheckpointRandomnessTest::product);
                        }
                    }
                }));
            }
            for (var run : runs) {
                run.get();
            }
        }
    }
}
