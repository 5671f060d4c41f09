package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Checkpoint;

/// Memory whose arena is closed, by the program or by code of the user's that the library calls: it is neither read
/// nor written, and counted once.
class LifetimeTest extends ArenaTest {
    LifetimeTest() {
        super(TensorArena::ofShared);
    }

    // Where a leaf's gradient lies.

    @Test
    void theBlockOfAGradientMovedToAnArenaThatIsClosed() {
        Tensor w = Tensor.ones(3).trackGradient();
        try (var step = TensorArena.ofConfined()) {
            w.multiply(2).sum().backward();
        }
        try (var inner = TensorArena.ofConfined()) {
            // By its own segment, so that the block moves: the arena is shared.
            Tensor copy = w.gradient().copyTo(inner).moveTo(arena);
            assertArrayEquals(new float[] {2, 2, 2}, copy.toFloatArray());
        }
        try (var model = TensorArena.ofConfined()) {
            Tensor v = Tensor.ones(3).trackGradient();
            v.multiply(2).sum().backward();
            try (var inner = TensorArena.ofConfined()) {
                v.gradient().moveTo(inner);
            }
            Tensor y = v.multiply(5).sum();
            var failure = assertThrows(IllegalStateException.class, y::backward);
            assertEquals(
                    "backward: the block of the gradient of [3] lies in an arena that is closed; call zeroGradient()"
                            + " for another one",
                    failure.getMessage());
            v.zeroGradient();
            y.backward();
            assertArrayEquals(new float[] {5, 5, 5}, v.gradient().toFloatArray());
        }
    }

