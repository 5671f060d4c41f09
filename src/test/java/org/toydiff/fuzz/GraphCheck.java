package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.Autograd;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.ReleaseSchedule;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// What must hold for every graph: its gradients are those that finite differences give, under both release policies
/// and however often; the schedule is what then happens; nothing else is touched and nothing is left behind.
final class GraphCheck {
    /// How far a difference of fourth order may lie from the gradient along the same direction.
    private static final double DIFFERENCE_TOLERANCE = 1e-6;

    /// How far two orders of adding up the same contributions may lie from each other. A second backward adds onto the
    /// sum of the first, and Autograd.gradients has no leaf's block that a product could be added onto.
    private static final double ORDER_TOLERANCE = 1e-11;

    private static final double H = 2e-4;

    private final Graph graph;
    private final long seed;
    private final List<Tensor> tracked = new ArrayList<>();
    private Comb comb;

    private GraphCheck(Graph graph, long seed) {
        this.graph = graph;
        this.seed = seed;
    }

    /// Checks a graph.
    ///
    /// @throws Finding if something does not hold
    static void check(Graph graph, long seed) {
        long before = Memory.liveBytes();
        var check = new GraphCheck(graph, seed);
        try (var arena = TensorArena.ofConfined()) {
            check.comb = new Comb(arena);
            check.check();
        } catch (Finding finding) {
            throw finding.in(graph.toString());
        } catch (RuntimeException | Error thrown) {
            throw new Finding("throws " + thrown, thrown).in(graph.toString());
        }
        if (Memory.liveBytes() != before) {
            throw new Finding("leaves behind bytes: " + (Memory.liveBytes() - before)).in(graph.toString());
        }
    }

    private void check() {
        Tensor[] leaves = graph.leaves(0, null);
        for (int i = 0; i < leaves.length; i++) {
            if (graph.leaves().get(i).tracked()) {
                leaves[i].trackGradient();
                tracked.add(leaves[i]);
            }
        }
        var choice = new Choice(seed);
        int watched = graph.leaves().size() + choice.below(graph.steps().size());
        double[][] kept = keeping(leaves, watched);
        double[][] freed = eager(leaves, watched);
        for (int i = 0; i <= leaves.length; i++) {
            String which = i < leaves.length ? "the gradient of v" + i : "the gradient of the retained v" + watched;
            if (!Arrays.equals(freed[i], kept[i])) {
                throw new Finding(which + " is " + Arrays.toString(freed[i]) + " after EAGER and "
                        + Arrays.toString(kept[i]) + " after AT_CLOSE");
            }
        }
        requireDifferences(leaves, kept, choice);
        comb.requireWhole();
    }

    /// The gradients of the leaves and of one retained intermediate by AT_CLOSE.
    private double[][] keeping(Tensor[] leaves, int watched) {
        try (var step = TensorArena.ofConfined()) {
            List<Tensor> values = graph.values(leaves);
            Tensor loss = values.getLast();
            if (!loss.tracksGradient()) {
                return new double[leaves.length + 1][];
            }
            List<Tensor> returned = Autograd.gradients(loss, tracked);
            values.get(watched).retain();
            loss.backward();
            comb.requireWhole();
            double[][] once = gradients(leaves, values.get(watched));
            for (int i = 0; i < leaves.length; i++) {
                if (once[i] != null) {
                    double[] given = returned.get(tracked.indexOf(leaves[i])).toDoubleArray();
                    requireClose("what Autograd.gradients gives for v" + i, given, once[i]);
                }
            }
            loss.backward();
            double[][] twice = gradients(leaves, values.get(watched));
            for (int i = 0; i < once.length; i++) {
                if (once[i] != null) {
                    double[] doubled = Arrays.stream(once[i]).map(g -> 2 * g).toArray();
                    String which = i < leaves.length ? "the gradient of v" + i : "the gradient of v" + watched;
                    requireClose(which + " after a second backward, beside twice the first,", twice[i], doubled);
                }
            }
            return once;
        } finally {
            for (Tensor leaf : leaves) {
                leaf.zeroGradient();
            }
        }
    }

