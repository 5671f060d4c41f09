package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.optim.Gradients;

/// What cannot be replayed is refused while it is recorded, by a message with the op and the remedy; what must not
/// happen at a run is refused before anything changes.
class CompiledRefusalTest {
    private static final String RECORDED = ": a CompiledFunction is being recorded on this thread";

    /// Calls an op for its effect.
    @FunctionalInterface
    private interface Effect {
        void on(Tensor x);
    }

    private static UnaryOperator<Tensor> after(Effect effect) {
        return x -> {
            effect.on(x);
            return x.add(1);
        };
    }

    /// Refuses to be replayed.
    private record Timestamp() implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0]);
        }

        @Override
        public boolean isReplayable() {
            return false;
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            return g;
        }
    }

    private static Map<String, UnaryOperator<Tensor>> refused(TensorArena outer, TensorArena detached, Tensor state) {
        Map<String, UnaryOperator<Tensor>> refused = new LinkedHashMap<>();
        refused.put("item", after(x -> x.sum().item()));
        refused.put("at", after(x -> x.at(0)));
        refused.put("toFloatArray", after(Tensor::toFloatArray));
        refused.put("toDoubleArray", after(Tensor::toDoubleArray));
        refused.put("toLongArray", after(x -> x.cast(DType.INT64).toLongArray()));
        refused.put("toString", after(Tensor::toString));
        refused.put("segment", after(Tensor::segment));
        refused.put("item of state", after(x -> state.item()));
        refused.put("moveTo", after(x -> x.exp().moveTo(outer)));
        refused.put("copyTo", after(x -> x.copyTo(outer)));
        refused.put("zeros", after(x -> Tensor.zeros(outer, DType.FLOAT32, 2)));
        refused.put("enter", after(x -> detached.enter()));
        refused.put("close", after(x -> detached.close()));
        refused.put("norm", after(x -> Updates.norm(x)));
        refused.put("scale", after(x -> Updates.scale(state, 2)));
        refused.put("clamp", after(x -> Updates.clamp(state, 2)));
        refused.put("sgd", after(x -> Updates.sgd(state, state.add(1), 1, 0)));
        refused.put("allFinite of gradients", after(x -> {
            x.multiply(state).sum().backward();
            Gradients.areFinite(List.of(state));
        }));
        refused.put("randomState", after(x -> Tensor.randomState()));
        refused.put("Timestamp", x -> Tensor.custom(new Timestamp(), x));
        refused.put("empty", x -> x.add(Tensor.empty(3)));
        refused.put("run", x -> CompiledFunction.of(v -> v.exp()).run(x));
        return refused;
    }

    @TestFactory
    Stream<DynamicTest> whatAReplayWouldLoseIsRefused() {
        return refused(null, null, null).keySet().stream().map(name -> dynamicTest(name, () -> requireRefused(name)));
    }

    private static void requireRefused(String name) {
        try (var arena = TensorArena.ofConfined();
                var detached = TensorArena.ofDetached()) {
            Tensor state = Tensor.of(1f).trackGradient();
            Tensor x = Tensor.of(1f, 2, 3);
            try (var compiled =
                    CompiledFunction.of(refused(arena, detached, state).get(name))) {
                String message = assertThrows(IllegalStateException.class, () -> compiled.run(x))
                        .getMessage();
                assertTrue(message.startsWith(name.split(" ")[0] + RECORDED), message);
                assertTrue(
                        Stream.of("move it", "close it", "after run", "onEachRun", "leave", "compute them", "call the")
                                .anyMatch(message::contains),
                        message);
                assertEquals(0, compiled.recordings());
            }
            assertEquals(1, state.item());
        }
    }

    @Test
    void aResultWhoseArenaTheFunctionHasClosedIsRefused() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> {
                    try (var inner = TensorArena.ofConfined()) {
                        return x.exp();
                    }
                })) {
            String message = assertThrows(IllegalStateException.class, () -> compiled.run(Tensor.of(1f)))
                    .getMessage();
            assertTrue(message.startsWith("run: the arena of the tensor [1] is closed"), message);
        }
    }

    @Test
    void anArenaThatTheFunctionOpensAndClosesIsNoHindrance() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> {
                    Tensor y = Tensor.zerosLike(x);
                    try (var inner = TensorArena.ofConfined()) {
                        y.copyFrom(x.multiply(3));
                    }
                    return y;
                })) {
            compiled.run(Tensor.of(1f));
            assertEquals(6, compiled.run(Tensor.of(2f)).item());
        }
    }

    @Test
    void anInputThatTracksGradientsIsRefused() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.exp())) {
            Checks.rejected(
                    "run: input 0 tracks gradients, and a replay has no graph; detach() it",
                    () -> compiled.run(Tensor.of(1f).trackGradient()));
        }
    }

    @Test
    void anotherNumberOfInputsIsRefused() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.exp())) {
            Tensor x = Tensor.of(1f);
            Checks.rejected("run: the function takes 1 inputs, not 2", () -> compiled.run(x, x));
            Checks.rejected("run: the function takes 1 inputs, not 0", () -> compiled.run(List.of()));
        }
    }

    @Test
    void anInputThatOverlapsStateOfTheFunctionIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor state = Tensor.of(1f, 2, 3);
            try (var compiled = CompiledFunction.of(x -> {
                state.copyFrom(x.multiply(2));
                return state;
            })) {
                compiled.run(Tensor.of(1f, 2, 3));
                String message = assertThrows(IllegalStateException.class, () -> compiled.run(state))
                        .getMessage();
                assertTrue(message.startsWith("run: input 0 overlaps in memory with a tensor"), message);
                assertEquals(2, state.at(0));
            }
        }
    }

    @Test
    void theLastResultIsNoInputOfTheNextRunButItsCopyIs() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.exp().add(1))) {
            Tensor result = compiled.run(Tensor.of(0f));
            String message = assertThrows(IllegalStateException.class, () -> compiled.run(result))
                    .getMessage();
            assertTrue(message.contains("as its last result is; give it a copy"), message);
            assertEquals(2, result.item());
            assertEquals(Math.exp(2) + 1, compiled.run(result.copyTo(arena)).item(), 1e-5);
        }
    }

    @Test
    void aFunctionInsideARuleOrACheckpointIsRefused() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.exp())) {
            Tensor x = Tensor.of(1f).trackGradient();
            assertThrows(
                    IllegalStateException.class,
                    () -> Autograd.checkpoint(v -> compiled.run(v.detach()).multiply(v), x, List.of()));
        }
    }

    @Test
    void aFunctionThatRunsIsNotRunOnAnotherThreadMeanwhile() throws Exception {
        try (var arena = TensorArena.ofShared()) {
            Throwable[] thrown = new Throwable[1];
            CompiledFunction[] self = new CompiledFunction[1];
            Tensor x = Tensor.of(1f);
            try (var compiled = CompiledFunction.of(v -> {
                Thread other = Thread.ofPlatform()
                        .uncaughtExceptionHandler((thread, failure) -> thrown[0] = failure)
                        .start(() -> self[0].run(x));
                try {
                    other.join();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return v.exp();
            })) {
                self[0] = compiled;
                compiled.run(x);
                assertTrue(thrown[0].getMessage().startsWith("run: this compiled function is running already"));
            }
        }
    }

    @Test
    void withoutAnArenaThereIsNoPlaceForItsMemory() {
        assertThrows(IllegalStateException.class, () -> CompiledFunction.of(x -> x));
    }
}
