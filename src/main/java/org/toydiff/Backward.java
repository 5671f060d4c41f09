package org.toydiff;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.toydiff.Prediction.AbstractTensors;
import org.toydiff.Rule.Destination;
import org.toydiff.WalkPlan.Goal;
import org.toydiff.internal.events.BackwardEvent;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.memory.Storage;

/// One walk backward over a graph: the engine, which knows no op.
///
/// It visits the nodes in the reverse of the order in which they were recorded, without recursion: it runs the rules
/// of a node, and frees every block that nothing reads afterwards. The same code predicts: it then computes with
/// [AbstractTensors], kernels are skipped, and blocks are counted all the same. That is why a prediction is exact.
final class Backward {
    /// The number of storages that a rule makes at most, as a rule: more make the list grow.
    private static final int MADE_BY_MOST_RULES = 4;

    private final WalkPlan plan;
    private final GradientSums sums;
    private final AbstractTensors tensors;
    private final ReleaseSchedule.Writer schedule;

    /// The walk in one of whose rules this one runs, or null.
    private final Backward outer;

    /// Null where nobody asks for leaves.
    private LeafCount leaves;

    /// Whether the rule of a node was applied already, by the rule that computed the gradient of its output.
    private final boolean[] applied;

    /// The storages made by the running rule, to be freed after it unless something holds them.
    private final List<Storage> made = new ArrayList<>(MADE_BY_MOST_RULES);

    /// The step that runs, from 1; 0 before the first.
    private int step;

    /// The gradient that the running rule reads for the last time, so that an op may write over it; or null. A
    /// field, because rules do not know the engine: an op asks it by [Tensor#dying()].
    private Storage overwritable;

    /// The view of [#overwritable] that an op is to write over, or null.
    private Tensor dying;

    /// Throws, before anything has changed, if the walk cannot run to its end.
    private Backward(WalkPlan plan, AbstractTensors tensors, ReleaseSchedule.Writer schedule, Backward outer) {
        if (Scope.current().backward != outer) {
            throw new IllegalStateException(plan.op + ": called from a gradient rule");
        }
        plan.requireRunnable(tensors == AbstractTensors.OF_NONE);
        plan.countReads(tensors);
        this.plan = plan;
        this.sums = new GradientSums(plan);
        this.tensors = tensors;
        this.schedule = schedule;
        this.outer = outer;
        this.applied = new boolean[plan.order.length];
    }

    /// Adds the gradients of `root` to the leaves, from the gradient `seed` of root; null for ones.
    static void run(Tensor root, Tensor seed, Release release) {
        run(root, seed, release, null);
    }

    /// As [#run(Tensor, Tensor, Release)]; `leaves`, or null, is called with each leaf once its gradient is complete.
    static void run(Tensor root, Tensor seed, Release release, Consumer<Tensor> leaves) {
        BackwardEvent event = beginEvent();
        WalkPlan plan = WalkPlan.toLeaves("backward", root, seed, release);
        var walk = new Backward(plan, Scope.current().abstractTensors(), ReleaseSchedule.Writer.NONE, null);
        walk.leaves = leaves == null ? null : new LeafCount(plan, leaves);
        walk.walk();
        walk.end(event);
    }

    /// As [#run], writing its schedule: with abstract tensors a prediction, else a measurement.
    static void run(String op, Tensor root, Release release, AbstractTensors tensors, ReleaseSchedule.Writer schedule) {
        new Backward(WalkPlan.toLeaves(op, root, null, release), tensors, schedule, null).walk();
    }

    /// Returns the gradients of y to xs, zeros where y does not depend on one; recorded where `createGraph`.
    static List<Tensor> gradients(Tensor y, List<Tensor> xs, boolean createGraph) {
        BackwardEvent event = beginEvent();
        Goal goal = createGraph ? Goal.RECORDED : Goal.CHOSEN;
        var plan = new WalkPlan("gradients", y, null, Release.AT_CLOSE, goal, xs, List.of());
        var walk = new Backward(plan, AbstractTensors.OF_NONE, ReleaseSchedule.Writer.NONE, null);
        walk.walk();
        walk.end(event);
        List<Tensor> results = walk.sums.results();
        results.forEach(result -> result.storage.pinned = true);
        return results;
    }

    /// Returns, inside a rule of this walk, the gradients of y to xs, where `g` is that of y. Values computed
    /// for y from `operands`, at which the walk ends, are freed on the way, and the results after the rule.
    List<Tensor> gradientsWithin(Tensor y, Tensor g, List<Tensor> xs, List<Tensor> operands) {
        if (!y.tracksGradient()) {
            return xs.stream().map(Tensor::zerosLike).toList();
        }
        Release release = records() ? Release.AT_CLOSE : Release.EAGER;
        Goal goal = records() ? Goal.RECORDED : Goal.CHOSEN;
        var inner = new WalkPlan("backward", y, g, release, goal, xs, operands);
        var walk = new Backward(inner, AbstractTensors.OF_NONE, schedule, this);
        walk.walk();
        List<Tensor> results = walk.sums.results();
        walk.sums.handResultsTo(this);
        return results;
    }