    @Test
    void aWrappedLeafTrackedInAnArenaThatIsClosed() {
        try (var jdk = Arena.ofConfined()) {
            Tensor wrapped = Tensor.wrap(jdk.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2), DType.FLOAT32, 2);
            try (var inner = TensorArena.ofConfined()) {
                wrapped.trackGradient();
            }
            Tensor y = wrapped.multiply(3).sum();
            var failure = assertThrows(IllegalStateException.class, y::backward);
            assertEquals(
                    "backward: the arena in which the gradient of [2] is to be made is closed; call trackGradient()"
                            + " again in the arena that is to hold it",
                    failure.getMessage());
            wrapped.trackGradient();
            y.backward();
            assertArrayEquals(new float[] {3, 3}, wrapped.gradient().toFloatArray());
        }
    }

    @Test
    void aLeafOfAClosedArenaThatNoRuleReads() {
        Tensor y;
        try (var inner = TensorArena.ofConfined()) {
            Tensor w = Tensor.ones(3).trackGradient();
            w.add(1).sum().backward();
            try (var outer = arena.enter()) {
                y = w.add(1).sum();
            }
        }
        for (Release release : Release.values()) {
            assertThrows(IllegalStateException.class, () -> y.backward(release));
        }
        assertThrows(IllegalStateException.class, () -> y.backward(Tensor.scalar(2)));
    }

    @Test
    void aLeafOfAJdkArenaThatIsClosed() {
        Tensor y;
        try (var jdk = Arena.ofConfined()) {
            Tensor w = Tensor.ones(jdk, DType.FLOAT32, 3).trackGradient();
            w.add(1).sum().backward();
            y = w.add(1).sum();
        }
        assertThrows(IllegalStateException.class, y::backward);
        assertThrows(IllegalStateException.class, () -> y.backward(Release.EAGER));
    }

    @Test
    void theGradientOfAnIntermediateInAClosedArena() {
        Tensor x = Tensor.ones(3).trackGradient();
        Tensor y = x.exp();
        Tensor loss = y.sum();
        try (var inner = TensorArena.ofConfined()) {
            loss.backward();
        }
        var failure = assertThrows(IllegalStateException.class, loss::backward);
        assertTrue(failure.getMessage().startsWith("backward: the block of the gradient of "), failure.getMessage());
        y.zeroGradient();
        loss.zeroGradient();
        loss.backward();
        assertArrayEquals(new float[] {1, 1, 1}, y.gradient().toFloatArray());
        assertEquals(2 * Math.exp(1), x.gradient().at(0), 1e-6);
    }

    // Code of the user's that closes what it should not.

    /// Returns a tensor of an arena that it closes.
    record Careless() implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0]);
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            try (var scratch = TensorArena.ofConfined()) {
                return g.multiply(3);
            }
        }
    }

    @Test
    void aGradientThatLiesInAnArenaTheRuleClosed() {
        Tensor x = Tensor.ones(4).trackGradient();
        for (Release release : Release.values()) {
            Tensor y = Tensor.custom(new Careless(), x).sum();
            var failure = assertThrows(IllegalStateException.class, () -> y.backward(release));
            assertEquals(
                    "Careless: its gradient to input 0: the arena of the tensor [4] is closed; copyTo(arena) or"
                            + " moveTo(arena) lets it outlive its arena",
                    failure.getMessage());
            assertFalse(x.hasGradient());
        }
    }

    @Test
    void aCheckpointedFunctionThatReturnsWhatItClosed() {
        Tensor x = Tensor.ones(4).trackGradient();
        assertThrows(
                IllegalStateException.class,
                () -> Autograd.checkpoint(
                        in -> {
                            try (var scratch = TensorArena.ofConfined()) {
                                return in.exp();
                            }
                        },
                        x,
                        List.of()));
    }

    /// Runs `cleanup` while the arena is being closed.
    @SuppressWarnings("restricted")
    private static void atClosing(TensorArena arena, Runnable cleanup) {
        MemorySegment.ofAddress(64).reinterpret(8, arena, segment -> cleanup.run());
    }

    private static final List<Supplier<TensorArena>> KINDS =
            List.of(TensorArena::ofConfined, TensorArena::ofShared, TensorArena::ofDetached);

    @Test
    void aCleanupActionThatThrows() {
        long live = Memory.liveBytes();
        for (var kind : KINDS) {
            for (RuntimeException thrown : List.of(new IllegalStateException(), new UnsupportedOperationException())) {
                var inner = kind.get();
                Tensor.ones(inner, DType.FLOAT32, 3);
                atClosing(inner, () -> {
                    throw thrown;
                });
                assertSame(thrown, assertThrows(RuntimeException.class, inner::close));
                assertSame(arena, TensorArena.innermost());
                assertEquals(live, Memory.liveBytes());
                assertThrows(IllegalStateException.class, inner::enter);
                inner.close();
            }
        }
    }

    @Test
    void aCleanupActionThatUsesTheArena() {
        long live = Memory.liveBytes();
        for (var kind : KINDS) {
            var inner = kind.get();
            List<RuntimeException> refusals = new ArrayList<>();
            atClosing(inner, () -> {
                inner.close();
                refusals.add(assertThrows(IllegalStateException.class, inner::enter));
                refusals.add(assertThrows(IllegalStateException.class, () -> Tensor.ones(inner, DType.FLOAT32, 3)));
            });
            inner.close();
            assertEquals(
                    List.of("enter: the arena is closed", "ones: the arena is closed"),
                    refusals.stream().map(Throwable::getMessage).toList());
            assertSame(arena, TensorArena.innermost());
            assertEquals(live, Memory.liveBytes());
        }
    }

    @Test
    void aGeneratorThatClosesTheArena() {
        var inner = TensorArena.ofConfined();
        RandomGenerator closing = () -> {
            inner.close();
            return 1;
        };
        assertThrows(IllegalStateException.class, () -> Tensor.rand(closing, 1000));
    }

    @Test
    void arenasOfTheCallersThatGiveNoMemory() {
        try (var jdk = Arena.ofConfined()) {
            MemorySegment readOnly = jdk.allocate(4096, 64).asReadOnly();
            MemorySegment heap = MemorySegment.ofArray(new byte[4096]);
            for (MemorySegment given : new MemorySegment[] {
                null,
                MemorySegment.NULL,
                readOnly,
                heap,
                jdk.allocate(8, 64),
                jdk.allocate(4096, 64).asSlice(4)
            }) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Tensor.ones(giving(jdk, given), DType.FLOAT32, 10, 10),
                        String.valueOf(given));
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Tensor.ones(10, 10).matmul(Tensor.ones(10, 10)).copyTo(giving(jdk, given)));
            }
        }
        Arena closed = Arena.ofConfined();
        closed.close();
        var failure = assertThrows(IllegalStateException.class, () -> Tensor.ones(closed, DType.FLOAT32, 2));
        assertTrue(failure.getMessage().endsWith(": the arena given for [2] is closed"), failure.getMessage());
    }

    private static Arena giving(Arena lifetime, MemorySegment segment) {
        return new Arena() {
            @Override
            public MemorySegment allocate(long byteSize, long byteAlignment) {
                return segment;
            }

            @Override
            public MemorySegment.Scope scope() {
                return lifetime.scope();
            }

            @Override
            public void close() {}
        };
    }

    @Test
    void memoryOfJdkArenasCountsUntilTheyClose() {
        long live = Memory.liveBytes();
        try (var jdk = Arena.ofConfined()) {
            Tensor.zeros(jdk, DType.FLOAT64, 100);
            Tensor.ones(3).copyTo(jdk);
            assertEquals(live + 64 + 832 + 64, Memory.liveBytes());
            assertThrows(
                    MemoryLimitException.class, () -> Tensor.zeros(jdk, DType.FLOAT64, Memory.limitBytes() / 8 + 1));
        }
        assertEquals(live + 64, Memory.liveBytes());
    }

    // Moving.

    @Test
    void aBlockThatOtherThreadsMayBeReadingIsCopied() {
        Tensor x = Tensor.ones(1000);
        try (var inner = TensorArena.ofConfined()) {
            Tensor moved = x.moveTo(inner);
            assertNotSame(x, moved);
            assertEquals(1000, moved.sum().item());
        }
        assertEquals(1000, x.sum().item());
    }

    @Test
    void anIntermediateLeavesASharedArenaWhileOthersRead() throws Exception {
        Tensor leaf = Tensor.ones(4096).trackGradient();
        for (int round = 0; round < 200; round++) {
            Tensor y = leaf.multiply(1);
            var stop = new AtomicBoolean();
            var start = new CyclicBarrier(2);
            Thread other = Thread.ofPlatform().start(() -> {
                try (var own = TensorArena.ofConfined();
                        var off = Autograd.noGradient()) {
                    await(start);
                    while (!stop.get()) {
                        try {
                            y.copyFrom(Tensor.full(DType.FLOAT32, -1, 4096));
                        } catch (IllegalStateException | WrongThreadException moved) {
                            return;
                        }
                    }
                }
            });
            start.await();
            try (var inner = TensorArena.ofConfined()) {
                y.moveTo(inner);
            } catch (IllegalStateException inUse) {
                stop.set(true);
            }
            try (var next = TensorArena.ofConfined()) {
                Tensor owner = Tensor.full(DType.FLOAT32, 7, 4096);
                for (int i = 0; i < 20; i++) {
                    assertEquals(7, owner.min().item());
                }
            }
            stop.set(true);
            other.join();
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void memoryOfTheCallersIsNotMovedTrackedOrNot() {
        try (var jdk = Arena.ofConfined();
                var step = TensorArena.ofConfined()) {
            Tensor w = Tensor.wrap(jdk.allocate(8, 4), DType.FLOAT32, 2);
            assertThrows(IllegalStateException.class, () -> w.moveTo(arena));
            w.trackGradient();
            assertThrows(IllegalStateException.class, () -> w.moveTo(step));
            assertThrows(IllegalStateException.class, () -> w.moveTo(arena));
            Tensor own = Tensor.ones(jdk, DType.FLOAT32, 2);
            assertThrows(IllegalStateException.class, () -> own.moveTo(step));
        }
    }

    @Test
    void aLeafMovesWithItsGradientOrNotAtAll() {
        try (var model = TensorArena.ofConfined()) {
            Tensor w = Tensor.ones(100).trackGradient();
            w.sum().backward();
            try (var small = TensorArena.ofConfined(600)) {
                assertThrows(MemoryLimitException.class, () -> w.moveTo(small));
                assertEquals(0, small.liveBytes());
            }
            assertEquals(100, w.gradient().sum().item());
            assertEquals(100, w.sum().item());
            try (var inner = TensorArena.ofConfined()) {
                w.gradient().moveTo(inner);
            }
            try (var other = TensorArena.ofConfined()) {
                assertEquals(100, w.moveTo(other).sum().item());
                assertEquals(100, w.moveTo(model).sum().item());
            }
        }
    }

    @Test
    void aRefusedMoveChangesNothing() {
        try (var step = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(1000);
            long live = step.liveBytes();
            try (var small = TensorArena.ofConfined(512)) {
                assertThrows(MemoryLimitException.class, () -> x.moveTo(small));
                assertEquals(0, small.liveBytes());
            }
            assertEquals(live, step.liveBytes());
            assertEquals(1000, x.sum().item());
        }
    }

    // Counting.

    @Test
    void whatAClosedScratchArenaHeldIsNotCountedTwice() {
        var layer = Checkpoint.of(new BatchNorm1d(3));
        Tensor x = Tensor.rand(8, 3).trackGradient();
        for (int i = 0; i < 3; i++) {
            long live = Memory.liveBytes();
            try (var step = TensorArena.ofConfined()) {
                Tensor y = layer.forward(x).sum();
                y.backward(i == 1 ? Release.AT_CLOSE : Release.EAGER);
                assertTrue(step.liveBytes() >= 0);
            }
            x.zeroGradient();
            layer.parameters().forEach(Tensor::zeroGradient);
            assertTrue(i == 0 || Memory.liveBytes() == live, "step " + i);
        }
    }

    @Test
    void checkpointsOfCompositionsCountNothingTwice() {
        Tensor x = Tensor.rand(5, 4).trackGradient();
        x.sum().backward();
        long live = Memory.liveBytes();
        try (var step = TensorArena.ofConfined()) {
            Autograd.checkpoint(in -> in.logSumExp(1).add(in.norm().add(in.std(1))), x, List.of())
                    .sum()
                    .backward(Release.EAGER);
        }
        assertEquals(live, Memory.liveBytes());
    }

    @Test
    void anUnreadValueOfAClosedArenaIsNotFreedAgain() {
        Tensor x = Tensor.rand(5, 4).trackGradient();
        x.sum().backward();
        Tensor loss;
        try (var inner = TensorArena.ofConfined()) {
            Tensor y = x.add(1);
            try (var outer = arena.enter()) {
                loss = y.sum();
            }
        }
        long live = Memory.liveBytes();
        loss.backward(Release.EAGER);
        assertTrue(Memory.liveBytes() >= live - 64 && Memory.liveBytes() <= live + 64);
        assertTrue(arena.liveBytes() >= 0);
    }

    @Test
    void tensorsMadeWhileASharedArenaClosesAreFreedOrRefused() throws Exception {
        long live = Memory.liveBytes();
        for (int round = 0; round < 100; round++) {
            var shared = TensorArena.ofShared();
            var ready = new CyclicBarrier(2);
            var failure = new AtomicReference<Throwable>();
            Thread maker = Thread.ofPlatform().start(() -> {
                try {
                    ready.await();
                    for (int i = 0; i < 2000; i++) {
                        Tensor.zeros(shared, DType.FLOAT32, 1000);
                    }
                } catch (IllegalStateException closed) {
                    // As it should be.
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            ready.await();
            shared.close();
            maker.join();
            assertEquals(null, failure.get());
            assertEquals(live, Memory.liveBytes());
        }
    }
}
