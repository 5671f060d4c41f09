package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Replays.same;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.nn.Functional;
import org.toydiff.optim.SGD;

/// The elementwise launches of compiled functions run in loops, over other memory in each replay, with the bits of the
/// launches.
class CompiledFusionTest {
    private TensorArena arena;

    @BeforeEach
    void open() {
        arena = TensorArena.ofConfined();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private static Tensor[] inputs(long... shape) {
        return new Tensor[] {Tensor.rand(shape), Tensor.randn(shape), Tensor.rand(shape)};
    }

    @Test
    void aChainIsOneLoopWithoutTemporaries() {
        ExecutionPlan plan = same(x -> x.multiply(2).add(1).exp().subtract(x).relu(), inputs(7, 300));
        assertEquals(1, plan.fusedLoops());
        ExecutionPlan.Launch loop = plan.launches().stream()
                .filter(launch -> launch.loop() != null)
                .findFirst()
                .orElseThrow();
        assertTrue(loop.op().contains("multiply") && loop.op().contains("relu"), loop.op());
        assertTrue(
                loop.loop().contains("multiply(")
                        && loop.toString()
                                .contains(loop.loop()
                                        .lines()
                                        .findFirst()
                                        .orElseThrow()
                                        .strip()),
                loop.loop());
        List<ExecutionPlan.Block> large =
                plan.blocks().stream().filter(block -> block.bytes() > 1000).toList();
        assertEquals(1, large.size(), plan.toString());
    }

    @Test
    void numbersArePartOfLoopsInsteadOfTensors() {
        ExecutionPlan plan = same(x -> x.multiply(2).add(1).divide(3), inputs(7, 300));
        assertEquals(1, plan.launches().size(), plan.toString());
        assertEquals(1, plan.blocks().size(), plan.toString());
        assertEquals("""
                t0 = multiply(x0, 2.0)
                t1 = add(t0, 1.0)
                y0 = divide(t1, 3.0)""", plan.launches().getFirst().loop());
        Tensor[] integers = {Tensor.of(new int[] {1, -2, 3}), Tensor.of(new int[] {7, 0, -9})};
        assertEquals(1, same(x -> x.multiply(2).add(1), integers).launches().size());
    }

    /// Every result is rounded, as by the launches.
    @Test
    void chainsOfBfloat16AndTheirCastsAreOneLoop() {
        for (UnaryOperator<Tensor> function : List.<UnaryOperator<Tensor>>of(
                x -> x.cast(DType.BFLOAT16)
                        .multiply(1.7)
                        .add(1)
                        .exp()
                        .cast(DType.FLOAT32)
                        .subtract(x),
                x -> x.multiply(x).cast(DType.BFLOAT16).sigmoid(),
                x -> Functional.gelu(x.cast(DType.BFLOAT16)).multiply(3).greater(0.5))) {
            ExecutionPlan plan = same(function, inputs(7, 300));
            assertEquals(1, plan.launches().size(), plan.toString());
            assertEquals(1, plan.blocks().size(), plan.toString());
        }
        Tensor[] halves = {
            Tensor.randn(5, 130).cast(DType.BFLOAT16), Tensor.randn(5, 130).cast(DType.BFLOAT16)
        };
        assertEquals(
                1,
                same(x -> x.tanh().multiply(x).cast(DType.FLOAT32).sum(1), halves)
                        .fusedLoops());
        assertEquals(1, same(x -> x.sin().add(x.mean(0)), halves).fusedLoops());
    }

    /// In double precision from where it is widened to where it is rounded.
    @Test
    void chainsOfFloat64AndTheirCastsAreOneLoop() {
        ExecutionPlan plan = same(x -> x.cast(DType.FLOAT64).exp().multiply(1.5).cast(DType.FLOAT32), inputs(7, 300));
        assertEquals(1, plan.launches().size(), plan.toString());
        assertEquals(1, plan.blocks().size(), plan.toString());
        ExecutionPlan rounded = same(
                x -> x.cast(DType.FLOAT64)
                        .exp()
                        .cast(DType.FLOAT32)
                        .cast(DType.FLOAT64)
                        .subtract(1),
                inputs(7, 300));
        assertEquals(2, rounded.launches().size(), rounded.toString());
        ExecutionPlan mixed =
                same(x -> x.sin().cast(DType.FLOAT64).tanh().cast(DType.FLOAT32).exp(), inputs(7, 300));
        assertEquals(3, mixed.launches().size(), mixed.toString());
        assertEquals(
                1,
                same(
                                x -> x.sin()
                                        .cast(DType.FLOAT64)
                                        .multiply(x.cast(DType.FLOAT64))
                                        .sum(),
                                inputs(9, 70))
                        .fusedLoops());
    }

    @Test
    void forwardAndBackwardOfAnActivationAreOneLoop() {
        Tensor weight = Tensor.randn(64).trackGradient();
        ExecutionPlan plan = same(
                x -> {
                    weight.zeroGradient();
                    Tensor loss = Functional.gelu(x.multiply(weight)).mean();
                    loss.backward(Release.EAGER);
                    return loss;
                },
                inputs(16, 64));
        assertEquals(1, plan.fusedLoops(), plan.launches().toString());
    }

    @Test
    void reductionsAndSoftmaxReadWhatALoopComputes() {
        for (UnaryOperator<Tensor> last : List.<UnaryOperator<Tensor>>of(
                x -> x.sum(), x -> x.mean(0), x -> x.max(1), x -> x.norm(), x -> x.softmax(1), x -> x.logSoftmax(1))) {
            ExecutionPlan plan = same(x -> last.apply(x.multiply(x).add(0.5).sin()), inputs(20, 130));
            assertEquals(1, plan.fusedLoops(), plan.toString());
            assertTrue(
                    plan.blocks().stream()
                                    .filter(block -> block.bytes() >= 20 * 130 * Float.BYTES)
                                    .count()
                            <= 1,
                    plan.toString());
        }
    }

    /// By the same seed, over sizes of one part and of several.
    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64", "BFLOAT16"})
    void dropoutReadsWhatALoopComputesAndKeepsNoMask(DType dtype) {
        for (long n : new long[] {300, 70_001}) {
            try (var compiled = CompiledFunction.of(x -> x.multiply(x).sin().dropout(0.3))) {
                for (int i = 0; i < 3; i++) {
                    Tensor x = Tensor.randn(n).cast(dtype);
                    Tensor.manualSeed(i);
                    double[] expected = x.multiply(x).sin().dropout(0.3).toDoubleArray();
                    Tensor.manualSeed(i);
                    assertArrayEquals(expected, compiled.run(x).toDoubleArray());
                }
                ExecutionPlan plan = compiled.plan();
                assertEquals(1, plan.launches().size(), plan.toString());
                assertEquals(1, plan.fusedLoops(), plan.toString());
                assertEquals(1, plan.blocks().size(), plan.toString());
            }
        }
    }

    @Test
    void inputsMayLieAnywhere() {
        Tensor all = Tensor.rand(10, 64);
        Tensor first = all.get(0);
        same(x -> x.exp().multiply(x).tanh(), first, all.get(3), all.get(9), first);
        Tensor columns = Tensor.rand(64, 10);
        same(x -> x.exp().multiply(x).tanh(), columns.slice(1, 0, 3), columns.slice(1, 4, 7));
    }

    @Test
    void whatSeveralReadAndWhatIsReturnedIsKept() {
        try (var compiled = CompiledFunction.ofList(inputs -> {
            Tensor y = inputs.getFirst().exp();
            Tensor z = y.multiply(2);
            return List.of(y, z.add(1), y.matmul(y), z);
        })) {
            for (int i = 0; i < 3; i++) {
                Tensor x = Tensor.rand(5, 5);
                List<Tensor> results = compiled.run(List.of(x));
                assertArrayEquals(x.exp().toFloatArray(), results.get(0).toFloatArray());
                assertArrayEquals(
                        x.exp().multiply(2).add(1).toFloatArray(),
                        results.get(1).toFloatArray());
                assertArrayEquals(
                        x.exp().multiply(2).toFloatArray(), results.get(3).toFloatArray());
                assertArrayEquals(
                        x.exp().matmul(x.exp()).toFloatArray(), results.get(2).toFloatArray());
            }
        }
    }

    @Test
    void codeOfTheCallersSeesPersistentMemoryAsItIsAtItsPlace() {
        Tensor weight = Tensor.of(1f, 2, 3).trackGradient();
        var optimizer = new SGD(List.of(weight), 0.5);
        Tensor other = Tensor.of(1f, 2, 3).trackGradient();
        var uncompiled = new SGD(List.of(other), 0.5);
        try (var compiled = CompiledFunction.of(x -> step(x, weight, optimizer))) {
            for (int i = 0; i < 4; i++) {
                Tensor x = Tensor.rand(3);
                assertArrayEquals(
                        step(x, other, uncompiled).toFloatArray(),
                        compiled.run(x).toFloatArray());
                assertArrayEquals(other.toFloatArray(), weight.toFloatArray());
            }
        }
    }

    /// Reads the weight before and after the optimizer changes it.
    private static Tensor step(Tensor x, Tensor weight, SGD optimizer) {
        optimizer.zeroGradients();
        Tensor before = weight.detach().multiply(x);
        x.multiply(weight).sin().sum().backward(Release.EAGER);
        optimizer.step();
        return before.subtract(weight.detach());
    }

    @Test
    void stateIsWritten() {
        Tensor state = Tensor.zeros(100);
        try (var compiled = CompiledFunction.of(x -> {
            state.copyFrom(x.exp());
            return state.add(1).multiply(x);
        })) {
            for (int i = 0; i < 3; i++) {
                Tensor x = Tensor.rand(100);
                assertArrayEquals(
                        x.exp().add(1).multiply(x).toFloatArray(),
                        compiled.run(x).toFloatArray());
                assertArrayEquals(x.exp().toFloatArray(), state.toFloatArray());
            }
        }
    }

    @Test
    void memoryThatOverlapsIsNotReordered() {
        Tensor state = Tensor.zeros(8);
        Tensor again = Tensor.wrap(state.segment(), DType.FLOAT32, 8);
        try (var compiled = CompiledFunction.of(x -> {
            state.copyFrom(x.multiply(2));
            Tensor y = again.add(1).exp();
            state.copyFrom(x.multiply(3));
            return y.add(again);
        })) {
            for (int i = 0; i < 3; i++) {
                Tensor x = Tensor.rand(8);
                float[] expected = x.multiply(2).add(1).exp().add(x.multiply(3)).toFloatArray();
                assertArrayEquals(expected, compiled.run(x).toFloatArray());
            }
        }
    }
}
