package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Regions and arenas that are closed out of order, twice, on another thread, or not at all.
class RegionTest extends ArenaTest {
    RegionTest() {
        super(TensorArena::ofShared);
    }

    private static boolean records() {
        return Tensor.ones(2).trackGradient().exp().tracksGradient();
    }

    private static void requireRefused(String message, Executable close) {
        assertEquals(message, assertThrows(IllegalStateException.class, close).getMessage());
    }

    private static <T> T elsewhere(Callable<T> call) throws Exception {
        try (var other = Executors.newSingleThreadExecutor()) {
            return other.submit(call).get();
        }
    }

    @Test
    void regionsCloseInTheReverseOrderOfTheirBeginning() {
        Region outer = Autograd.noGradient();
        Region inner = Autograd.noGradient();
        for (int i = 0; i < 2; i++) {
            requireRefused(
                    "close: a noGradient region that was begun inside this noGradient region is still open;"
                            + " close it first",
                    outer::close);
            assertFalse(records());
        }
        inner.close();
        assertFalse(records());
        outer.close();
        assertTrue(records());
    }

    @Test
    void closingAgainDoesNothing() {
        Region first = Autograd.noGradient();
        first.close();
        first.close();
        assertTrue(records());
        try (var second = Autograd.noGradient()) {
            first.close();
            assertFalse(records());
        }
        assertTrue(records());
        first.close();
        assertTrue(records());
    }

    @Test
    void anotherThreadCannotCloseOne() throws Exception {
        Region here = Autograd.noGradient();
        var refused = assertThrows(
                ExecutionException.class,
                () -> elsewhere(() -> {
                    here.close();
                    return null;
                }));
        assertEquals(
                "close: the noGradient region was begun on another thread; close it there",
                refused.getCause().getMessage());
        assertFalse(records());
        here.close();
        assertTrue(records());
        assertEquals(true, elsewhere(() -> {
            here.close();
            try (var own = TensorArena.ofConfined()) {
                return records();
            }
        }));
    }

    @Test
    void anArenaDoesNotCloseBeforeARegionInsideIt() {
        var inner = TensorArena.ofConfined();
        Region forgotten = Autograd.noGradient();
        requireRefused(
                "close: a noGradient region that was begun inside this arena is still open; close it first",
                inner::close);
        forgotten.close();
        inner.close();
        Region entered = arena.enter();
        forgotten = Autograd.noGradient();
        requireRefused(
                "close: a noGradient region that was begun inside this arena is still open; close it first",
                entered::close);
        forgotten.close();
        entered.close();
    }

    @Test
    void aRegionDoesNotCloseBeforeAnArenaInsideIt() {
        String message =
                "close: an arena that was opened or entered inside this noGradient region is still open; close it first";
        Region region = Autograd.noGradient();
        var inner = TensorArena.ofConfined();
        requireRefused(message, region::close);
        inner.close();
        Region entered = arena.enter();
        requireRefused(message, region::close);
        entered.close();
        region.close();
        assertTrue(records());
    }

    @Test
    void enteredArenasAreLeftOnceAndInOrder() {
        Region outer = arena.enter();
        Region inner = arena.enter();
        assertThrows(IllegalStateException.class, outer::close);
        inner.close();
        inner.close();
        outer.close();
        outer.close();
        assertEquals(64, Tensor.ones(4).copyTo(arena).size() * 16);
    }

    @Test
    void threadsWithoutNamesAreNamedByTheirNumbers() throws Exception {
        List<String> messages = new ArrayList<>();
        var confined = TensorArena.ofConfined();
        Runnable run = () -> {
            messages.add(assertThrows(IllegalStateException.class, () -> Tensor.ones(2))
                    .getMessage()
                    .lines()
                    .findFirst()
                    .orElseThrow());
            messages.add(assertThrows(IllegalStateException.class, arena::close).getMessage());
            messages.add(
                    assertThrows(WrongThreadException.class, confined::enter).getMessage());
            try (var own = TensorArena.ofShared()) {
                messages.add(Memory.report()
                        .lines()
                        .filter(line -> line.contains(
                                Long.toString(Thread.currentThread().threadId())))
                        .findFirst()
                        .orElse("no line of this thread")
                        .strip());
            }
        };
        Thread virtual = Thread.ofVirtual().start(run);
        virtual.join();
        Thread unnamed = Thread.ofPlatform().name("").start(run);
        unnamed.join();
        confined.close();
        for (int i = 0; i < 2; i++) {
            String name = i == 0 ? "virtual thread #" + virtual.threadId() : "thread #" + unnamed.threadId();
            assertEquals(
                    "full: no arena is open on " + name + ", so the new tensor has no place. Open one around it:",
                    messages.get(4 * i).replace("ones: ", "full: "));
            assertEquals(
                    "close: this arena belongs to thread "
                            + Thread.currentThread().getName()
                            + ", which opened it; close it there, or open it by ofDetached() to close it on any"
                            + " thread",
                    messages.get(4 * i + 1));
            assertEquals(
                    "enter: the arena is confined to thread "
                            + Thread.currentThread().getName() + "; use TensorArena.ofShared() for several threads",
                    messages.get(4 * i + 2));
            assertTrue(messages.get(4 * i + 3).startsWith("shared arena of " + name + ": "), messages.get(4 * i + 3));
        }
    }

    private static final List<Region> FORGOTTEN = new ArrayList<>();

    /// Begins a region and forgets it.
    private static Tensor forgetful(Tensor x) {
        FORGOTTEN.add(Autograd.noGradient());
        return x;
    }

    private record Forgetful() implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0]);
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            return forgetful(g.multiply(1));
        }
    }

    @Test
    void whatBackwardRunsCannotLeaveRecordingOff() {
        Tensor x = Tensor.ones(3).trackGradient();
        Tensor.custom(new Forgetful(), x).sum().backward();
        assertTrue(records());
        Autograd.checkpoint(t -> forgetful(t.exp()), x, List.of()).sum().backward();
        assertEquals(3, FORGOTTEN.size(), "once in the gradient, twice in the checkpoint");
        assertTrue(records());
        FORGOTTEN.forEach(Region::close);
        assertTrue(records());
    }
}
