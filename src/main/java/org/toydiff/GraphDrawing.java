package org.toydiff;

import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.internal.launch.Shape;

/// A recorded graph as Graphviz DOT: https://graphviz.org/doc/info/lang.html
final class GraphDrawing {
    private final StringBuilder text = new StringBuilder();
    private final Map<Tensor, Integer> leaves = new IdentityHashMap<>();
    private final Sight.Predicting sight = new Sight.Predicting(null);
    private Node[] order;

    private GraphDrawing() {}

    static String of(Tensor root) {
        return new GraphDrawing().draw(root);
    }

    private String draw(Tensor root) {
        ReleaseSchedule schedule = Backward.predict(root, Release.EAGER, sight);
        order = Scope.current().graphs.of(root.node, List.of());
        text.append("digraph backward {\n");
        text.append("  label=\"backward(EAGER): peak ")
                .append(schedule.peakBytes())
                .append(" B\"\n");
        text.append("  node [shape=box, fontname=\"sans-serif\"]\n");
        for (int i = 0; i < order.length; i++) {
            describe(i);
        }
        if (order.length == 0) {
            leaf(root);
        }
        return text.append("}\n").toString();
    }

    private void describe(int i) {
        Node node = order[i];
        Tensor standIn = sight.see(node.output);
        Storage storage = standIn.storage;
        String value = storage.isFreed() ? "value freed at step " + storage.freedAt : "value kept";
        String gradient =
                standIn.gradientFreedAt > 0 ? "gradient freed at step " + standIn.gradientFreedAt : "gradient kept";
        text.append("  n")
                .append(i)
                .append(" [label=\"")
                .append(node.op)
                .append(" (step ")
                .append(i + 1)
                .append(")\\n");
        text.append(size(node.output))
                .append("\\n")
                .append(value)
                .append("\\n")
                .append(gradient)
                .append("\"]\n");
        for (Tensor input : node.inputs) {
            String from = input.node == null ? leaf(input) : "n" + place(input.node);
            text.append("  ").append(from).append(" -> n").append(i).append('\n');
        }
    }

    private String leaf(Tensor tensor) {
        Integer known = leaves.get(tensor);
        if (known != null) {
            return "t" + known;
        }
        int number = leaves.size();
        leaves.put(tensor, number);
        text.append("  t").append(number).append(" [style=filled, fillcolor=");
        text.append(tensor.leaf ? "lightblue" : "lightgray").append(", label=\"");
        text.append(tensor.leaf ? "leaf" : "constant")
                .append("\\n")
                .append(size(tensor))
                .append("\"]\n");
        return "t" + number;
    }

    private int place(Node node) {
        return Arrays.asList(order).indexOf(node);
    }

    private static String size(Tensor tensor) {
        return Shape.text(tensor.shape) + " " + tensor.dtype + " " + tensor.size() * tensor.dtype.bytes() + " B";
    }
}