    /// Returns null in a prediction, and where no flight recording asks for walks.
    private static BackwardEvent beginEvent() {
        return Scope.current().predicts() ? null : Events.backward();
    }

    private void end(BackwardEvent event) {
        if (event != null) {
            TensorArena arena = Scope.current().innermostOrNull();
            String rootOp = plan.root.node == null ? plan.root.storage.op : plan.root.node.op;
            long peak = arena == null ? Long.MAX_VALUE : arena.peakBytes();
            event.write(plan.op, rootOp, plan.release.name(), plan.order.length, peak);
        }
    }

    private void walk() {
        Scope scope = Scope.current();
        Scope.GradientMode mode = scope.begin(plan.op, records());
        // Rules take the dtypes that forward had.
        scope.casts = null;
        scope.backward = this;
        try {
            start();
            for (step = 1; step <= plan.order.length; step++) {
                if (plan.needs(step - 1)) {
                    visit(plan.order[step - 1]);
                }
                endStep();
            }
            sums.commit();
        } catch (Throwable failure) {
            sums.rollBack(step);
            freeMade();
            throw failure;
        } finally {
            scope.backward = outer;
            mode.end();
            markReleased();
        }
    }

    private void start() {
        for (int i = plan.order.length - 1; i >= 0 && outer == null; i--) {
            made(plan.order[i], -(i + 1));
        }
        Tensor seed = seed();
        if (plan.toLeaves() || plan.slot(plan.root) >= 0) {
            sums.add(plan.root, tensors.of(plan.root), seed, step);
        }
        freeMade();
        if (plan.eager()) {
            for (Node node : plan.order) {
                Storage storage = tensors.of(node.output).storage;
                if (storage.lastReader == 0) {
                    freeValue(storage, plan.root.node.op);
                }
            }
        }
        endStep();
    }

    /// Notes the values that were made with a node in forward.
    private void made(Node node, int step) {
        schedule.made(step, tensors.of(node.output).storage);
        for (int i = 0; i < node.inputs.length; i++) {
            if (node.isSaved(i)) {
                schedule.made(step, tensors.of(node.inputs[i]).storage);
            }
        }
    }

    private Tensor seed() {
        if (plan.seed == null) {
            return Tensor.make("ones", plan.root.dtype, plan.root.shape, true).fill(1);
        }
        Tensor g = tensors.of(plan.seed);
        g.storage.pinned |= outer == null;
        return g;
    }

    private void endStep() {
        if (outer == null) {
            schedule.endStep();
        }
    }

    private void visit(Node node) {
        Tensor y = tensors.of(node.output);
        Tensor g = sums.waiting(step - 1);
        if (applied[step - 1]) {
            sums.add(node.inputs[0], tensors.of(node.inputs[0]), g, step);
            plan.arrived(node.inputs[0]);
        } else {
            applyRules(node, y, g);
        }
        freeMade();
        sums.take(step - 1);
        settle(node, y, g);
        if (leaves != null) {
            leaves.visited(node);
        }
        if (plan.eager()) {
            freeValuesRead(node);
        }
    }

    /// The last input comes first: a product's weight before its other operand, whose gradient may then be put over
    /// that operand's value.
    private void applyRules(Node node, Tensor y, Tensor g) {
        Tensor[] inputs = tensors.of(node.inputs);
        Tensor ruleG = node.ruleShape == null ? g : g.reshape(node.ruleShape);
        // An output that no rule reads may be freed already, and cannot be reshaped then.
        boolean readsY = node.reads(node.inputs.length);
        Tensor ruleY = node.ruleShape == null || !readsY ? y : y.reshape(node.ruleShape);
        if (node.rules[0] instanceof Rule.Joint rule) {
            applyJointRule(node, rule, inputs, ruleG, ruleY);
            return;
        }
        int last = plan.last(node);
        try {
            for (int i = node.inputs.length - 1; i >= last; i--) {
                if (plan.wants(node.inputs[i])) {
                    overwritable = i == last && dies(node, g) ? g.storage : null;
                    contribute(node, i, i == last, inputs, ruleG, ruleY);
                }
            }
        } finally {
            overwritable = null;
            dying = null;
        }
    }

    private void applyJointRule(Node node, Rule.Joint rule, Tensor[] inputs, Tensor g, Tensor y) {
        boolean[] wanted = plan.wanted(node);
        Tensor[] contributions = rule.contributions(g, inputs, y, wanted);
        for (int i = 0; i < inputs.length; i++) {
            if (wanted[i]) {
                sums.add(node.inputs[i], inputs[i], contributions[i], step);
                plan.arrived(node.inputs[i]);
            }
        }
    }

    private void contribute(Node node, int i, boolean last, Tensor[] inputs, Tensor g, Tensor y) {
        Tensor input = node.inputs[i];
        Tensor x = inputs[i];
        Rule.Single rule = node.rule(i);
        if (!(rule instanceof Rule.WritesTo writing)) {
            // Outside any lock: the rule may be the user's, and wait for another thread.
            sums.add(input, x, rule.contribution(g, inputs, i, y), step);
        } else if (sums.isLeaf(x)) {
            sums.addToLeaf(writing, g, inputs, i, y);
        } else {
            Destination to = destination(input, x, last);
            Tensor contribution = writing.contribution(g, inputs, i, y, to);
            if (!to.holds(contribution)) {
                sums.add(input, x, contribution, step);
            }
        }
        plan.arrived(input);
    }

