package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.toydiff.DType;
import org.toydiff.Stateful;
import org.toydiff.Tensor;

/// A function with parameters: the base of every layer, and of models made of layers.
///
/// A subclass registers its parameters and parts once, in its constructor:
/// ```java
/// final class Scale extends Layer {
///     private final Tensor factor = parameter("factor", Tensor.ones(1));
///
///     @Override
///     protected Tensor compute(Tensor x) {
///         return x.multiply(factor);
///     }
/// }
/// ```
public abstract class Layer implements Stateful {
    private final Map<String, Tensor> own = new LinkedHashMap<>();
    private final Map<String, Tensor> buffers = new LinkedHashMap<>();
    private final Map<String, Layer> children = new LinkedHashMap<>();
    private boolean training = true;

    /// For subclasses.
    protected Layer() {}

    /// Computes the output for an input.
    ///
    /// This is how a layer calls its parts, too. When an op does not fit the input, the error names the part and its
    /// path in the layer that was called from outside.
    ///
    /// @param x the input
    /// @return the output, in the innermost arena
    /// @throws IllegalArgumentException if the input does not fit, naming the part
    public final Tensor forward(Tensor x) {
        try {
            return Summary.isUnderWay() ? Summary.note(this, x) : compute(x);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    /// Computes the output that [#forward(Tensor)] returns, and is called by nothing else. Parts are applied by
    /// their `forward`.
    ///
    /// @param x the input
    /// @return the output, in the innermost arena
    protected abstract Tensor compute(Tensor x);

    /// What `forward` throws where computing the output threw `e`.
    final IllegalArgumentException failure(IllegalArgumentException e) {
        String name = e instanceof LayerException inner ? nameOf(inner.layer) : null;
        return name == null ? new LayerException(this, e) : ((LayerException) e).within(this, name);
    }

    /// The name under which a part is registered, or null if it is not.
    final String nameOf(Layer part) {
        for (Map.Entry<String, Layer> child : children.entrySet()) {
            if (child.getValue() == part) {
                return child.getKey();
            }
        }
        return null;
    }

    /// The path of what has a path in a part of that name; a wrapper's part has the empty name.
    static String path(String part, String path) {
        return part.isEmpty() || path.isEmpty() ? part + path : part + "." + path;
    }

    /// An input that did not fit, and where. The layer that threw it is named once another one has called it.
    private static final class LayerException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        // The outermost layer so far.
        private final transient Layer layer;
        // The innermost one, where the cause was thrown.
        private final transient Layer failed;
        private final String path;

        LayerException(Layer layer, IllegalArgumentException cause) {
            super(cause.getMessage(), cause);
            this.layer = layer;
            this.failed = layer;
            this.path = "";
        }

        private LayerException(Layer layer, Layer failed, String path, Throwable cause) {
            super(failed + (path.isEmpty() ? "" : " at \"" + path + "\"") + ": " + cause.getMessage(), cause);
            this.layer = layer;
            this.failed = failed;
            this.path = path;
        }

        LayerException within(Layer outer, String name) {
            return new LayerException(outer, failed, path(name, path), getCause());
        }
    }

    /// The layers that an input passes through, with output shapes, parameters and bytes. Nothing is computed: the
    /// layer is run on shapes alone.
    ///
    /// @param inputShape the shape of an input of the dtype of the first parameter, FLOAT32 where there is none
    /// @return the summary, which prints as a table
    /// @throws IllegalArgumentException if the input does not fit, naming the layer
    public final Summary summary(long... inputShape) {
        List<Tensor> parameters = parameters();
        return summary(
                parameters.isEmpty() ? DType.FLOAT32 : parameters.getFirst().dtype(), inputShape);
    }

    /// As [#summary(long...)], for inputs of another dtype.
    ///
    /// @param dtype the dtype of the input
    /// @param inputShape its shape
    /// @return the summary
    /// @throws IllegalArgumentException if the input does not fit, naming the layer
    public final Summary summary(DType dtype, long... inputShape) {
        return Summary.of(this, dtype, inputShape);
    }

    /// Its name and, below it, its parts.
    ///
    /// @return one line, or a tree
    @Override
    public String toString() {
        String name = getClass().getSimpleName();
        if (children.isEmpty()) {
            return name + "()";
        }
        var text = new StringBuilder(name).append("(\n");
        children.forEach((part, layer) -> text.append("  (")
                .append(part)
                .append("): ")
                .append(layer.toString().replace("\n", "\n  "))
                .append('\n'));
        return text.append(')').toString();
    }

    /// Throws unless parameters can be of a dtype.
    final void requireFloating(DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException(
                    getClass().getSimpleName() + ": parameters cannot be " + dtype.name() + "; use FLOAT32 or FLOAT64");
        }
    }

