package org.toydiff;

import java.util.Arrays;
import java.util.List;
import org.toydiff.Prediction.AbstractTensors;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;

/// The plan of a walk backward: the request, and all that is known before it begins. Its nodes, latest first, which
/// of them need a gradient and which keep it, how many contributions each waits for, and which step reads a value
/// last.
final class WalkPlan {
    /// The use of the gradients.
    enum Goal {
        /// Added to those of the leaves; those of intermediates are freed as [Release] says.
        LEAVES,
        /// Returned for chosen tensors; the others are freed.
        CHOSEN,
        /// As [#CHOSEN], and the rules are recorded, so that every tensor they make must stay.
        RECORDED
    }

    final String op;
    final Tensor root;

    /// The gradient of the root, null for ones.
    final Tensor seed;

    final Release release;
    final Goal goal;

    /// Nodes in the order of the steps: step 1 is the first.
    final Node[] order;

    private final List<Tensor> chosen;

    /// The tensors at which a walk within a rule ends: nodes before them belong to the outer walk.
    private final List<Tensor> ends;

    /// Whether each node leads to a chosen tensor; null where the goal is the leaves, to which every node leads.
    private final boolean[] needed;

    /// How many contributions to the gradient of each output of `order` are still to come.
    private final int[] awaited;

    /// @throws IllegalStateException if the root tracks no gradient
    /// @throws IllegalArgumentException if shape or dtype of the seed are not the root's
    WalkPlan(String op, Tensor root, Tensor seed, Release release, Goal goal, List<Tensor> chosen, List<Tensor> ends) {
        requireTracked(op, root);
        requireSeed(root, seed);
        this.op = op;
        this.root = root;
        this.seed = seed;
        this.release = release;
        this.goal = goal;
        this.chosen = chosen;
        this.ends = ends;
        this.order = Scope.current().graphs.of(maker(root), ends);
        this.needed = toLeaves() ? null : new boolean[order.length];
        this.awaited = new int[order.length];
        for (int i = order.length - 1; i >= 0 && !toLeaves(); i--) {
            needed[i] = leadsToChosen(order[i]);
        }
    }

    static WalkPlan toLeaves(String op, Tensor root, Tensor seed, Release release) {
        return new WalkPlan(op, root, seed, release, Goal.LEAVES, List.of(), List.of());
    }

    static void requireTracked(String op, Tensor root) {
        if (!root.tracksGradient()) {
            throw new IllegalStateException(op + ": the tensor " + Shape.text(root.shape)
                    + " tracks no gradient; call trackGradient() on a tensor it is computed from, before computing");
        }
    }

