package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.Rule.Destination;

/// The gradients of one walk backward. Each waits until all of its contributions have come, added up in place where
/// nobody else sees its block; it ends with the rules that read it, in a leaf or intermediate that keeps it, or as a
/// result.
///
/// The gradient of a leaf is one block, made once, in the leaf's own arena. Several threads may go backward to
/// one leaf, so it is changed under the leaf's lock.
final class GradientSums {
    private final WalkPlan plan;

    private final Changes changes = Scope.current().gradientChanges;

    /// The gradients that wait, by [WalkPlan#slot].
    private final Tensor[] waiting;

    GradientSums(WalkPlan plan) {
        this.plan = plan;
        this.waiting = new Tensor[plan.slots()];
    }

    /// Whether contributions to x go to the gradient of x itself.
    boolean isLeaf(Tensor x) {
        return plan.toLeaves() && x.node == null;
    }

    /// Returns the gradient that waits in a slot, or null.
    Tensor waiting(int slot) {
        return waiting[slot];
    }

    /// Returns the gradient that waits in a slot if [#unshared] may be changed in place, else null.
    Tensor changeable(int slot) {
        Tensor g = waiting[slot];
        return g != null && isExclusive(g, g.storage.kept) ? g : null;
    }

    /// Returns the gradient that waits in a slot and is [#changeable]: itself or, where an intermediate keeps its block
    /// until that is closed, a copy that waits in its stead. So products are added onto it, with the same bits, under
    /// either [Release].
    Tensor unshared(int slot) {
        Tensor g = waiting[slot];
        if (isExclusive(g, 0)) {
            return g;
        }
        Tensor copy = g.contiguousCopy("backward");
        g.storage.holders--;
        hold(slot, copy);
        return copy;
    }

    /// Whether a gradient that waits is its block's only use, so that it may be changed in place.
    static boolean isExclusive(Tensor g) {
        return isExclusive(g, 0);
    }

    /// Whether a gradient that waits is its block's only use besides those of `others`.
    private static boolean isExclusive(Tensor g, int others) {
        return g.storage.disposable && g.storage.holders == 1 + others && g.coversStorage();
    }

    /// Adds `contribution` to the gradient of `input`, which the rules see as `x`.
    void add(Tensor input, Tensor x, Tensor contribution, int step) {
        if (isLeaf(x)) {
            addToLeaf(x, contribution);
            return;
        }
        Tensor c = contribution.sumTo(x.shape);
        int slot = plan.slot(input);
        if (waiting[slot] == null) {
            hold(slot, c);
        } else {
            waiting[slot] = sum(waiting[slot], c, step);
        }
    }

    /// Adds the contribution of a rule that can put it onto the gradient of its leaf.
    void addToLeaf(Rule.WritesTo rule, Tensor g, Tensor[] inputs, int own, Tensor y) {
        Tensor leaf = inputs[own];
        synchronized (leaf.storage) {
            Recorder.asksGradient(leaf);
            makeBlock(leaf);
            var onto = new Destination.Leaf(this, leaf);
            Tensor contribution = rule.contribution(g, inputs, own, y, onto);
            if (onto.holds(contribution)) {
                leaf.gradientSet = true;
                Recorder.setsGradient(leaf);
            } else {
                addToLeaf(leaf, contribution);
            }
        }
    }

    private void addToLeaf(Tensor leaf, Tensor contribution) {
        synchronized (leaf.storage) {
            Recorder.asksGradient(leaf);
            makeBlock(leaf);
            changing(leaf);
            boolean stretched = !Arrays.equals(contribution.shape, leaf.shape);
            if (leaf.gradientSet || !stretched || !Families.sumInto(leaf.gradient, contribution)) {
                Tensor c = contribution.sumTo(leaf.shape);
                if (leaf.gradientSet) {
                    Families.accumulate(leaf.gradient, c);
                } else {
                    Launch.unary(Families.copy(c.dtype), c, leaf.gradient);
                }
            }
            leaf.gradientSet = true;
            Recorder.setsGradient(leaf);
        }
    }

    private static void makeBlock(Tensor leaf) {
        if (leaf.gradient == null) {
            leaf.gradient = Tensor.makeIn(leaf.storage.home, "gradient", leaf.dtype, leaf.shape);
        }
    }

    /// Notes that the gradient of a leaf, or of an intermediate that keeps its gradient, is about to change.
    void changing(Tensor x) {
        changes.note(x);
    }

    /// Takes the gradient out of a slot; its hold on the block goes to the caller.
    void take(int slot) {
        waiting[slot] = null;
    }

