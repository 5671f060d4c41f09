package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.internal.events.BackwardEvent;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;

/// One walk backward over a graph: the engine, which knows no op.
///
/// Nodes are visited in the reverse of the order they were recorded in, without recursion. The same code
/// predicts: it computes with [AbstractTensors] then, kernels are skipped,
/// and what is made and freed is counted just so. That is why a prediction is exact.
final class Backward {
    /// What becomes of gradients.
    private enum Goal {
        /// Added to the leaves; intermediates as [Release] says.
        LEAVES,
        /// Returned for chosen tensors, nothing else kept.
        CHOSEN,
        /// As [#CHOSEN], and the rules are recorded, so that everything they make must stay.
        RECORDED
    }

    private final Tensor root;
    private final Release release;
    private final Goal goal;
    private final AbstractTensors tensors;
    private final ReleaseSchedule.Writer schedule;
    private final List<Tensor> chosen;

    private final GradientLog log = Scope.current().gradientLog;

    private WalkPlan plan;

    /// The gradients that wait, by [WalkPlan#slot].
    private Tensor[] pending;

    /// What the running rule made, to be freed after it unless someone holds it.
    private final List<Storage> made = new ArrayList<>();

    /// Whether the gradient that waits for a node's output is through the rule of the node already.
    private boolean[] through;

    private int step;

    /// The gradient that the running rule reads for the last time, so that an op may write over it; or null.
    private Storage overwritable;

    /// The walk in one of whose rules this one runs, or null.
    private Backward enclosing;

    private Backward(
            Tensor root,
            Release release,
            Goal goal,
            AbstractTensors tensors,
            ReleaseSchedule.Writer schedule,
            List<Tensor> chosen) {
        this.root = root;
        this.release = release;
        this.goal = goal;
        this.tensors = tensors;
        this.schedule = schedule;
        this.chosen = chosen;
    }

    static void run(Tensor root, Tensor seed, Release release) {
        AbstractTensors tensors = Scope.current().abstractTensors();
        new Backward(root, release, Goal.LEAVES, tensors, ReleaseSchedule.Writer.NONE, List.of())
                .recordedWalk(seed, "backward");
    }

    /// What [#run] then does, told in advance.
    static ReleaseSchedule predict(Tensor root, Release release) {
        TensorArena innermost = Scope.current().innermostOrNull();
        Prediction prediction = innermost == null ? null : innermost.prediction();
        return predict(root, release, AbstractTensors.ofAll(prediction));
    }

    /// As [#predict(Tensor, Release)], leaving the abstract tensors as backward would leave the real ones.
    static ReleaseSchedule predict(Tensor root, Release release, AbstractTensors tensors) {
        requireTracked(root, "releaseSchedule");
        TensorArena real = Scope.current().innermost("releaseSchedule");
        TensorArena arena = tensors.of(real);
        var writer = new ReleaseSchedule.Writer(arena);
        Scope.current().push(arena);
        try {
            new Backward(root, release, Goal.LEAVES, tensors, writer, List.of()).walk(null, "releaseSchedule");
        } finally {
            Scope.current().pop();
        }
        return writer.schedule();
    }

    /// [#run], writing down what it does. For tests that hold predictions against it.
    static ReleaseSchedule measure(Tensor root, Release release) {
        var writer = new ReleaseSchedule.Writer(Scope.current().innermost("backward"));
        new Backward(root, release, Goal.LEAVES, AbstractTensors.OF_NONE, writer, List.of()).walk(null, "backward");
        return writer.schedule();
    }

    static List<Tensor> gradients(Tensor root, List<Tensor> xs, boolean createGraph) {
        for (int i = 0; i < xs.size(); i++) {
            if (!xs.get(i).tracksGradient()) {
                throw new IllegalStateException("gradients: input " + i + " of shape " + Shape.text(xs.get(i).shape)
                        + " tracks no gradient; call trackGradient() on it before computing from it");
            }
        }
        Goal goal = createGraph ? Goal.RECORDED : Goal.CHOSEN;
        var backward =
                new Backward(root, Release.AT_CLOSE, goal, AbstractTensors.OF_NONE, ReleaseSchedule.Writer.NONE, xs);
        backward.recordedWalk(null, "gradients");
        return backward.results();
    }

    /// Whether rules are recorded.
    boolean records() {
        return goal == Goal.RECORDED;
    }

