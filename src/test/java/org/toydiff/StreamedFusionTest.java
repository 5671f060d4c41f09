package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Replays.same;
import static org.toydiff.Replays.sameLists;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.nn.Functional;

/// In compiled functions, elementwise ops read the rows of normalisations, softmax, dropout and their gradients while
/// these are computed, with the bits of the launches one by one.
class StreamedFusionTest {
    private final int threads = Blas.threads();
    private TensorArena arena;

    @BeforeEach
    void open() {
        arena = TensorArena.ofConfined();
    }

    @AfterEach
    void close() {
        arena.close();
        Blas.setThreads(threads);
    }

    private static final long[][] SHAPES = {{3, 5}, {70, 33}, {2, 9_000}, {300, 1}, {1, 1}, {40, 1_000}};

    private static Tensor[] inputs(DType dtype, long... shape) {
        Tensor[] inputs = new Tensor[3];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = Tensor.randn(shape).cast(dtype);
        }
        return inputs;
    }

    /// An op whose rows are taken over, of x and a row for each column.
    private enum Op {
        LAYER_NORM("normalizeGradient", (x, row) -> x.layerNorm(row, row, 1e-5)),
        RMS_NORM("normalizeGradient", (x, row) -> x.rmsNorm(row, 1e-6)),
        SOFTMAX("softmaxGradient", (x, row) -> x.softmax(-1)),
        LOG_SOFTMAX("logSoftmaxGradient", (x, row) -> x.logSoftmax(-1)),
        DROPOUT("dropout", (x, row) -> x.dropout(0.3));

        /// The launch of the gradient.
        private final String gradient;

        private final BinaryOperator<Tensor> of;

        Op(String gradient, BinaryOperator<Tensor> of) {
            this.gradient = gradient;
            this.of = of;
        }

        Tensor of(Tensor x, Tensor row) {
            return of.apply(x, row);
        }
    }

    @ParameterizedTest
    @CsvSource({"FLOAT32, 1", "FLOAT64, 4"})
    void rowsPassToTheLoopThatReadsThem(DType dtype, int n) {
        Blas.setThreads(n);
        for (Op op : Op.values()) {
            for (long[] shape : SHAPES) {
                Tensor row = Tensor.rand(shape[1]).cast(dtype);
                Tensor column = Tensor.rand(shape[0], 1).cast(dtype);
                Tensor[] inputs = inputs(dtype, shape);
                ExecutionPlan plan = same(x -> x.add(op.of(x, row)), inputs);
                requireOneLaunch(plan, 1);
                requireOneLaunch(
                        same(x -> op.of(x, row).multiply(2).sin().subtract(x).relu(), inputs), 1);
                Tensor mask = inputs[0].greater(0.2);
                requireOneLaunch(same(x -> Tensor.where(mask, op.of(x, row), x), inputs), 1);
                same(x -> op.of(x, row).multiply(row).add(column), inputs);
                same(x -> op.of(x, row).greater(column), inputs);
            }
        }
    }

    /// Requires one launch with a loop, and no block but its results.
    private static void requireOneLaunch(ExecutionPlan plan, int results) {
        assertEquals(1, plan.launches().size(), plan.launches().toString());
        assertEquals(1, plan.fusedLoops(), plan.launches().toString());
        assertEquals(results, plan.blocks().size(), plan.launches().toString());
        assertEquals(
                plan.blocks().stream().mapToLong(ExecutionPlan.Block::bytes).sum(),
                plan.blocks().getFirst().bytes() * results);
    }

    @ParameterizedTest
    @EnumSource
    void rowsThatOthersReadOrThatAreReturnedAreStoredToo(Op op) {
        Tensor row = Tensor.rand(130);
        Tensor[] inputs = inputs(DType.FLOAT32, 70, 130);
        ExecutionPlan plan = sameLists(
                x -> {
                    Tensor y = op.of(x, row);
                    return List.of(y, y.add(x).exp());
                },
                inputs);
        requireOneLaunch(plan, 2);
        assertTrue(
                plan.launches().getFirst().loop().startsWith("y0 = "),
                plan.launches().toString());
        ExecutionPlan several = sameLists(
                x -> {
                    Tensor y = op.of(x, row);
                    return List.of(
                            y.multiply(x), y.matmul(x.transpose()), y.add(x).sin());
                },
                inputs);
        assertEquals(2, several.launches().size(), several.toString());
    }

    /// The elements before the launch are read from a loop, too.
    @ParameterizedTest
    @EnumSource(names = {"SOFTMAX", "LOG_SOFTMAX", "DROPOUT"})
    void aLaunchMayBeBetweenTwoLoops(Op op) {
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
            for (long[] shape : SHAPES) {
                Tensor[] inputs = inputs(dtype, shape);
                requireOneLaunch(
                        same(x -> op.of(x.multiply(x).sin(), null).multiply(x).add(1), inputs), 1);
            }
        }
    }

    @Test
    void thePlanShowsWhatPassesAsPseudoCode() {
        Tensor row = Tensor.rand(64);
        Tensor[] inputs = inputs(DType.FLOAT32, 16, 64);
        ExecutionPlan.Launch norm = same(x -> x.add(x.layerNorm(row, row, 1e-5)).relu(), inputs)
                .launches()
                .getFirst();
        assertEquals("layerNorm + add + relu", norm.op());
        assertEquals("""
                r0 = layerNorm(…)
                t0 = add(x0, r0)
                y0 = relu(t0)""", norm.loop());
        assertEquals(
                """
                t0 = sin(x0)
                r0 = multiply(t0, x1)
                r1 = softmax(r0)
                t2 = exp(x2)
                y0 = subtract(r1, t2)""",
                same(x -> x.sin().multiply(row).softmax(1).subtract(x.exp()), inputs)
                        .launches()
                        .getFirst()
                        .loop());
        assertEquals(
                """
                y0 = dropout(…)
                y1 = add(y0, x0)""",
                sameLists(
                                x -> {
                                    Tensor y = x.dropout(0.5);
                                    return List.of(y, y.add(x));
                                },
                                inputs)
                        .launches()
                        .getFirst()
                        .loop());
    }

    @Test
    void dropoutOfBfloat16PassesItsRows() {
        requireOneLaunch(same(x -> x.add(x.dropout(0.4)).tanh(), inputs(DType.BFLOAT16, 300, 70)), 1);
        requireOneLaunch(same(x -> x.softmax(1).cast(DType.FLOAT32).multiply(3), inputs(DType.BFLOAT16, 30, 70)), 1);
    }

    /// A loop of FLOAT64 over rows of FLOAT32.
    @Test
    void rowsAreWidenedByTheLoopThatReadsThem() {
        Tensor[] inputs = inputs(DType.FLOAT32, 30, 70);
        requireOneLaunch(same(x -> x.softmax(1).cast(DType.FLOAT64).sqrt(), inputs), 1);
    }

    @Test
    void operandsThatRepeatOnOuterAxesAreReadPieceByPiece() {
        Tensor positions = Tensor.randn(1, 6, 32);
        Tensor[] inputs = inputs(DType.FLOAT32, 5, 6, 32);
        Tensor row = Tensor.rand(32);
        for (Op op : Op.values()) {
            requireOneLaunch(same(x -> op.of(x, row).add(positions), inputs), 1);
        }
        // Pieces are parts of a matrix, which these operands have not in common.
        Tensor between = Tensor.randn(5, 1, 6, 32);
        same(
                x -> x.softmax(-1)
                        .reshape(5, 3, 2, 32)
                        .add(Tensor.randn(3, 1, 1).detach().multiply(0)),
                inputs);
        same(x -> x.softmax(-1).reshape(5, 1, 6, 32).add(between), inputs);
    }

    @Test
    void rowsThatAreReadInAnotherOrderAreInMemory() {
        Tensor[] inputs = inputs(DType.FLOAT32, 64, 64);
        assertEquals(
                2,
                same(x -> x.softmax(1).transpose().multiply(x), inputs)
                        .launches()
                        .size());
        assertEquals(
                2,
                same(
                                x -> {
                                    Tensor y = x.softmax(1);
                                    return y.multiply(y.transpose());
                                },
                                inputs)
                        .launches()
                        .size());
        assertEquals(
                2,
                same(x -> x.softmax(1).slice(0, 0, 32).multiply(2), inputs)
                        .launches()
                        .size());
    }

    @Test
    void rowsThatDoNotFitIntoScratchMemoryAreInMemory() {
        Tensor[] inputs = {Tensor.randn(2, 600_000), Tensor.randn(2, 600_000)};
        assertEquals(2, same(x -> x.add(x.softmax(1)), inputs).launches().size());
        Tensor row = Tensor.rand(600_000);
        assertEquals(
                2,
                same(x -> x.add(x.layerNorm(row, row, 1e-5)), inputs).launches().size());
        assertEquals(1, same(x -> x.add(x.dropout(0.5)), inputs).launches().size());
    }

    @Test
    void emptyTensorsLaunchNothing() {
        Tensor row = Tensor.rand(5);
        for (Op op : Op.values()) {
            same(x -> x.add(op.of(x, row)), Tensor.rand(0, 5), Tensor.rand(0, 5));
        }
    }

    /// The results that are changed in place are those of the launch, and its operands.
    @Test
    void changesInPlaceKeepTheirOrder() {
        Tensor row = Tensor.rand(70);
        for (Op op : Op.values()) {
            Tensor state = Tensor.zeros(40, 70);
            Tensor other = Tensor.zeros(40, 70);
            Function<Tensor, List<Tensor>> inPlace = x -> {
                state.copyFrom(x);
                Tensor y = op.of(state, row);
                state.copyFrom(state.add(y));
                other.copyFrom(y);
                return List.of(y.multiply(state), state.add(0), other.add(0));
            };
            sameLists(inPlace, inputs(DType.FLOAT32, 40, 70));
            Tensor weight = row.add(0);
            Function<Tensor, List<Tensor>> weights = x -> {
                Tensor y = op.of(x, weight);
                weight.copyFrom(y.get(3).abs());
                Tensor z = y.multiply(2);
                weight.copyFrom(row);
                return List.of(z);
            };
            sameLists(weights, inputs(DType.FLOAT32, 40, 70));
        }
    }

    /// The loop before the launch reads elements that the one after it would overwrite too early.
    @Test
    void aResultDoesNotLieWhereTheLoopBeforeReadsInAnotherOrder() {
        Tensor[] inputs = inputs(DType.FLOAT32, 200, 200);
        ExecutionPlan plan = same(
                x -> {
                    Tensor h = x.matmul(x);
                    return h.transpose().multiply(3).softmax(1).add(h);
                },
                inputs);
        assertEquals(2, plan.launches().size(), plan.launches().toString());
        assertEquals(2, plan.blocks().size(), plan.toString());
    }

    /// The gradient of `x + f(x)` is `g + df(g)`.
    @ParameterizedTest
    @CsvSource({"FLOAT32, 1", "FLOAT64, 4"})
    void gradientsPassToTheSumWithTheResiduals(DType dtype, int n) {
        Blas.setThreads(n);
        for (long[] shape : SHAPES) {
            Tensor row = Tensor.rand(shape[1]).cast(dtype).trackGradient();
            Tensor scale = Tensor.rand(shape).cast(dtype).trackGradient();
            for (Op op : Op.values()) {
                for (Release release : List.of(Release.EAGER, Release.AT_CLOSE)) {
                    ExecutionPlan plan = sameLists(
                            x -> {
                                row.zeroGradient();
                                scale.zeroGradient();
                                Tensor h = x.multiply(scale);
                                Tensor loss = h.add(op.of(h, row)).multiply(x).sum();
                                loss.backward(release);
                                List<Tensor> results = new ArrayList<>(
                                        List.of(loss, scale.gradient().detach()));
                                if (op == Op.LAYER_NORM || op == Op.RMS_NORM) {
                                    results.add(row.gradient().detach());
                                }
                                return results;
                            },
                            inputs(dtype, shape));
                    long passing = plan.launches().stream()
                            .filter(launch -> launch.loop() != null
                                    && launch.loop().startsWith("r0 = " + op.gradient + "(…)")
                                    && launch.loop().contains("r0)"))
                            .count();
                    assertEquals(1, passing, plan.launches().toString());
                }
            }
        }
    }

    /// A residual block of a transformer, whose dropouts, normalisations and sums are one launch each.
    @Test
    void aResidualBlockHasALaunchForEachProductAndEachSum() {
        Tensor w = Tensor.randn(32, 32).trackGradient();
        Tensor row = Tensor.rand(32).trackGradient();
        ExecutionPlan plan = sameLists(
                input -> {
                    w.zeroGradient();
                    row.zeroGradient();
                    Tensor x = input.matmul(w);
                    Tensor h = x.add(Functional.gelu(x.layerNorm(row, row, 1e-5).matmul(w))
                            .dropout(0.1));
                    Tensor loss = h.layerNorm(row, row, 1e-5).matmul(w).sum();
                    loss.backward(Release.EAGER);
                    return List.of(loss, w.gradient().detach(), row.gradient().detach());
                },
                inputs(DType.FLOAT32, 50, 32));
        assertTrue(
                plan.launches().stream().anyMatch(launch -> launch.op().endsWith("dropout + add")),
                plan.launches().toString());
        assertTrue(
                plan.launches().stream().anyMatch(launch -> launch.op().startsWith("normalizeGradient + ")),
                plan.launches().toString());
    }
}
