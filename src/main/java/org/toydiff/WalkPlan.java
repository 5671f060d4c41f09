package org.toydiff;

import java.util.List;

/// What a walk backward knows before it begins: its nodes, latest first, who of them needs a gradient, how many
/// contributions each waits for, and which step reads a value last.
final class WalkPlan {
    /// Nodes in the order of the steps: step 1 is the first.
    final Node[] order;

    private final List<Tensor> chosen;

    /// Whether leaves get gradients; else the chosen tensors alone.
    private final boolean toLeaves;

    /// Tensors at which the walk ends that runs within another one's rule: what is before them is the other one's.
    private final List<Tensor> ends;

    private final boolean[] needed;

    /// How many contributions to the gradient of each output of `order` are still to come.
    private final int[] awaited;

    WalkPlan(Tensor root, List<Tensor> chosen, boolean toLeaves, boolean within, Sight sight) {
        this.chosen = chosen;
        this.toLeaves = toLeaves;
        this.ends = within ? chosen : List.of();
        this.order = Scope.current().graphs.of(maker(root), ends);
        this.needed = new boolean[order.length];
        this.awaited = new int[order.length];
        for (int i = order.length - 1; i >= 0; i--) {
            needed[i] = toLeaves || leadsToChosen(order[i]);
            sight.see(order[i].output).storage.forgetReaders();
        }
        for (int i = 0; i < order.length; i++) {
            countReadsOf(i, sight);
        }
    }

    private void countReadsOf(int i, Sight sight) {
        Node node = order[i];
        for (int value = 0; value <= node.inputs.length; value++) {
            Node maker = maker(node.value(value));
            if (maker != null && node.reads(value)) {
                sight.see(node.value(value)).storage.readBy(i + 1);
            }
            if (maker != null && value < node.inputs.length && needed[i]) {
                awaited[index(maker)]++;
            }
        }
    }

    private boolean leadsToChosen(Node node) {
        if (GraphOrder.contains(chosen, node.output)) {
            return true;
        }
        for (Tensor input : node.inputs) {
            if (wants(input)) {
                return true;
            }
        }
        return false;
    }

    /// Whether the rules of `order[i]` are to run.
    boolean needs(int i) {
        return needed[i];
    }

    /// Whether a contribution to `input` is worth computing.
    boolean wants(Tensor input) {
        if (!input.tracksGradient()) {
            return false;
        }
        if (toLeaves) {
            return true;
        }
        Node maker = maker(input);
        return maker != null ? needed[index(maker)] : slot(input) >= 0;
    }

    /// The input whose rule runs last.
    int last(Node node) {
        int last = 0;
        while (last < node.inputs.length && !wants(node.inputs[last])) {
            last++;
        }
        return last;
    }

    /// How many gradients may wait: those of the outputs of `order`, then those of the chosen tensors.
    int slots() {
        return order.length + chosen.size();
    }

    /// Where the gradient of a tensor waits, -1 when nobody asked for it.
    int slot(Tensor x) {
        Node maker = maker(x);
        if (maker != null) {
            return index(maker);
        }
        for (int i = 0; i < chosen.size(); i++) {
            if (chosen.get(i) == x) {
                return order.length + i;
            }
        }
        return -1;
    }

    /// The node that made a tensor, null for a leaf and for one at which this walk ends.
    Node maker(Tensor tensor) {
        return GraphOrder.contains(ends, tensor) ? null : tensor.node;
    }

    /// The node's place in `order`, which descends by sequence.
    int index(Node node) {
        int low = 0;
        int high = order.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (order[middle].sequence > node.sequence) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /// Notes that a contribution to the gradient of `input` has come.
    void arrived(Tensor input) {
        Node maker = maker(input);
        if (maker != null) {
            awaited[index(maker)]--;
        }
    }

    /// Whether one contribution alone is still to come for a node's output.
    boolean awaitsOne(Node node) {
        return awaited[index(node)] == 1;
    }
}