    /// Inside a rule of this walk: the gradients of y to xs when that of y is g. What was computed for y is freed
    /// on the way, and the results after the rule.
    List<Tensor> gradientsWithin(Tensor y, Tensor g, List<Tensor> xs) {
        if (!y.tracksGradient()) {
            return xs.stream().map(Tensor::zerosLike).toList();
        }
        Release release = records() ? Release.AT_CLOSE : Release.EAGER;
        var inner = new Backward(
                y, release, records() ? Goal.RECORDED : Goal.CHOSEN, AbstractTensors.OF_NONE, schedule, xs);
        inner.enclosing = this;
        inner.walk(g, "backward");
        List<Tensor> results = inner.results();
        for (int i = 0; i < results.size(); i++) {
            Tensor held = inner.pending[inner.plan.order.length + xs.indexOf(xs.get(i))];
            if (held != null) {
                held.storage.holders--;
                made(held.storage);
            }
        }
        return results;
    }

    private static void requireTracked(Tensor root, String op) {
        if (!root.tracksGradient()) {
            throw new IllegalStateException(op + ": the tensor " + Shape.text(root.shape)
                    + " tracks no gradient; call trackGradient() on a tensor it is computed from, before computing");
        }
    }

    /// [#walk], of which a flight recording is told.
    private void recordedWalk(Tensor seed, String op) {
        TensorArena arena = Scope.current().innermostOrNull();
        BackwardEvent event = arena != null && arena.predicts() ? null : Events.backward();
        walk(seed, op);
        if (event != null) {
            String rootOp = root.node == null ? root.storage.op : root.node.op;
            event.write(
                    op, rootOp, release.name(), plan.order.length, arena == null ? Long.MAX_VALUE : arena.peakBytes());
        }
    }

    private void walk(Tensor seed, String op) {
        requireTracked(root, op);
        requireSeed(seed);
        Scope scope = Scope.current();
        if (scope.backward != enclosing) {
            throw new IllegalStateException(op + ": called from a gradient rule");
        }
        plan = new WalkPlan(root, chosen, goal == Goal.LEAVES, enclosing != null, tensors);
        pending = new Tensor[plan.slots()];
        through = new boolean[plan.order.length];
        requireReady(op);
        Scope.GradientMode region = scope.begin(op, goal == Goal.RECORDED);
        scope.backward = this;
        try {
            start(seed);
            for (step = 1; step <= plan.order.length; step++) {
                if (plan.needs(step - 1)) {
                    visit(plan.order[step - 1]);
                }
                endStep();
            }
            end();
        } catch (Throwable failure) {
            abandon();
            throw failure;
        } finally {
            scope.backward = enclosing;
            region.end();
            markReleased();
        }
    }

    private void requireSeed(Tensor seed) {
        if (seed == null) {
            return;
        }
        root.requireSameDType("backward", seed);
        seed.requireReadable("backward");
        if (!Arrays.equals(seed.shape, root.shape)) {
            throw new IllegalArgumentException("backward: the gradient " + Shape.text(seed.shape)
                    + " has another shape than the tensor " + Shape.text(root.shape));
        }
    }

    /// Finds out before anything is changed whether every rule can run, and its result be kept.
    private void requireReady(String op) {
        boolean accumulates = goal == Goal.LEAVES && tensors == AbstractTensors.OF_NONE;
        if (accumulates && root.node == null) {
            root.requireAccumulating(op);
        }
        for (int i = 0; i < plan.order.length; i++) {
            Node node = plan.order[i];
            node.requireUnreleased();
            if (accumulates && keepsGradient(node)) {
                node.output.requireUsableGradient(op);
            }
            for (int value = 0; value <= node.inputs.length; value++) {
                Tensor tensor = node.value(value);
                if (plan.needs(i) && node.reads(value)) {
                    tensor.requireReadable(op);
                    node.requireUnchanged(value);
                }
                if (accumulates && value < node.inputs.length && tensor.leaf) {
                    tensor.requireAccumulating(op);
                }
            }
        }
    }

    // Walking.

    private void start(Tensor seed) {
        Tensor y = tensors.of(root);
        for (int i = plan.order.length - 1; i >= 0 && enclosing == null; i--) {
            schedule.made(-(i + 1), tensors.of(plan.order[i].output).storage);
        }
        Tensor g =
                seed == null ? Tensor.make("ones", root.dtype, root.shape, true).fill(1) : tensors.of(seed);
        if (seed != null && enclosing == null) {
            g.storage.pinned = true;
        }
        if (plan.maker(root) != null) {
            pending[0] = g;
            g.storage.holders++;
        } else if (goal == Goal.LEAVES || plan.slot(root) >= 0) {
            deliver(root, y, g);
        }
        sweep();
        if (eager()) {
            for (Node node : plan.order) {
                Storage storage = tensors.of(node.output).storage;
                if (storage.lastReader == 0) {
                    freeValue(storage, root.node.op);
                }
            }
        }
        endStep();
    }

    private void endStep() {
        if (enclosing == null) {
            schedule.endStep();
        }
    }

