package org.toydiff;

import java.util.Arrays;
import java.util.List;

/// The nodes that a node was computed from, latest first.
///
/// A heap by sequence number puts them in order and finds repeats beside each other, so nothing is marked
/// on the nodes: two threads may walk graphs that meet. Iterative, because a chain may have 100,000 ops. One
/// object for each thread, used again.
final class GraphOrder {
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

    /// Whether a tensor itself is in a list.
    static boolean contains(List<Tensor> tensors, Tensor tensor) {
        for (int i = 0; i < tensors.size(); i++) {
            if (tensors.get(i) == tensor) {
                return true;
            }
        }
        return false;
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