    /// Adds g, which was taken, to the gradient that an intermediate keeps, the output `y` of a node.
    void keep(Node node, Tensor y, Tensor g, int step) {
        changing(y);
        if (y.gradientSet) {
            y.gradient = sum(y.gradient, g, step);
            release(g, "backward", step);
        } else {
            y.gradient = g;
            g.storage.kept += plan.alwaysKeepsGradient(node) ? 0 : 1;
        }
        y.gradientSet = true;
    }

    /// Makes g wait for the end of the walk if `x` is a chosen tensor.
    void keepResult(Tensor x, Tensor g) {
        int slot = plan.slotOfResult(x);
        if (slot >= 0) {
            hold(slot, g);
        }
    }

    /// Returns the gradients of the chosen tensors, zeros where the root does not depend on one.
    List<Tensor> results() {
        List<Tensor> results = new ArrayList<>();
        for (Tensor x : plan.chosen()) {
            Tensor g = waiting[plan.slotOfResult(x)];
            results.add(g != null ? g : Tensor.zerosLike(x));
        }
        return results;
    }

    /// Lets go of the results, which `outer` frees after the rule that runs.
    void handResultsTo(Backward outer) {
        for (int slot = plan.order.length; slot < waiting.length; slot++) {
            Tensor g = waiting[slot];
            if (g != null) {
                g.storage.holders--;
                outer.made(g.storage);
            }
        }
    }

    private void hold(int slot, Tensor g) {
        waiting[slot] = g;
        g.storage.holders++;
    }

    /// Returns `kept + c`, in place of `kept` when nobody else sees its block.
    private static Tensor sum(Tensor kept, Tensor c, int step) {
        if (isExclusive(kept)) {
            Families.accumulate(kept, c);
            return kept;
        }
        Tensor sum = kept.add(c);
        sum.storage.holders++;
        release(kept, "backward", step);
        return sum;
    }

    /// Lets go of a gradient, and frees its block where that was the last hold on it.
    ///
    /// @return whether it was freed
    static boolean release(Tensor g, String after, int step) {
        g.storage.holders--;
        return g.storage.freeIfUnused(after, step);
    }

    /// Ends a walk that went well.
    void commit() {
        if (plan.toLeaves()) {
            changes.clear();
        }
    }

    /// Ends a walk that failed: frees the gradients that wait, and leaves no gradient that looks whole and is not.
    void rollBack(int step) {
        for (Tensor g : waiting) {
            if (g != null) {
                release(g, "backward", step);
            }
        }
        if (plan.toLeaves()) {
            changes.undo();
        }
    }

    /// The gradients that a walk has changed. One that was not there before is emptied again. One that was
    /// there has been added to in place, and nothing can take that back: it is marked, and reading it throws
    /// until it is emptied. One
    /// object for each thread, reused.
    static final class Changes {
        private Tensor[] tensors = new Tensor[16];
        private int[] versions = new int[16];
        private boolean[] wereSet = new boolean[16];
        private int size;

        /// Notes that the gradient of `t` is about to change, and counts the change. A leaf's changes under the
        /// leaf's lock.
        private void note(Tensor t) {
            if (size == tensors.length) {
                tensors = Arrays.copyOf(tensors, 2 * size);
                versions = Arrays.copyOf(versions, 2 * size);
                wereSet = Arrays.copyOf(wereSet, 2 * size);
            }
            tensors[size] = t;
            wereSet[size] = t.gradientSet;
            versions[size++] = t.gradient == null ? 0 : t.gradient.storage.version++;
        }

        private void clear() {
            Arrays.fill(tensors, 0, size, null);
            size = 0;
        }

        /// Makes no objects, because the walk may have failed for want of memory.
        private void undo() {
            for (int i = 0; i < size; i++) {
                if (firstOf(i) == i) {
                    undo(i);
                }
            }
            clear();
        }

        private void undo(int first) {
            Tensor t = tensors[first];
            synchronized (t.storage) {
                if (wereSet[first] || changedByOthers(first)) {
                    t.gradientLost = t.gradientSet;
                } else {
                    empty(t);
                }
            }
        }

        private static void empty(Tensor t) {
            Tensor gradient = t.gradient;
            t.emptyGradient();
            if (gradient != null && t.gradient == null) {
                release(gradient, "backward", 0);
            }
        }

        private int firstOf(int entry) {
            int i = 0;
            while (tensors[i] != tensors[entry]) {
                i++;
            }
            return i;
        }

        /// Whether another thread has added to a leaf's gradient since.
        private boolean changedByOthers(int first) {
            int changes = 0;
            for (int i = first; i < size; i++) {
                changes += tensors[i] == tensors[first] ? 1 : 0;
            }
            Tensor t = tensors[first];
            return t.leaf && t.gradient.storage.version != versions[first] + changes;
        }
    }
}