    private void visit(Node node) {
        Tensor y = tensors.of(node.output);
        Tensor g = pending[step - 1];
        Tensor ruleG = node.ruleShape == null ? g : g.reshape(node.ruleShape);
        // An output that no rule reads may be freed already, and then has no other tensors.
        boolean readsY = node.reads(node.inputs.length);
        Tensor ruleY = node.ruleShape == null || !readsY ? y : y.reshape(node.ruleShape);
        if (through[step - 1]) {
            deliver(node.inputs[0], tensors.of(node.inputs[0]), g);
            plan.arrived(node.inputs[0]);
        } else {
            applyRules(node, g, ruleG, ruleY);
        }
        sweep();
        pending[step - 1] = null;
        settle(node, y, g);
        if (eager()) {
            freeValuesRead(node);
        }
    }

    /// The last input comes first: a product's weight before what it was multiplied by, whose gradient may be put
    /// over its value then.
    private void applyRules(Node node, Tensor g, Tensor ruleG, Tensor ruleY) {
        Tensor[] inputs = tensors.of(node.inputs);
        if (node.joint != null) {
            applyJointRule(node, inputs, ruleG, ruleY);
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
        }
    }

    private void applyJointRule(Node node, Tensor[] inputs, Tensor g, Tensor y) {
        boolean[] wanted = new boolean[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            wanted[i] = plan.wants(node.inputs[i]);
        }
        Tensor[] contributions = node.joint.contributions(g, inputs, y, wanted);
        for (int i = 0; i < inputs.length; i++) {
            if (wanted[i]) {
                deliver(node.inputs[i], inputs[i], contributions[i]);
                plan.arrived(node.inputs[i]);
            }
        }
    }

    /// Whether the gradient of an activation's output is complete with the next contribution, and its own rule is
    /// all that will still read that output: then the rule may be applied at once, over the output.
    private boolean canPutOver(Node activation) {
        if (!eager() || activation == null || !activation.isActivation()) {
            return false;
        }
        int at = plan.index(activation);
        Tensor y = tensors.of(activation.output);
        Storage storage = y.storage;
        return plan.awaitsOne(activation)
                && pending[at] == null
                && storage.lastReader == at + 1
                && storage.readerBefore <= step
                && storage.holders == 0
                && storage.releasable()
                && !keepsGradient(activation)
                && y.coversStorage();
    }

    private void contribute(Node node, int i, boolean last, Tensor[] inputs, Tensor g, Tensor y) {
        Tensor input = node.inputs[i];
        Tensor x = inputs[i];
        if (!(node.rules[i] instanceof Rule.EndsInProduct rule)) {
            // Outside any lock: the rule may be the user's, and wait for another thread.
            deliver(input, x, node.rules[i].contribution(g, inputs, i, y));
        } else if (isLeaf(x)) {
            // Several threads may go backward to one leaf: its gradient accumulates under its own lock.
            synchronized (x.storage) {
                var onto = Destination.ofLeaf(this, x, LeafGradient.of(x));
                Tensor contribution = rule.contribution(g, inputs, i, y, onto);
                if (onto.holds(contribution)) {
                    x.gradientSet = true;
                } else {
                    LeafGradient.add(x, contribution, log);
                }
            }
        } else {
            var to = destination(input, x, last);
            Tensor contribution = rule.contribution(g, inputs, i, y, to);
            if (to.isThrough()) {
                through[plan.slot(input)] = true;
            }
            if (!to.holds(contribution)) {
                deliver(input, x, contribution);
            }
        }
        plan.arrived(input);
    }

    private Destination destination(Tensor input, Tensor x, boolean last) {
        Node maker = plan.maker(input);
        if (last && canPutOver(maker)) {
            return Destination.over(this, maker, x);
        }
        Tensor waiting = pending[plan.slot(input)];
        return Destination.of(this, waiting != null && exclusive(waiting) ? waiting : null);
    }

    /// Notes that the gradient of a leaf, or of an intermediate that keeps one, is about to be changed.
    void changing(Tensor x) {
        log.changing(x);
    }

    /// A gradient in the block of an activation's output, which ends with that.
    Tensor handOver(Tensor output, String op) {
        Storage value = output.storage;
        Tensor gradient = new Tensor(
                value.handOver(op, plan.order[step - 1].op, step),
                output.offset,
                output.shape,
                output.strides,
                output.dtype);
        made(gradient.storage);
        schedule.freed(shownStep(), value.op, ReleaseSchedule.Kind.VALUE, value.shape, value);
        return gradient;
    }

    /// Whether an element-by-element op of the running rule may write over `g`.
    boolean mayOverwrite(Tensor g) {
        return g.storage == overwritable;
    }

    private boolean dies(Node node, Tensor g) {
        return eager() && !keepsGradient(node) && exclusive(g);
    }

    /// Whether a waiting gradient is its block's only use, so that it may be changed in place.
    private static boolean exclusive(Tensor g) {
        return g.storage.disposable && g.storage.holders == 1 && g.coversStorage();
    }

