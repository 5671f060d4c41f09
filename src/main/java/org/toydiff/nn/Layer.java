package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Region;
import org.toydiff.Stateful;
import org.toydiff.Tensor;

/// A function with parameters: the base of every layer, and of models made of layers.
///
/// A subclass registers its parameters and child layers once, in its constructor:
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
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final Map<String, Tensor> buffers = new LinkedHashMap<>();
    private final Map<String, Layer> children = new LinkedHashMap<>();
    private boolean training = true;
    private boolean frozen;

    /// How often a setting or the registered tensors and children have changed.
    private long changes;

    /// What a compiled function depends on beside the elements of tensors; one object for all calls.
    private final LongSupplier state = () -> changes << 2 | (frozen ? 2 : 0) | (training ? 1 : 0);

    /// Creates a layer without parameters, for subclasses.
    protected Layer() {}

    /// Computes the output for an input.
    ///
    /// A layer calls its children by this method, too. When an op does not fit the input, the error names the
    /// child and its path in the outermost layer.
    ///
    /// @param x the input
    /// @return the output, in the innermost arena
    /// @throws IllegalArgumentException if the input does not fit, naming the layer
    public final Tensor forward(Tensor x) {
        CompiledFunction.dependOn(state);
        try {
            return Summary.isRecording() ? Summary.record(this, x) : compute(x);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    /// Computes the output that [#forward(Tensor)] returns; only `forward` calls it. Implementations call the
    /// `forward` of their children.
    ///
    /// @param x the input
    /// @return the output, in the innermost arena
    protected abstract Tensor compute(Tensor x);

    /// Notes that a setting has changed on which `compute` depends, so that a [CompiledFunction] that runs this layer
    /// records again. Setters of a subclass call it.
    protected final void settingChanged() {
        changes++;
    }

    /// Returns the exception that `forward` throws when `compute` threw `e`.
    final IllegalArgumentException failure(IllegalArgumentException e) {
        String path = e instanceof LayerException inner ? pathOf(inner.layer) : null;
        return path == null ? new LayerException(this, e) : ((LayerException) e).within(this, path);
    }

    /// Returns the path of a layer in this one, or null if it is not registered. A layer may call the children of its
    /// children, but if one is registered more than once, it most likely calls its own.
    final String pathOf(Layer layer) {
        for (Map.Entry<String, Layer> child : children.entrySet()) {
            if (child.getValue() == layer) {
                return child.getKey();
            }
        }
        for (Map.Entry<String, Layer> child : children.entrySet()) {
            String path = child.getValue().pathOf(layer);
            if (path != null) {
                return path(child.getKey(), path);
            }
        }
        return null;
    }

    /// Returns the path, in this layer, of something with a path in a child; the child of a wrapper has the empty
    /// name.
    static String path(String child, String path) {
        return child.isEmpty() || path.isEmpty() ? child + path : child + "." + path;
    }

    /// An input that did not fit, with the layer and its path. The layer that threw it is named once another layer
    /// has called it.
    private static final class LayerException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        // The outermost layer so far.
        private final transient Layer layer;
        // The layer in which the cause was thrown.
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

        LayerException within(Layer outer, String inner) {
            return new LayerException(outer, failed, path(inner, path), getCause());
        }
    }

    /// Lists the layers that an input passes through, with output shapes, parameters and bytes. Nothing is
    /// computed: the layer runs on shapes alone. [Summary] says which layers have a row.
    ///
    /// @param inputShape the shape of an input of the first parameter's dtype, FLOAT32 if there are no parameters
    /// @return the summary, which prints as a table
    /// @throws IllegalArgumentException if the input does not fit, naming the layer
    public final Summary summary(long... inputShape) {
        List<Tensor> parameters = parameters();
        return summary(
                parameters.isEmpty() ? DType.FLOAT32 : parameters.getFirst().dtype(), inputShape);
    }

    /// Summarises the layer as [#summary(long...)] does, for inputs of the given dtype.
    ///
    /// @param dtype the dtype of the input
    /// @param inputShape the shape of the input
    /// @return the summary, which prints as a table
    /// @throws IllegalArgumentException if the input does not fit, naming the layer
    public final Summary summary(DType dtype, long... inputShape) {
        return Summary.of(this, dtype, inputShape);
    }

    /// Summarises a call of a method of the layer's own, which has several inputs, as [#summary(long...)] summarises
    /// `forward`:
    /// ```java
    /// Summary summary = net.summary(in -> net.translate(in.get(0), in.get(1)), List.of(source, target));
    /// ```
    ///
    /// @param call computes an output from the inputs by this layer
    /// @param inputs the inputs, of which only shape and dtype matter
    /// @return the summary, which prints as a table
    /// @throws IllegalArgumentException if the inputs do not fit, naming the layer
    public final Summary summary(Function<List<Tensor>, Tensor> call, List<Tensor> inputs) {
        try {
            return Summary.of(this, call, inputs);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    /// {@return the name of the layer, followed by its children: one line, or an indented tree}
    @Override
    public String toString() {
        if (children.isEmpty()) {
            return className() + "()";
        }
        var text = new StringBuilder(className()).append("(\n");
        children.forEach((part, layer) -> text.append("  (")
                .append(part)
                .append("): ")
                .append(layer.toString().replace("\n", "\n  "))
                .append('\n'));
        return text.append(')').toString();
    }

    /// Returns the name of the class without its package; an anonymous class has no simple name.
    final String className() {
        String name = getClass().getSimpleName();
        return name.isEmpty() ? getClass().getName().replaceFirst(".*\\.", "") : name;
    }

    /// Throws unless the dtype is floating, as parameters must be.
    final void requireFloating(DType dtype) {
        if (!dtype.isFloating()) {
            throw new IllegalArgumentException(
                    className() + ": parameters cannot be " + dtype + "; use FLOAT32, FLOAT64 or BFLOAT16");
        }
    }

    /// Returns a setting for each of the axes, which are as many as the values, or share one of them.
    final long[] perAxis(String setting, int axes, long least, long... values) {
        boolean fits = values.length == 1 || values.length == axes;
        if (!fits || Arrays.stream(values).anyMatch(value -> value < least || value > Integer.MAX_VALUE)) {
            throw new IllegalArgumentException(className() + ": " + setting + " " + Arrays.toString(values)
                    + " is out of range; give one number" + (axes == 1 ? "" : " for all axes or " + axes)
                    + ", from " + least + " to " + Integer.MAX_VALUE);
        }
        settingChanged();
        long[] each = new long[axes];
        Arrays.setAll(each, axis -> values[values.length == 1 ? 0 : axis]);
        return each;
    }

    /// Returns whether this layer only changes how another one runs.
    final boolean isWrapper() {
        return children.containsKey("");
    }

    /// Registers a parameter.
    ///
    /// @param name its name within this layer, without dots
    /// @param tensor the parameter; it tracks gradients from now on
    /// @return the tensor
    /// @throws IllegalArgumentException if the name is taken, empty or has a dot
    protected final Tensor parameter(String name, Tensor tensor) {
        requireFree(name);
        parameters.put(name, tensor.trackGradient());
        return tensor;
    }

    /// Registers a tensor that is saved with the parameters but not trained: a running mean, for instance.
    ///
    /// @param name its name within this layer, without dots
    /// @param tensor the buffer
    /// @return the tensor
    /// @throws IllegalArgumentException if the name is taken, empty or has a dot
    protected final Tensor buffer(String name, Tensor tensor) {
        requireFree(name);
        buffers.put(name, tensor);
        return tensor;
    }

    /// Registers a child layer.
    ///
    /// @param <M> the type of the child
    /// @param name its name within this layer, without dots
    /// @param layer the child
    /// @return the child
    /// @throws IllegalArgumentException if the name is taken, empty or has a dot
    protected final <M extends Layer> M child(String name, M layer) {
        requireFree(name);
        children.put(name, layer);
        return layer;
    }

    /// Registers the only child of a wrapper, which adds nothing to the names of its parameters.
    final <M extends Layer> M wrapped(M layer) {
        children.put("", layer);
        return layer;
    }

    private void requireFree(String name) {
        boolean taken = parameters.containsKey(name) || buffers.containsKey(name) || children.containsKey(name);
        if (name.isEmpty() || name.contains(".") || taken) {
            throw new IllegalArgumentException(
                    className() + ": \"" + name + "\" is taken, empty or has a dot; choose another name");
        }
        settingChanged();
    }

    /// {@return the parameters of this layer and its children, each once, in the order of registration}
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

    /// {@return a new map of every parameter by its path, `0.weight` for instance, in the order of registration}
    public final Map<String, Tensor> namedParameters() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        visit("", (path, layer) -> layer.parameters.forEach((name, tensor) -> named.put(path + name, tensor)));
        return named;
    }

    /// {@return a new map of every buffer by its path, `1.running_mean` for instance, in the order of registration}
    public final Map<String, Tensor> namedBuffers() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        visit("", (path, layer) -> layer.buffers.forEach((name, tensor) -> named.put(path + name, tensor)));
        return named;
    }

    /// Visits this layer and its children, each with the path that the names of its tensors begin with.
    private void visit(String path, BiConsumer<String, Layer> visitor) {
        visitor.accept(path, this);
        children.forEach((name, layer) -> layer.visit(name.isEmpty() ? path : path + name + ".", visitor));
    }

    /// Returns every parameter and buffer by its path, to be saved and later restored by [#loadStateDict(Map)].
    ///
    /// @return a new map of the tensors themselves, not of copies
    @Override
    public final Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = namedParameters();
        state.putAll(namedBuffers());
        return state;
    }

    /// Overwrites parameters and buffers with saved ones; nothing changes unless all of them fit.
    ///
    /// @param state a tensor of the same shape and dtype for each path of [#stateDict()]
    /// @throws IllegalArgumentException if it does not fit, naming every path that is missing, unknown, or of
    ///     another shape or dtype
    @Override
    public final void loadStateDict(Map<String, Tensor> state) {
        Map<String, Tensor> current = stateDict();
        Stateful.requireFits(className() + ": loadStateDict", current, state);
        current.forEach((path, tensor) -> tensor.copyFrom(state.get(path)));
    }

    /// Overwrites the parameters and buffers that a state has, and leaves the others as they are: PyTorch's
    /// `load_state_dict(state, strict=False)`, for a new head on saved layers, for instance. Nothing changes unless
    /// all tensors with a path of this layer fit.
    ///
    /// @param state tensors by path, of the shape and dtype that [#stateDict()] has for it
    /// @return the paths that the state or this layer lacks; nothing else reports them
    /// @throws IllegalArgumentException naming every path for which the state has another shape or dtype
    public final IncompatibleKeys loadMatching(Map<String, Tensor> state) {
        Map<String, Tensor> current = stateDict();
        var incompatible = IncompatibleKeys.of(current.keySet(), state.keySet());
        current.keySet().removeAll(incompatible.missing());
        Map<String, Tensor> matching = new LinkedHashMap<>(state);
        matching.keySet().removeAll(incompatible.unexpected());
        Stateful.requireFits(className() + ": loadMatching", current, matching);
        current.forEach((path, tensor) -> tensor.copyFrom(matching.get(path)));
        return incompatible;
    }

    /// Puts this layer and its children into training mode, except for those that are frozen.
    public final void train() {
        setTraining(true);
    }

    /// Puts this layer and its children into evaluation mode.
    public final void eval() {
        setTraining(false);
    }

    private void setTraining(boolean training) {
        visit("", (path, layer) -> layer.training = training && !layer.frozen);
    }

    /// Begins a region in which this layer and its children are in evaluation mode, and which ends by restoring the
    /// mode of each of them.
    ///
    /// ```java
    /// try (var mode = net.evaluating(); var inference = Autograd.noGradient()) { … }
    /// ```
    ///
    /// @return the region
    public final Region evaluating() {
        List<Layer> inTraining = new ArrayList<>();
        visit("", (path, layer) -> {
            if (layer.training) {
                inTraining.add(layer);
            }
        });
        eval();
        return () -> {
            inTraining.forEach(layer -> layer.training = !layer.frozen);
            inTraining.clear();
        };
    }

    /// Freezes this layer and its children: their parameters track no gradient, so optimizers leave them as they
    /// are, and the layers stay in evaluation mode, even when a layer around them is put into training mode. A frozen
    /// [BatchNorm1d] keeps its running statistics.
    ///
    /// ```java
    /// pretrained.freeze();
    /// var net = new Sequential(pretrained, new Linear(512, 10));
    /// var optimizer = new Adam(net.parameters(), 1e-3);
    /// ```
    ///
    /// A parameter that another layer shares is frozen for both. Freezing is not saved with the state.
    public final void freeze() {
        setFrozen(true);
        eval();
    }

    /// Reverses [#freeze()] for this layer and its children: their parameters track gradients, and the next
    /// [#train()] puts them into training mode.
    public final void unfreeze() {
        setFrozen(false);
    }

    /// Begins a region in which the batch normalizations of this layer and its children take their statistics, in
    /// training mode, over the batches of several processes:
    /// [org.toydiff.distributed.DataParallel#synchronizeBatchNorm()] does this with its processes.
    ///
    /// @param allReduce returns the sum of a FLOAT64 vector over two or more processes, which run the same layers in
    ///     the same order and modes. The sum is differentiable, and its gradient to the vector is the sum of the
    ///     gradients of all processes
    /// @return the region, whose end gives each layer the statistics of its own batch again
    /// @throws IllegalStateException if a layer is in such a region already
    public final Region synchronizeBatchNorm(UnaryOperator<Tensor> allReduce) {
        Objects.requireNonNull(allReduce, "allReduce");
        List<BatchNormLayer<?>> norms = new ArrayList<>();
        visit("", (path, layer) -> {
            if (layer instanceof BatchNormLayer<?> norm) {
                norms.add(norm);
            }
        });
        if (norms.stream().anyMatch(BatchNormLayer::isSynchronized)) {
            throw new IllegalStateException(
                    "synchronizeBatchNorm: a layer of " + className() + " is synchronized already; close that first");
        }
        norms.forEach(norm -> norm.synchronize(allReduce));
        return () -> {
            norms.forEach(norm -> norm.synchronize(null));
            norms.clear();
        };
    }

    private void setFrozen(boolean frozen) {
        visit("", (path, layer) -> {
            layer.frozen = frozen;
            layer.parameters.values().forEach(parameter -> parameter.trackGradient(!frozen));
        });
    }

    /// {@return whether this layer is frozen}
    public final boolean isFrozen() {
        return frozen;
    }

    /// {@return whether this layer is in training mode, the mode of a new layer}
    public final boolean isTraining() {
        CompiledFunction.dependOn(state);
        return training;
    }

    /// Clears the gradient of every parameter.
    public final void zeroGradients() {
        parameters().forEach(Tensor::zeroGradient);
    }
}
