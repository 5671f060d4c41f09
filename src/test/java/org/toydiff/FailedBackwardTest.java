package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.optim.Adam;

/// A backward or a step that fails halfway leaves nothing that looks whole and is not.
class FailedBackwardTest extends ArenaTest {
    /// Fails when its gradient is asked for, as often as it is told to.
    record Failing(AtomicBoolean fails) implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0]);
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            if (fails.get()) {
                throw new UnsupportedOperationException("fails");
            }
            return g.multiply(1);
        }
    }

    private final AtomicBoolean fails = new AtomicBoolean();
    private Tensor x;
    private Tensor w;
    private Tensor b;

    FailedBackwardTest() {
        super(TensorArena::ofShared);
    }

    @BeforeEach
    void makeLeaves() {
        x = Tensor.of(new double[] {1, 2, 3, 4}, 2, 2).trackGradient();
        w = Tensor.of(new double[] {2, 1, 0.5, -1}, 2, 2).trackGradient();
        b = Tensor.of(new double[] {0.5, -1}, 2).trackGradient();
    }

    /// Reaches w and b before the op that may fail, and x after it.
    private Tensor loss() {
        return Tensor.custom(new Failing(fails), x.multiply(x))
                .linear(w, b)
                .sigmoid()
                .matmul(w)
                .sum();
    }

    private double[][] gradients() {
        return List.of(x, w, b).stream()
                .map(leaf -> leaf.gradient().toDoubleArray())
                .toArray(double[][]::new);
    }

    private double[][] expected() {
        try (var step = TensorArena.ofConfined()) {
            loss().backward();
            return gradients();
        } finally {
            List.of(x, w, b).forEach(Tensor::zeroGradient);
        }
    }

    @Test
    void gradientsThatWereNotThereAreNotThereAfterwards() {
        double[][] expected = expected();
        for (Release release : Release.values()) {
            try (var step = TensorArena.ofConfined()) {
                Tensor y = loss();
                fails.set(true);
                assertThrows(UnsupportedOperationException.class, () -> y.backward(release));
                fails.set(false);
                for (Tensor leaf : List.of(x, w, b, y)) {
                    assertFalse(leaf.hasGradient());
                }
                if (release == Release.EAGER) {
                    assertThrows(IllegalStateException.class, y::backward);
                    loss().backward(release);
                } else {
                    y.backward();
                }
                assertArrayEquals(expected, gradients());
            }
            List.of(x, w, b).forEach(Tensor::zeroGradient);
        }
    }

    @Test
    void gradientsThatWereAddedToAreLostAndSaySo() {
        double[][] expected = expected();
        try (var step = TensorArena.ofConfined()) {
            loss().backward();
            Tensor y = loss();
            fails.set(true);
            assertThrows(UnsupportedOperationException.class, y::backward);
            fails.set(false);
            assertArrayEquals(expected[0], x.gradient().toDoubleArray(), "it was not reached");
            var lost = assertThrows(IllegalStateException.class, w::gradient);
            assertEquals(
                    "gradient: a backward failed after it had added to the gradient of [2, 2], which is neither the old"
                            + " nor the new one; call zeroGradient() and go backward again",
                    lost.getMessage());
            assertTrue(w.hasGradient(), "so that an optimizer does not pass over it");
            assertThrows(IllegalStateException.class, y::backward);
            var optimizer = new Adam(List.of(x, w), 0.1);
            double[] before = x.toDoubleArray();
            assertThrows(IllegalStateException.class, optimizer::step);
            assertArrayEquals(before, x.toDoubleArray(), "no parameter is changed");
            optimizer.zeroGradients();
            b.zeroGradient();
            y.backward();
            assertArrayEquals(expected, gradients());
        }
    }

    @Test
    void atEveryLimit() {
        double[][] expected = expected();
        for (Release release : Release.values()) {
            int failures = 0;
            boolean done = false;
            for (long limit = 64; !done; limit += 64) {
                try (var step = TensorArena.ofConfined(limit)) {
                    loss().backward(release);
                    done = true;
                } catch (MemoryLimitException e) {
                    failures++;
                    for (Tensor leaf : List.of(x, w, b)) {
                        assertFalse(leaf.hasGradient());
                    }
                }
            }
            assertTrue(failures > 4, failures + " limits were too low");
            assertArrayEquals(expected, gradients());
            List.of(x, w, b).forEach(Tensor::zeroGradient);
        }
    }

    @Test
    void atEveryLimitOfTheLeaves() {
        for (int limit = 64; limit <= 6 * 64; limit += 64) {
            try (var model = TensorArena.ofConfined(limit);
                    var elsewhere = arena.enter()) {
                Tensor p = Tensor.ones(model, DType.FLOAT64, 2).trackGradient();
                Tensor q =
                        limit < 128 ? p : Tensor.ones(model, DType.FLOAT64, 2).trackGradient();
                Tensor y = p.multiply(q).add(p).sum();
                boolean fits = limit >= (p == q ? 128 : 256);
                if (fits) {
                    y.backward();
                } else {
                    assertThrows(MemoryLimitException.class, y::backward);
                }
                assertEquals(fits, p.hasGradient());
                assertEquals(fits, q.hasGradient());
            }
        }
    }

    @Test
    void anotherThreadsContributionIsNotThrownAway() throws Exception {
        var reached = new CountDownLatch(1);
        var added = new CountDownLatch(1);
        Thread other = Thread.ofPlatform().start(() -> {
            try (var step = TensorArena.ofConfined()) {
                reached.await();
                w.sum().backward();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                added.countDown();
            }
        });
        try (var step = TensorArena.ofConfined()) {
            Tensor y = Tensor.custom(new Meeting(reached, added), x).matmul(w).sum();
            assertThrows(UnsupportedOperationException.class, y::backward);
        }
        other.join();
        assertThrows(IllegalStateException.class, w::gradient, "it holds the other's, and a part of this one's");
        assertFalse(x.hasGradient());
    }

    /// Waits in its gradient for what another thread adds, and then fails.
    record Meeting(CountDownLatch reached, CountDownLatch added) implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0]);
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            reached.countDown();
            try {
                assertTrue(added.await(60, TimeUnit.SECONDS), "a rule of the user's runs outside the leaf's lock");
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            throw new UnsupportedOperationException("fails");
        }
    }

    @Test
    void aRuleThatWaitsForAnotherBackwardToTheSameLeaf() throws Exception {
        var reached = new CountDownLatch(1);
        var added = new CountDownLatch(1);
        Thread other = Thread.ofPlatform().start(() -> {
            try (var step = TensorArena.ofConfined()) {
                reached.await();
                x.sum().backward();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                added.countDown();
            }
        });
        try (var step = TensorArena.ofConfined()) {
            Tensor y = Tensor.custom(new Meeting(reached, added), x).sum();
            assertThrows(UnsupportedOperationException.class, y::backward);
        }
        other.join();
        assertArrayEquals(new double[] {1, 1, 1, 1}, x.gradient().toDoubleArray());
    }

    @Test
    void aStepLooksAtAllParametersFirst() {
        Tensor early = Tensor.ones(3).trackGradient();
        var inner = TensorArena.ofConfined();
        Tensor late = Tensor.ones(3).trackGradient();
        var optimizer = new Adam(List.of(early, late), 0.1);
        early.add(late).sum().backward();
        inner.close();
        assertThrows(IllegalStateException.class, optimizer::step);
        assertArrayEquals(new float[] {1, 1, 1}, early.toFloatArray());
    }
}