    private static void requireSeed(Tensor root, Tensor seed) {
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

    /// Counts contributions, and notes in each storage which steps read it last.
    void countReads(AbstractTensors tensors) {
        for (int i = order.length - 1; i >= 0; i--) {
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
            boolean saved = node.isSaved(value);
            if (saved) {
                tensors.of(node.value(value)).storage.forgetReaders();
            }
            if ((maker != null || saved) && node.reads(value)) {
                tensors.of(node.value(value)).storage.readBy(i + 1);
            }
            if (maker != null && value < node.inputs.length && needs(i)) {
                awaited[index(maker)]++;
            }
        }
    }

    boolean toLeaves() {
        return goal == Goal.LEAVES;
    }

    boolean eager() {
        return release == Release.EAGER;
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

    /// Throws, before anything has changed, if a rule cannot run or its result cannot be kept.
    ///
    /// @param real whether the walk computes with real tensors, and changes their gradients
    void requireRunnable(boolean real) {
        boolean changesGradients = toLeaves() && real;
        if (changesGradients && root.node == null) {
            root.requireAccumulating(op);
        }
        for (int i = 0; i < order.length; i++) {
            Node node = order[i];
            node.requireUnreleased();
            if (changesGradients && keepsGradient(node)) {
                node.output.requireUsableGradient(op);
            }
            for (int value = 0; value <= node.inputs.length; value++) {
                Tensor tensor = node.value(value);
                if (needs(i) && node.reads(value)) {
                    tensor.requireReadable(op);
                    node.requireUnchanged(value);
                }
                if (changesGradients && value < node.inputs.length && tensor.leaf) {
                    tensor.requireAccumulating(op);
                }
            }
        }
    }

    /// Whether the gradient of a node's output stays readable, where the walk goes to the leaves.
    boolean keepsGradient(Node node) {
        return release == Release.AT_CLOSE || alwaysKeepsGradient(node);
    }

    /// As [#keepsGradient], under either [Release].
    boolean alwaysKeepsGradient(Node node) {
        return node.output.retained || node.output == root;
    }

    /// Whether the rules of `order[i]` are to run.
    boolean needs(int i) {
        return toLeaves() || needed[i];
    }

    /// Whether a contribution to `input` is worth computing.
    boolean wants(Tensor input) {
        if (!input.tracksGradient()) {
            return false;
        }
        if (toLeaves()) {
            return true;
        }
        Node maker = maker(input);
        return maker != null ? needed[index(maker)] : slot(input) >= 0;
    }

    /// Returns for each input of a node whether [#wants] it.
    boolean[] wanted(Node node) {
        boolean[] wanted = new boolean[node.inputs.length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = wants(node.inputs[i]);
        }
        return wanted;
    }

    /// Returns the input whose rule runs last.
    int last(Node node) {
        int last = 0;
        while (last < node.inputs.length && !wants(node.inputs[last])) {
            last++;
        }
        return last;
    }

    /// Returns the tensors whose gradients are to be returned.
    List<Tensor> chosen() {
        return chosen;
    }

    /// Returns how many gradients may wait: those of the outputs of `order`, then those of the chosen tensors.
    int slots() {
        return order.length + chosen.size();
    }

    /// Returns the slot in which the gradient of a tensor waits, -1 when nobody asked for it.
    int slot(Tensor x) {
        Node maker = maker(x);
        if (maker != null) {
            return index(maker);
        }
        return slotOfResult(x);
    }

    /// Returns the slot in which the result for a chosen tensor waits, -1 for any other tensor. It is one slot also
    /// where the tensor was chosen twice.
    int slotOfResult(Tensor x) {
        int at = chosen.indexOf(x);
        return at < 0 ? -1 : order.length + at;
    }

    /// Returns the node that made a tensor, null for a leaf and for one at which this walk ends.
    Node maker(Tensor tensor) {
        return contains(ends, tensor) ? null : tensor.node;
    }

    /// Returns the node's place in `order`, which descends by sequence.
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

    /// Notes that a contribution to the gradient of `input` has arrived.
    void arrived(Tensor input) {
        Node maker = maker(input);
        if (maker != null) {
            awaited[index(maker)]--;
        }
    }

    /// Whether the gradient of an activation's output is complete with the next contribution, and the activation's
    /// own rule is the only reader that this output still has after `step`: then EAGER applies that rule at once,
    /// over the output. AT_CLOSE, which keeps the output, computes the same bits.
    boolean endsInPlace(Node activation, Tensor output, int step) {
        if (!eager() && !toLeaves() || activation.activation() == null) {
            return false;
        }
        int at = index(activation);
        Storage storage = output.storage;
        return awaited[at] == 1
                && storage.lastReader == at + 1
                && storage.readerBefore <= step
                && storage.holders == storage.kept
                && storage.releasable()
                && !alwaysKeepsGradient(activation)
                && output.coversStorage();
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

    /// Finds the nodes that a node was computed from, latest first.
    ///
    /// A heap by sequence number sorts them and puts repeats beside each other, so that no node is marked: two
    /// threads may walk graphs that meet. Iterative, because a chain may have 100,000 ops. One object for each
    /// thread, reused.
    static final class Order {
        private Node[] heap = new Node[16];
        private int size;
        private Node[] order = new Node[16];

        /// @param root the node, or null for none
        /// @param ends tensors past which no node is visited
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