    /// A storage made while a rule runs: freed after it, unless it became somebody's gradient, or rules are
    /// being recorded.
    void made(Storage storage) {
        if (goal != Goal.RECORDED) {
            storage.disposable = true;
            made.add(storage);
            schedule.made(shownStep(), storage);
        }
    }

    private void sweep() {
        for (Storage storage : made) {
            storage.freeIfUnused(root.node == null ? "backward" : root.node.op, step);
        }
        made.clear();
    }

    // Gradients on their way.

    /// Adds `contribution` to the gradient of `input`, which the rules see as `x`.
    private void deliver(Tensor input, Tensor x, Tensor contribution) {
        if (isLeaf(x)) {
            LeafGradient.add(x, contribution, log);
            return;
        }
        Tensor c = contribution.sumTo(x.shape);
        int slot = plan.slot(input);
        Tensor waiting = pending[slot];
        if (waiting == null) {
            pending[slot] = c;
            c.storage.holders++;
        } else {
            pending[slot] = sum(waiting, c);
        }
    }

    /// `kept + c`, in place of `kept` when nobody else sees its block.
    private Tensor sum(Tensor kept, Tensor c) {
        if (exclusive(kept)) {
            Families.accumulate(kept, c);
            return kept;
        }
        Tensor sum = kept.add(c);
        sum.storage.holders++;
        release(kept, null);
        return sum;
    }

    /// Whether contributions to x go to the gradient of x itself.
    private boolean isLeaf(Tensor x) {
        return goal == Goal.LEAVES && x.node == null;
    }

    /// What becomes of the gradient of a node's output once its rules have run.
    private void settle(Node node, Tensor y, Tensor g) {
        if (goal != Goal.LEAVES) {
            for (int i = 0; i < chosen.size(); i++) {
                if (chosen.get(i) == node.output) {
                    pending[plan.order.length + i] = g;
                    g.storage.holders++;
                }
            }
            release(g, null);
        } else if (keepsGradient(node)) {
            changing(y);
            y.gradient = y.gradientSet ? sum(y.gradient, g) : g;
            if (y.gradientSet) {
                release(g, null);
            }
            y.gradientSet = true;
        } else {
            release(g, node);
            y.gradientFreedAt = step;
        }
    }

    private boolean keepsGradient(Node node) {
        return release == Release.AT_CLOSE || node.output.retained || node.output == root;
    }

    /// Lets go of a gradient, and frees its block when that was the last hold on it.
    private void release(Tensor g, Node node) {
        g.storage.holders--;
        String op = node == null ? "backward" : node.op;
        if (g.storage.freeIfUnused(op, step) && node != null) {
            schedule.freed(shownStep(), node.op, ReleaseSchedule.Kind.GRADIENT, node.output.shape, g.storage);
        }
    }

    // Values.

    /// The step of the outermost walk, which is what schedules and messages tell.
    private int shownStep() {
        return enclosing == null ? step : enclosing.shownStep();
    }

    private boolean eager() {
        return release == Release.EAGER;
    }

    private void freeValuesRead(Node node) {
        for (int i = 0; i <= node.inputs.length; i++) {
            Tensor value = node.value(i);
            if (plan.maker(value) != null) {
                Storage storage = tensors.of(value).storage;
                if (storage.lastReader == step) {
                    freeValue(storage, node.op);
                }
            }
        }
    }

    private void freeValue(Storage storage, String after) {
        if (storage == tensors.of(root).storage || !storage.releasable()) {
            return;
        }
        storage.disposable = true;
        if (storage.freeIfUnused(after, step)) {
            schedule.freed(shownStep(), storage.op, ReleaseSchedule.Kind.VALUE, storage.shape, storage);
        }
    }

    // Ending.

    private List<Tensor> results() {
        List<Tensor> results = new ArrayList<>(chosen.size());
        for (int i = 0; i < chosen.size(); i++) {
            // The same tensor may have been asked for twice; its gradient waits in the first place.
            Tensor g = pending[plan.order.length + chosen.indexOf(chosen.get(i))];
            Tensor result = g != null ? g : Tensor.zerosLike(chosen.get(i));
            result.storage.pinned |= enclosing == null;
            results.add(result);
        }
        return results;
    }

    private void end() {
        if (goal == Goal.LEAVES) {
            log.clear();
        }
    }

    /// Frees what waits when a rule has failed, and leaves no gradient that has only a part of what it should.
    private void abandon() {
        for (Tensor g : pending) {
            if (g != null) {
                release(g, null);
            }
        }
        sweep();
        if (goal == Goal.LEAVES) {
            log.undo();
        }
    }

    private void markReleased() {
        for (Node node : plan.order) {
            node.released |= eager() && tensors.includes(node.output);
        }
    }
}
