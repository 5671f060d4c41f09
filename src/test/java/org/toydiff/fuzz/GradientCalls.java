package org.toydiff.fuzz;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Calls of what records and goes backward. Whether gradients are right is for [GraphCheck]; here it is whether they
/// are refused when memory is gone, and what else they touch.
final class GradientCalls {
    private GradientCalls() {}

    static List<Row> rows() {
        return List.of(
                new Row("trackGradient", 16, GradientCalls::track),
                new Row("backward", 24, GradientCalls::backward),
                new Row("backward", 12, GradientCalls::late),
                new Row("gradient", 8, GradientCalls::gradient),
                Row.of("zeroGradient", GradientCalls::zeroGradient),
                Row.of("retain", GradientCalls::retain),
                Row.of("releaseSchedule", GradientCalls::schedule),
                Row.of("gradients", GradientCalls::gradients),
                Row.of("checkpoint", GradientCalls::checkpoint),
                Row.of("noGradient", GradientCalls::unrecorded));
    }

    private static void track(Machine m, Choice c) {
        Held x = m.floating(c);
        boolean tracked = new Attempt(m, c, x + ".trackGradient()")
                .reads(x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    return null;
                })
                .runs(x.tensor::trackGradient);
        if (tracked && x.leaves.isEmpty()) {
            x.leaves.add(x);
            if (x.block.wrapped && x.block.gradients == null) {
                x.block.gradients = m.innermost();
            }
        }
    }

    private static Held tracked(Machine m, Choice c) {
        Held found = m.find(c, held -> !held.leaves.isEmpty());
        return found == null || c.oneIn(30) ? m.floating(c) : found;
    }

    /// Of a variable itself, or of its sum.
    private static void backward(Machine m, Choice c) {
        Held y = tracked(m, c);
        if (y.size() != 1 && c.coin() && y.isUsable() && y.isFloating()) {
            y = new Attempt(m, c, y + ".sum()").reads(y).gives(y.tensor::sum);
        }
        backward(m, c, Machine.required(y));
    }

    private static void backward(Machine m, Choice c, Held root) {
        Release release = c.oneIn(3) ? Release.EAGER : Release.AT_CLOSE;
        Held seed = c.oneIn(6) ? m.partner(c, root) : null;
        Attempt attempt = new Attempt(
                        m, c, root + ".backward(" + (seed == null ? "" : seed + ", ") + "Release." + release + ")")
                .mustFail(() -> cannotReach(root))
                .mayFail();
        attempt = seed == null
                ? attempt.reads(root)
                : attempt.reads(root, seed).expects(() -> {
                    Dense.require(seed.dtype() == root.dtype() && java.util.Arrays.equals(seed.shape(), root.shape()));
                    return null;
                });
        attempt.runs(() -> {
            if (seed == null) {
                root.tensor.backward(release);
            } else {
                root.tensor.backward(seed.tensor, release);
            }
        });
        reached(m, root);
    }

    /// Backward to a leaf whose memory, or whose gradient's, has gone while the result's has not.
    private static void late(Machine m, Choice c) {
        if (!m.mayOpen()) {
            return;
        }
        Held.Home outer = m.innermost();
        Held.Home inner = m.open(TensorArena.ofConfined(), "ofConfined()", false);
        boolean movesGradient = c.oneIn(3);
        boolean foreign = !movesGradient && c.oneIn(3);
        Held.Home given = foreign ? m.openForeign(Arena.ofConfined(), "ofConfined()") : null;
        Held made = m.of(c, c.floating(), c.shape(c.of(0, 1, 2)));
        m.enter(outer);
        Held.Home home = foreign ? given : movesGradient ? outer : inner;
        Held leaf = Machine.required(
                home == inner
                        ? made
                        : new Attempt(m, c, made + ".copyTo(" + home.name + ")")
                                .reads(made)
                                .gives(home, () -> made.tensor.copyTo(home.arena)));
        new Attempt(m, c, leaf + ".trackGradient()").reads(leaf).runs(leaf.tensor::trackGradient);
        leaf.leaves.add(leaf);
        Held y = Machine.required(
                c.coin()
                        ? new Attempt(m, c, leaf + ".add(1).sum()")
                                .reads(leaf)
                                .gives(() -> leaf.tensor.add(1).sum())
                        : new Attempt(m, c, leaf + ".exp().sum()")
                                .reads(leaf)
                                .gives(() -> leaf.tensor.exp().sum()));
        if (movesGradient && new Attempt(m, c, y + ".backward()").reads(y).runs(y.tensor::backward)) {
            reached(m, y);
            Tensor gradient = leaf.tensor.gradient();
            new Attempt(m, c, leaf + ".gradient().moveTo(" + inner.name + ")").runs(() -> {
                boolean moved = gradient.moveTo((TensorArena) inner.arena) == gradient;
                leaf.gradient.home = moved ? inner : leaf.gradient.home;
            });
        }
        m.end();
        m.end();
        if (foreign) {
            m.closeForeign(given);
        }
        backward(m, c, y);
    }

    /// Whether nothing is recorded, or a gradient is to be written where no memory is.
    private static boolean cannotReach(Held root) {
        return root.leaves.isEmpty() || !root.leaves.stream().allMatch(Held::takesGradient);
    }

    /// What a backward has made, written and freed, whether it came to its end or not.
    private static void reached(Machine m, Held root) {
        m.noteFreed();
        for (Held leaf : root.leaves) {
            if (leaf.tensor.hasGradient() && leaf.gradient == null) {
                leaf.gradient = new Held.Block(leaf.gradientHome(), false);
            }
        }
        Set<Held.Block> written = new HashSet<>();
        root.leaves.forEach(leaf -> written.add(leaf.gradient));
        m.read(held -> written.contains(held.block));
        m.verify();
    }

    private static void gradient(Machine m, Choice c) {
        Held x = tracked(m, c);
        Attempt attempt = new Attempt(m, c, x + ".gradient()").mustFail(() -> !x.tensor.hasGradient());
        if (!x.isLeaf() || x.gradient == null || !x.gradient.home.open) {
            // Where the gradient of an intermediate lives is not followed here.
            attempt.runs(x.tensor::gradient);
            return;
        }
        attempt.holds(x.gradient, x.tensor::gradient);
    }

    private static void zeroGradient(Machine m, Choice c) {
        Held x = tracked(m, c);
        boolean emptied = new Attempt(m, c, x + ".zeroGradient()").mayFail().runs(x.tensor::zeroGradient);
        if (emptied && x.gradient != null && !x.gradient.home.open) {
            // The next backward makes another one.
            x.gradient = null;
        }
    }

    private static void retain(Machine m, Choice c) {
        Held x = tracked(m, c);
        if (new Attempt(m, c, x + ".retain()").reads(x).runs(x.tensor::retain)) {
            x.block.early = false;
        }
    }

    /// It says what would happen, and changes nothing.
    private static void schedule(Machine m, Choice c) {
        Held y = tracked(m, c);
        boolean drawn = c.oneIn(3);
        new Attempt(m, c, drawn ? "Autograd.draw(" + y + ")" : y + ".releaseSchedule()")
                .mustFail(y.leaves::isEmpty)
                .mayFail()
                .runs(() -> {
                    if (drawn) {
                        Autograd.draw(y.tensor);
                    } else {
                        y.tensor.releaseSchedule();
                    }
                });
        m.verify();
    }

    private static void gradients(Machine m, Choice c) {
        Held y = tracked(m, c);
        List<Held> xs = new ArrayList<>(y.leaves.isEmpty() ? List.of(y) : List.copyOf(y.leaves));
        if (c.oneIn(4)) {
            xs.add(tracked(m, c));
        }
        boolean createGraph = c.oneIn(4);
        Held x = c.of(xs);
        Set<Held> reached = new LinkedHashSet<>(y.leaves);
        new Attempt(m, c, "Autograd.gradients(" + y + ", " + List.of(x) + ", " + createGraph + ").getFirst()")
                .reads(reached)
                .mustFail(() -> y.leaves.isEmpty() || x.leaves.isEmpty())
                .mayFail()
                .gives(() -> Autograd.gradients(y.tensor, List.of(x.tensor), createGraph)
                        .getFirst());
        m.verify();
    }

    private static void checkpoint(Machine m, Choice c) {
        Held x = m.floating(c);
        Held other = m.partner(c, x);
        new Attempt(
                        m,
                        c,
                        "Autograd.checkpoint(x -> x.tanh().multiply(" + other + "), " + x + ", List.of(" + other + "))")
                .reads(x, other)
                .expects(() -> {
                    ElementCalls.requireFloating(x, other);
                    return Reference.zip(Reference.map(x.known, Math::tanh), other.known, (a, b) -> a * b);
                })
                .gives(() ->
                        Autograd.checkpoint(v -> v.tanh().multiply(other.tensor), x.tensor, List.of(other.tensor)));
    }

    private static void unrecorded(Machine m, Choice c) {
        Held x = tracked(m, c);
        if (x.dtype() == DType.INT32 || x.dtype() == DType.INT64) {
            // Products of integers wrap around.
            return;
        }
        Held y = new Attempt(m, c, "unrecorded(() -> " + x + ".multiply(" + x + "))")
                .reads(x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    return Reference.map(x.known, v -> v * v);
                })
                .gives(() -> {
                    try (var off = Autograd.noGradient()) {
                        return x.tensor.multiply(x.tensor);
                    }
                });
        if (y != null && y.tensor.tracksGradient()) {
            throw new Finding("what was computed in noGradient() tracks its gradient");
        }
        Tensor after = x.isUsable() && x.isFloating() && !m.isLimited() ? x.tensor.abs() : null;
        if (after != null && after.tracksGradient() == x.leaves.isEmpty()) {
            throw new Finding("after noGradient() recording is not as it was");
        }
    }
}
