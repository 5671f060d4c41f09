package org.toydiff;

import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.toydiff.Prediction.AbstractTensors;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;

/// Gradients beyond [Tensor#backward()].
public final class Autograd {
    private Autograd() {}

    /// Returns the gradients of y's sum to xs, while `gradient()` of every tensor stays as it is.
    ///
    /// @param y the tensor to differentiate
    /// @param xs tensors that track gradients, leaves or intermediates
    /// @return one gradient for each of xs, of its shape and dtype, zeros where y does not depend on it; in the
    ///     innermost arena
    /// @throws IllegalStateException if y or one of xs tracks no gradient, or the graph was released
    public static List<Tensor> gradients(Tensor y, List<Tensor> xs) {
        return gradients(y, xs, false);
    }

    /// Returns the gradients of y's sum to xs; with `createGraph` they are recorded themselves and can be
    /// differentiated again.
    ///
    /// @param y the tensor to differentiate
    /// @param xs tensors that track gradients, leaves or intermediates
    /// @param createGraph whether to record; everything made on the way then stays until the arena closes
    /// @return one gradient for each of xs, of its shape and dtype, zeros where y does not depend on it; in the
    ///     innermost arena
    /// @throws IllegalStateException if y or one of xs tracks no gradient, or the graph was released
    public static List<Tensor> gradients(Tensor y, List<Tensor> xs, boolean createGraph) {
        for (int i = 0; i < xs.size(); i++) {
            Tensor x = xs.get(i);
            if (!x.tracksGradient()) {
                throw new IllegalStateException("gradients: input " + i + " of shape " + Shape.text(x.shape)
                        + " tracks no gradient; call trackGradient() on it before computing from it");
            }
        }
        return Backward.gradients(y, xs, createGraph);
    }

    /// Goes backward as [Tensor#backward(Tensor, Release)], and hands over each leaf as soon as its gradient is
    /// complete, while backward goes on: to send the gradient elsewhere, or to step with it.
    ///
    /// ```java
    /// Autograd.backward(loss, Tensor.onesLike(loss), Release.EAGER, leaf -> send(leaf.gradient()));
    /// ```
    ///
    /// **Memory** as backward; on the heap a count for each leaf.
    ///
    /// @param y the tensor to differentiate
    /// @param gradient the gradient of y, of its shape and dtype; not modified
    /// @param release when intermediates are freed
    /// @param complete called on this thread with each leaf that y was computed from, once, in the order in which the
    ///     gradients are completed; it may read and change the gradient, but not the values of parameters, which later
    ///     rules read. If it throws, backward has failed, see [Tensor#backward()]
    /// @throws IllegalArgumentException if shape or dtype of the gradient differ
    /// @throws IllegalStateException as [Tensor#backward(Release)], or if a [CompiledFunction] is being recorded
    public static void backward(Tensor y, Tensor gradient, Release release, Consumer<Tensor> complete) {
        Recorder.refuse(
                "backward", "calls Java code in its middle, which a replay would not; call Tensor.backward there");
        Objects.requireNonNull(gradient, "gradient");
        Backward.run(y, gradient, release, Objects.requireNonNull(complete, "complete"));
    }

    /// Begins a region in which this thread records nothing: for inference, metrics and updates.
    ///
    /// @return the region, to be closed on this thread; until it is, an arena around it cannot be closed
    public static Region noGradient() {
        return Scope.current().begin("noGradient region", false);
    }

    /// Computes `f(x)` and keeps none of the intermediates: backward computes them again, which costs a second
    /// forward and saves their memory. Random tensors are drawn as they were the first time, whatever other
    /// threads draw.
    ///
    /// **Gradient** that of f.
    /// **Memory** every tensor that f makes is freed when f returns, except its result; the release schedule shows
    /// the blocks that backward makes and frees again.
    ///
    /// @param f a composition of ops that returns the same result for the same input, reads no elements and changes
    ///     nothing
    /// @param x its input
    /// @param parameters the other tensors that f computes with and that track gradients
    /// @return `f(x)`; backward of it throws IllegalStateException if f draws more or fewer random tensors then
    /// @throws IllegalArgumentException if f computes with a tensor that tracks gradients and is neither x nor among
    ///     the parameters: it would get none
    public static Tensor checkpoint(UnaryOperator<Tensor> f, Tensor x, List<Tensor> parameters) {
        return Recompute.of(f, x, parameters);
    }

    /// Draws the graph that a tensor was computed by, in Graphviz's DOT language: op, shape and bytes of each
    /// value, and the step at which `backward(Release.EAGER)` frees it and its gradient. `dot -Tsvg` turns
    /// it into a picture.
    ///
    /// @param y the tensor
    /// @return the text of a `.dot` file
    /// @throws IllegalStateException if it tracks no gradient, or its graph was released
    public static String draw(Tensor y) {
        return draw(y, Map.of());
    }

    /// Draws the graph as [#draw(Tensor)] does, with names of tensors: those of a layer's parameters, for instance.
    /// ```java
    /// Files.writeString(Path.of("net.dot"), Autograd.draw(loss, net.namedParameters()));
    /// ```
    ///
    /// @param y the tensor
    /// @param names tensors by name: parameters, inputs, or intermediates; those that are not in the graph do not
    ///     matter, and one with several names has all of them
    /// @return the text of a `.dot` file
    /// @throws IllegalStateException if y tracks no gradient, or its graph was released
    public static String draw(Tensor y, Map<String, Tensor> names) {
        return new Drawing(names).draw(y);
    }

    /// A recorded graph as Graphviz DOT: https://graphviz.org/doc/info/lang.html
    private static final class Drawing {
        private final StringBuilder text = new StringBuilder();
        private final Map<Tensor, Integer> leaves = new IdentityHashMap<>();
        private final AbstractTensors tensors = AbstractTensors.ofAll(null);
        private final Map<Tensor, String> names = new IdentityHashMap<>();
        private Node[] order;

        Drawing(Map<String, Tensor> tensors) {
            tensors.forEach((name, tensor) -> names.merge(tensor, quoted(name), (a, b) -> a + ", " + b));
        }

        /// Returns a text as it stands within quotes.
        private static String quoted(String text) {
            return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
        }

        String draw(Tensor root) {
            ReleaseSchedule schedule = Prediction.schedule(root, tensors);
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
            Tensor tensor = tensors.of(node.output);
            Storage storage = tensor.storage;
            String value = storage.isFreed() ? "value freed at step " + storage.freedAt : "value kept";
            String gradient =
                    tensor.gradientFreedAt > 0 ? "gradient freed at step " + tensor.gradientFreedAt : "gradient kept";
            text.append("  n")
                    .append(i)
                    .append(" [label=\"")
                    .append(names.containsKey(node.output) ? names.get(node.output) + " = " : "")
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
            text.append(names.getOrDefault(tensor, tensor.leaf ? "leaf" : "constant"))
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
}