    private Destination destination(Tensor input, Tensor x, boolean last) {
        Node maker = plan.maker(input);
        int slot = plan.slot(input);
        if (last && maker != null && sums.waiting(slot) == null && plan.endsInPlace(maker, x, step)) {
            return plan.eager() ? new Destination.Output(this, maker, x) : new Destination.BeforeActivation(maker, x);
        }
        Tensor waiting = sums.changeable(slot);
        return waiting == null ? Destination.NEW : new Destination.Waiting(sums, slot, waiting);
    }

    /// Returns a gradient in the block of an activation's output, whose value ends with that, and whose rule the
    /// caller applies.
    Tensor handOver(Node activation, Tensor output) {
        Storage value = output.storage;
        String op = activation.activation().gradientOp;
        Storage heir = value.handOver(op, plan.order[step - 1].op, step);
        Recorder.handedOver(value, heir);
        made(heir);
        schedule.freed(outermostStep(), value.op, ReleaseSchedule.Kind.VALUE, value.shape, value);
        applied[plan.index(activation)] = true;
        return new Tensor(heir, output.offset, output.shape, output.strides, output.dtype);
    }

    /// Returns a view of `g` that an elementwise op of the running rule may write over, or g itself where none may.
    Tensor dying(Tensor g) {
        if (g.storage != overwritable) {
            return g;
        }
        dying = g.view();
        return dying;
    }

    boolean isDying(Tensor t) {
        return t == dying;
    }

    private boolean dies(Node node, Tensor g) {
        return plan.eager() && !plan.keepsGradient(node) && GradientSums.isExclusive(g);
    }

    /// Ends the gradient of a node's output, whose rules have run: it is kept, returned or freed.
    private void settle(Node node, Tensor y, Tensor g) {
        if (!plan.toLeaves()) {
            sums.keepResult(node.output, g);
            GradientSums.release(g, "backward", step);
        } else if (plan.keepsGradient(node)) {
            sums.keep(node, y, g, step);
        } else {
            if (GradientSums.release(g, node.op, step)) {
                schedule.freed(outermostStep(), node.op, ReleaseSchedule.Kind.GRADIENT, node.output.shape, g.storage);
            }
            y.gradientFreedAt = step;
        }
    }

    /// Notes a storage made while a rule runs: it is freed after the rule, unless it becomes part of a
    /// gradient, or rules are recorded.
    void made(Storage storage) {
        if (!records()) {
            storage.disposable = true;
            made.add(storage);
            schedule.made(outermostStep(), storage);
        }
    }

    private void freeMade() {
        // By index: an iterator would be an object for each rule.
        for (int i = 0; i < made.size(); i++) {
            made.get(i).freeIfUnused(plan.root.node == null ? "backward" : plan.root.node.op, step);
        }
        made.clear();
    }

    private void freeValuesRead(Node node) {
        for (int i = 0; i <= node.inputs.length; i++) {
            Tensor value = node.value(i);
            if (plan.maker(value) != null || node.isSaved(i)) {
                Storage storage = tensors.of(value).storage;
                if (storage.lastReader == step) {
                    freeValue(storage, node.op);
                }
            }
        }
    }

    private void freeValue(Storage storage, String after) {
        if (storage == tensors.of(plan.root).storage || !storage.releasable()) {
            return;
        }
        storage.disposable = true;
        if (storage.freeIfUnused(after, step)) {
            schedule.freed(outermostStep(), storage.op, ReleaseSchedule.Kind.VALUE, storage.shape, storage);
        }
    }

    private void markReleased() {
        for (Node node : plan.order) {
            node.released |= plan.eager() && tensors.includes(node.output);
        }
    }

    /// The leaves of a walk whose gradients are not complete yet.
    private static final class LeafCount {
        private final Consumer<Tensor> complete;

        /// For each leaf, how many of the inputs of nodes still to be visited it is.
        private final Map<Tensor, Integer> awaited = new IdentityHashMap<>();

        LeafCount(WalkPlan plan, Consumer<Tensor> complete) {
            this.complete = complete;
            for (Node node : plan.order) {
                for (Tensor input : node.inputs) {
                    if (plan.maker(input) == null && plan.wants(input)) {
                        awaited.merge(input, 1, Integer::sum);
                    }
                }
            }
        }

        void visited(Node node) {
            for (Tensor input : node.inputs) {
                if (awaited.containsKey(input) && awaited.merge(input, -1, Integer::sum) == 0) {
                    awaited.remove(input);
                    complete.accept(input);
                }
            }
        }
    }

    /// Returns the step of the outermost walk, which schedules count by.
    private int outermostStep() {
        return outer == null ? step : outer.outermostStep();
    }

    /// Whether rules are recorded.
    boolean records() {
        return plan.goal == Goal.RECORDED;
    }
}
