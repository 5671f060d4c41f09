package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/// Graphs in which gradients reach a tensor on several ways, some of them through products that write where their
/// result goes. Each is held against central differences, and both release policies against each other.
class GradientPathsTest extends ArenaTest {
    private final SplittableRandom random = new SplittableRandom(7);

    @Test
    void twoTowersThatEndInOneSum() {
        hold(
                in -> {
                    Tensor left = in.get(0).linear(in.get(1), in.get(2)).relu();
                    Tensor right = in.get(0).linear(in.get(3), in.get(4)).relu();
                    return left.linear(in.get(5), in.get(6))
                            .add(right.linear(in.get(7), in.get(8)))
                            .sum();
                },
                randoms(new long[][] {{4, 3}, {5, 3}, {5}, {5, 3}, {5}, {2, 5}, {2}, {2, 5}, {2}}));
    }

    @Test
    void towersOfFusedActivations() {
        for (Activation activation : Activation.values()) {
            hold(
                    in -> {
                        Tensor left = in.get(0).linear(in.get(1), in.get(2), activation);
                        Tensor right = in.get(0).linear(in.get(3), in.get(2), activation);
                        return left.linear(in.get(4), null)
                                .multiply(right.linear(in.get(4), null))
                                .sum();
                    },
                    randoms(new long[][] {{4, 3}, {5, 3}, {5}, {5, 3}, {2, 5}}));
        }
    }

    @Test
    void aValueBeforeItsActivationIsReadOnceMore() {
        hold(
                in -> {
                    Tensor before = in.get(0).linear(in.get(1), in.get(2));
                    Tensor deep = before.tanh().linear(in.get(3), in.get(4));
                    return deep.add(before.linear(in.get(3), null)).exp().sum();
                },
                randoms(new long[][] {{4, 3}, {5, 3}, {5}, {2, 5}, {2}}));
    }

    @Test
    void wideAndDeep() {
        hold(
                in -> in.get(0)
                        .linear(in.get(1), in.get(2))
                        .sigmoid()
                        .linear(in.get(3), null)
                        .add(in.get(0).linear(in.get(4), in.get(5)))
                        .add(in.get(0).matmul(in.get(4).transpose()))
                        .exp()
                        .sum(),
                randoms(new long[][] {{4, 3}, {5, 3}, {5}, {2, 5}, {2, 3}, {2}}));
    }

    @Test
    void aLayerThatIsUsedThreeTimes() {
        hold(
                in -> {
                    Tensor h = in.get(0);
                    for (int i = 0; i < 3; i++) {
                        h = h.linear(in.get(1), in.get(2), Activation.TANH).add(h);
                    }
                    return h.matmul(in.get(1)).sum();
                },
                randoms(new long[][] {{4, 3}, {3, 3}, {3}}));
    }

    @Test
    void slicesOfALeafAndOfAResult() {
        for (boolean result : List.of(false, true)) {
            hold(
                    in -> {
                        Tensor x = result ? in.get(0).exp() : in.get(0);
                        Tensor apart = x.slice(1, 0, 2).multiply(x.slice(1, 2, 4));
                        Tensor meeting = x.slice(1, 1, 4, 2).multiply(x.get(1).slice(0, 2, 4));
                        Tensor none = x.slice(0, 1, 1).sum();
                        Tensor turned = x.transpose().slice(1, 1, 3).matmul(x.slice(0, 1, 3));
                        return apart.sum()
                                .add(meeting.sum())
                                .add(none)
                                .add(turned.exp().sum());
                    },
                    randoms(new long[][] {{3, 4}}));
        }
    }

    @Test
    void slicesOfALeafBesideTheWholeOfIt() {
        hold(
                in -> in.get(0)
                        .slice(0, 0, 2)
                        .linear(in.get(1).slice(0, 0, 2), null)
                        .add(in.get(0).slice(0, 1, 3).linear(in.get(1).slice(0, 3, 5), null))
                        .sum()
                        .add(in.get(0).linear(in.get(1), null).exp().sum()),
                randoms(new long[][] {{4, 3}, {5, 3}}));
    }

    @Test
    void aCheckpointBesideALinearLayer() {
        hold(
                in -> {
                    Tensor straight = in.get(0).linear(in.get(1), in.get(2)).tanh();
                    Tensor again = Autograd.checkpoint(
                            x -> x.linear(in.get(1), in.get(2)).tanh().linear(in.get(3), null),
                            in.get(0),
                            in.subList(1, 4));
                    return again.add(straight.linear(in.get(3), null)).exp().sum();
                },
                randoms(new long[][] {{4, 3}, {5, 3}, {5}, {2, 5}}));
    }