    /// Whether it is made of other layers.
    final boolean hasParts() {
        return !children.isEmpty();
    }

    /// Registers a parameter.
    ///
    /// @param name its name within this layer, without dots
    /// @param tensor the parameter; it tracks gradients from now on
    /// @return the tensor
    /// @throws IllegalArgumentException if the name is taken or has a dot
    protected final Tensor parameter(String name, Tensor tensor) {
        requireFree(name);
        own.put(name, tensor.trackGradient());
        return tensor;
    }

    /// Registers a tensor that is saved with the parameters and is none: a running mean, for instance.
    ///
    /// @param name its name within this layer, without dots
    /// @param tensor the buffer
    /// @return the tensor
    /// @throws IllegalArgumentException if the name is taken or has a dot
    protected final Tensor buffer(String name, Tensor tensor) {
        requireFree(name);
        buffers.put(name, tensor);
        return tensor;
    }

    /// Registers a part.
    ///
    /// @param <M> the type of the part
    /// @param name its name within this layer, without dots
    /// @param layer the part
    /// @return the part
    /// @throws IllegalArgumentException if the name is taken or has a dot
    protected final <M extends Layer> M child(String name, M layer) {
        requireFree(name);
        children.put(name, layer);
        return layer;
    }

    /// Registers the only part of a layer that adds nothing to the names of its parameters.
    final <M extends Layer> M whole(M layer) {
        children.put("", layer);
        return layer;
    }

    private void requireFree(String name) {
        boolean taken = own.containsKey(name) || buffers.containsKey(name) || children.containsKey(name);
        if (name.isEmpty() || name.contains(".") || taken) {
            throw new IllegalArgumentException(getClass().getSimpleName() + ": \"" + name
                    + "\" is taken, empty or has a dot; choose another name");
        }
    }

    /// Every parameter of this layer and its parts, each once.
    ///
    /// @return the parameters in the order of registration
    public final List<Tensor> parameters() {
        Set<Tensor> unique = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Tensor> parameters = new ArrayList<>();
        for (Tensor parameter : namedParameters().values()) {
            if (unique.add(parameter)) {
                parameters.add(parameter);
            }
        }
        return parameters;
    }

    /// Every parameter under its path, `0.weight` for instance.
    ///
    /// @return a map in the order of registration
    public final Map<String, Tensor> namedParameters() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        visit("", (path, layer) -> layer.own.forEach((name, tensor) -> named.put(path + name, tensor)));
        return named;
    }

    /// Every buffer under its path, `1.running_mean` for instance.
    ///
    /// @return a map in the order of registration
    public final Map<String, Tensor> namedBuffers() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        visit("", (path, layer) -> layer.buffers.forEach((name, tensor) -> named.put(path + name, tensor)));
        return named;
    }

    /// Visits this layer and its parts, each with the path that its tensors' names begin with.
    private void visit(String path, BiConsumer<String, Layer> visitor) {
        visitor.accept(path, this);
        children.forEach((name, layer) -> layer.visit(name.isEmpty() ? path : path + name + ".", visitor));
    }

    /// Every parameter and buffer under its path: what to save, and to put back by [#loadStateDict(Map)].
    ///
    /// @return the tensors themselves, not copies
    @Override
    public final Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = namedParameters();
        state.putAll(namedBuffers());
        return state;
    }

    /// Overwrites parameters and buffers with saved ones; nothing is changed unless all of them fit.
    ///
    /// @param state a tensor of the same shape and dtype for each path of [#stateDict()]
    /// @throws IllegalArgumentException naming the paths that are missing, unknown or of another shape
    @Override
    public final void loadStateDict(Map<String, Tensor> state) {
        Map<String, Tensor> current = stateDict();
        Stateful.requireFits(getClass().getSimpleName() + ": loadStateDict", current, state);
        current.forEach((name, tensor) -> tensor.copyFrom(state.get(name)));
    }

    /// Sets this layer and its parts to training.
    public final void train() {
        setTraining(true);
    }

    /// Sets this layer and its parts to evaluation.
    public final void eval() {
        setTraining(false);
    }

    private void setTraining(boolean training) {
        this.training = training;
        children.values().forEach(layer -> layer.setTraining(training));
    }

    /// Whether this layer is set to training, as it is when made.
    ///
    /// @return false after [#eval()]
    public final boolean isTraining() {
        return training;
    }

    /// Empties the gradient of every parameter.
    public final void zeroGradients() {
        parameters().forEach(Tensor::zeroGradient);
    }
}
