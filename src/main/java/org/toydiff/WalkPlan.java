package org.toydiff;

import java.util.Arrays;
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

    WalkPlan(Tensor root, List<Tensor> chosen, boolean toLeaves, boolean within, AbstractTensors tensors) {
        this.chosen = chosen;
        this.toLeaves = toLeaves;
        this.ends = within ? chosen : List.of();
        this.order = Scope.current().graphs.of(maker(root), ends);
        this.needed = new boolean[order.length];
        this.awaited = new int[order.length];
        for (int i = order.length - 1; i >= 0; i--) {
            needed[i] = toLeaves || leadsToChosen(order[i]);
            tensors.of(order[i].output).storage.forgetReaders();
        }
        for (int i = 0; i < order.length; i++) {
            countReadsOf(i, tensors);
        }
    }

    private void countReadsOf(int i, AbstractTensors tensors) {
        Node node = order[i];
        for (int value = 0; value <= node.inputs.length; value++) {
            Node maker = maker(node.value(value));
            if (maker != null && node.reads(value)) {
                tensors.of(node.value(value)).storage.readBy(i + 1);
            }
            if (maker != null && value < node.inputs.length && needed[i]) {
                awaited[index(maker)]++;
            }
        }
    }

    private boolean leadsToChosen(Node node) {
        if (contains(chosen, node.output)) {
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
        return contains(ends, tensor) ? null : tensor.node;
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

    /// Whether a tensor itself is in a list.
    private static boolean contains(List<Tensor> tensors, Tensor tensor) {
        for (int i = 0; i < tensors.size(); i++) {
            if (tensors.get(i) == tensor) {
                return true;
            }
        }
        return false;
    }

    /// The nodes that a node was computed from, latest first.
    ///
    /// A heap by sequence number puts them in order and finds repeats beside each other, so nothing is marked
    /// on the nodes: two threads may walk graphs that meet. Iterative, because a chain may have 100,000 ops. One
    /// object for each thread, used again.
    static final class Order {
        private Node[] heap = new Node[16];
        private int size;
        private Node[] order = new Node[16];

        /// @param root the node, or null for none
        /// @param ends tensors past which nothing is walked
        Node[] of(Node root, List<Tensor> ends) {
            int n = 0;
            try {
                if (root != null) {
                    push(root);
                }
                while (size > 0) {
                    Node node = pop();
                    if (n > 0 && order[n - 1] == node) {
                        continue;
                    }
                    if (n == order.length) {
                        order = Arrays.copyOf(order, 2 * n);
                    }
                    order[n++] = node;
                    for (Tensor input : node.inputs) {
                        if (input.node != null && !contains(ends, input)) {
                            push(input.node);
                        }
                    }
                }
                return Arrays.copyOf(order, n);
            } finally {
                // One object serves many graphs and must keep none of them, even where memory has run out.
                Arrays.fill(order, 0, n, null);
                Arrays.fill(heap, 0, size, null);
                size = 0;
            }
        }

        private void push(Node node) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, 2 * size);
            }
            int at = size++;
            while (at > 0 && heap[(at - 1) / 2].sequence < node.sequence) {
                heap[at] = heap[(at - 1) / 2];
                at = (at - 1) / 2;
            }
            heap[at] = node;
        }

        private Node pop() {
            Node top = heap[0];
            Node moved = heap[--size];
            heap[size] = null;
            int at = 0;
            for (int child = 1; child < size; child = 2 * at + 1) {
                if (child + 1 < size && heap[child + 1].sequence > heap[child].sequence) {
                    child++;
                }
                if (heap[child].sequence <= moved.sequence) {
                    break;
                }
                heap[at] = heap[child];
                at = child;
            }
            if (size > 0) {
                heap[at] = moved;
            }
            return top;
        }
    }
}