    @Test
    void aCheckpointBeforeALayerOverData() {
        Tensor data = Tensor.of(new double[] {1, -2, 0.5, 3, 0.25, -1}, 2, 3);
        hold(
                in -> {
                    Tensor again = Autograd.checkpoint(
                            x -> x.linear(in.get(1), in.get(2)).tanh(),
                            in.get(0).exp(),
                            in.subList(1, 3));
                    return again.add(data.linear(in.get(3), in.get(4))).exp().sum();
                },
                randoms(new long[][] {{2, 3}, {5, 3}, {5}, {5, 3}, {5}}));
    }

    @Test
    void aCheckpointWhoseParametersWereComputed() {
        hold(
                in -> {
                    Tensor computed = in.get(0).exp();
                    Tensor again = Autograd.checkpoint(
                            x -> x.multiply(computed).add(in.get(1)).sigmoid(),
                            in.get(0),
                            List.of(computed, in.get(1)));
                    Tensor onlyParameters = Autograd.checkpoint(x -> computed, in.get(1), List.of(computed));
                    return again.add(onlyParameters).multiply(computed).sum();
                },
                randoms(new long[][] {{2, 3}, {2, 3}}));
        hold(
                in -> {
                    Tensor computed = in.get(1).tanh();
                    Tensor both = in.get(0).linear(computed, null);
                    // The input of the segment was computed from its parameter.
                    return Autograd.checkpoint(x -> x.linear(computed, null).exp(), both, List.of(computed))
                            .sum();
                },
                randoms(new long[][] {{2, 3}, {3, 3}}));
    }

    @Test
    void theSecondGradientThroughACheckpoint() {
        Tensor x = randoms(new long[][] {{3}}).getFirst().trackGradient();
        Tensor computed = x.exp();
        Tensor y = Autograd.checkpoint(v -> v.multiply(computed), x, List.of(computed))
                .sum();
        Tensor g = Autograd.gradients(y, List.of(x), true).getFirst();
        Tensor second = Autograd.gradients(g.sum(), List.of(x)).getFirst();
        for (int i = 0; i < 3; i++) {
            // y = x·eˣ
            assertEquals((x.at(i) + 1) * Math.exp(x.at(i)), g.at(i), 1e-12);
            assertEquals((x.at(i) + 2) * Math.exp(x.at(i)), second.at(i), 1e-12);
        }
    }

    @Test
    void checkpointsOneAfterAnotherAndWithin() {
        hold(
                in -> {
                    Tensor first = Autograd.checkpoint(
                            x -> x.linear(in.get(1), null).relu(), in.get(0).tanh(), in.subList(1, 2));
                    Tensor second = Autograd.checkpoint(
                            x -> Autograd.checkpoint(z -> z.matmul(in.get(2)).sigmoid(), x.exp(), in.subList(2, 3)),
                            first,
                            in.subList(2, 3));
                    return second.add(first.matmul(in.get(2))).sum();
                },
                randoms(new long[][] {{4, 3}, {5, 3}, {5, 2}}));
    }

    private List<Tensor> randoms(long[][] shapes) {
        List<Tensor> tensors = new ArrayList<>();
        for (long[] shape : shapes) {
            Tensor tensor = Tensor.zeros(DType.FLOAT64, shape);
            tensors.add(tensor.setAll(i -> random.nextDouble(-1, 1)));
        }
        return tensors;
    }

    private static void hold(Function<List<Tensor>, Tensor> loss, List<Tensor> inputs) {
        GradientCheck.check(loss, inputs.toArray(Tensor[]::new));
        inputs.forEach(Tensor::trackGradient);
        // Those that the check held against differences.
        double[][] expected = Autograd.gradients(loss.apply(inputs), inputs).stream()
                .map(Tensor::toDoubleArray)
                .toArray(double[][]::new);
        for (Release release : Release.values()) {
            double[][] once = gradients(loss, inputs, release, 1);
            double[][] twice = gradients(loss, inputs, release, 2);
            for (int i = 0; i < expected.length; i++) {
                assertArrayEquals(expected[i], once[i], 1e-13, release + ", input " + i);
                for (int j = 0; j < expected[i].length; j++) {
                    assertEquals(2 * expected[i][j], twice[i][j], 1e-13, release + ", twice, input " + i);
                }
            }
        }
    }

    private static double[][] gradients(
            Function<List<Tensor>, Tensor> loss, List<Tensor> inputs, Release release, int times) {
        inputs.forEach(Tensor::zeroGradient);
        for (int i = 0; i < times; i++) {
            try (var step = TensorArena.ofConfined()) {
                Tensor y = loss.apply(inputs);
                ReleaseSchedule schedule = y.releaseSchedule();
                y.backward(release);
                if (release == Release.EAGER) {
                    assertEquals(schedule.peakBytes(), step.peakBytes());
                }
            }
        }
        return inputs.stream().map(x -> x.gradient().toDoubleArray()).toArray(double[][]::new);
    }
}