    /// The gradients of the leaves and of one retained intermediate by EAGER, whose schedule is held against what it
    /// does.
    private double[][] eager(Tensor[] leaves, int watched) {
        try (var step = TensorArena.ofConfined()) {
            List<Tensor> values = graph.values(leaves);
            Tensor loss = values.getLast();
            if (!loss.tracksGradient()) {
                return new double[leaves.length + 1][];
            }
            values.get(watched).retain();
            ReleaseSchedule schedule = loss.releaseSchedule();
            loss.backward(Release.EAGER);
            comb.requireWhole();
            if (step.peakBytes() != schedule.peakBytes()) {
                throw new Finding(
                        "the schedule's peak is " + schedule.peakBytes() + " bytes, measured " + step.peakBytes());
            }
            return gradients(leaves, values.get(watched));
        } finally {
            for (Tensor leaf : leaves) {
                leaf.zeroGradient();
            }
        }
    }

    private static double[][] gradients(Tensor[] leaves, Tensor watched) {
        double[][] gradients = new double[leaves.length + 1][];
        for (int i = 0; i < leaves.length; i++) {
            gradients[i] = leaves[i].hasGradient() ? leaves[i].gradient().toDoubleArray() : null;
        }
        gradients[leaves.length] = watched.hasGradient() ? watched.gradient().toDoubleArray() : null;
        return gradients;
    }

    private static void requireClose(String what, double[] actual, double[] expected) {
        if ((actual == null) != (expected == null)) {
            throw new Finding(what + (actual == null ? " is not there" : " is there without a reason"));
        }
        double scale = expected == null
                ? 0
                : Arrays.stream(expected).map(Math::abs).max().orElse(0);
        for (int i = 0; actual != null && i < actual.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= ORDER_TOLERANCE * (1 + scale))) {
                throw new Finding(what + " is " + actual[i] + " at " + i + " and not " + expected[i]);
            }
        }
    }

    /// Along one direction through all leaves, and along it through each leaf alone once they differ.
    private void requireDifferences(Tensor[] leaves, double[][] gradients, Choice choice) {
        double[][] direction = new double[leaves.length][];
        for (int i = 0; i < leaves.length; i++) {
            direction[i] = new double[(int) leaves[i].size()];
            if (leaves[i].tracksGradient()) {
                Arrays.setAll(direction[i], j -> choice.gaussian());
            }
        }
        String difference = difference(direction, gradients);
        if (difference == null) {
            return;
        }
        for (int i = 0; i < leaves.length; i++) {
            double[][] one = new double[leaves.length][];
            for (int j = 0; j < leaves.length; j++) {
                one[j] = i == j ? direction[j] : new double[direction[j].length];
            }
            String alone = difference(one, gradients);
            if (alone != null) {
                throw new Finding("the gradient of v" + i + " is wrong: along a direction it " + alone);
            }
        }
        throw new Finding("the gradients are wrong: along a direction they " + difference);
    }

    /// What differs, or null.
    private String difference(double[][] direction, double[][] gradients) {
        double analytic = 0;
        double scale = 0;
        for (int i = 0; i < direction.length; i++) {
            for (int j = 0; gradients[i] != null && j < direction[i].length; j++) {
                analytic += gradients[i][j] * direction[i][j];
                scale += Math.abs(gradients[i][j] * direction[i][j]);
            }
        }
        // Where a loss bends much, a shorter step comes nearer; a wrong gradient agrees with none of them.
        for (double h = H; h >= H / 4096; h /= 8) {
            double near = loss(h, direction) - loss(-h, direction);
            double far = loss(2 * h, direction) - loss(-2 * h, direction);
            double numeric = (8 * near - far) / (12 * h);
            // The differences of second order are off by more than those of fourth.
            double bend = Math.abs(numeric - near / (2 * h));
            if (Math.abs(analytic - numeric) <= DIFFERENCE_TOLERANCE * (1 + scale) + bend / 10) {
                return null;
            }
        }
        double near = loss(H, direction) - loss(-H, direction);
        return "gives " + analytic + ", finite differences " + near / (2 * H);
    }

    private double loss(double h, double[][] direction) {
        try (var scratch = TensorArena.ofConfined()) {
            return graph.values(graph.leaves(h, direction)).getLast().item();
        }
    }
}
