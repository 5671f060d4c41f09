package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.toydiff.DType;
import org.toydiff.Stateful;
import org.toydiff.Tensor;

/// A function with parameters, and the base of every layer.
///
/// A subclass registers what it is made of, once, in its constructor:
/// ```java
/// final class Scale extends Module {
///     private final Tensor factor = parameter("factor", Tensor.ones(1));
///
///     @Override
///     public Tensor forward(Tensor x) {
///         return x.multiply(factor);
///     }
/// }
/// ```
public abstract class Module implements Stateful {
    private final Map<String, Tensor> own = new LinkedHashMap<>();
    private final Map<String, Tensor> buffers = new LinkedHashMap<>();
    private final Map<String, Module> children = new LinkedHashMap<>();
    private boolean training = true;

    /// For subclasses.
    protected Module() {}

    /// The output for an input.
    ///
    /// @param x the input
    /// @return the output, in the innermost arena
    public abstract Tensor forward(Tensor x);

    /// The output of a part for an input. When an op in it does not fit the input, the error names the part and its
    /// path, so this is how a module calls what it is made of.
    ///
    /// @param part a part that was registered by [#child(String, Module)]
    /// @param x the input
    /// @return the output
    /// @throws IllegalArgumentException if the input does not fit, naming the part
    protected final Tensor forward(Module part, Tensor x) {
        return named(part, () -> {
            Tensor y = part.forward(x);
            Summary.note(part, y);
            return y;
        });
    }

    /// As [#forward(Module, Tensor)], for what a part computes otherwise.
    final Tensor named(Module part, Supplier<Tensor> output) {
        String name = nameOf(part);
        try {
            return Summary.within(name, output);
        } catch (PartException e) {
            throw name.isEmpty() ? e : new PartException(name + "." + e.path, e.part, e.getCause());
        } catch (IllegalArgumentException e) {
            throw new PartException(name, part.toString(), e);
        }
    }

    private String nameOf(Module part) {
        for (Map.Entry<String, Module> child : children.entrySet()) {
            if (child.getValue() == part) {
                return child.getKey();
            }
        }
        throw new IllegalStateException(
                getClass().getSimpleName() + ": " + part + " is none of its parts; register it by child(name, module)");
    }

    /// An input that did not fit, and where.
    private static final class PartException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;
        private final String path;
        private final String part;

        PartException(String path, String part, Throwable cause) {
            super(part + (path.isEmpty() ? "" : " at \"" + path + "\"") + ": " + cause.getMessage(), cause);
            this.path = path;
            this.part = part;
        }
    }

    /// The layers that an input passes through, with output shapes, parameters and bytes. Nothing is computed: the
    /// module is run on shapes alone.
    ///
    /// @param inputShape the shape of a FLOAT32 input
    /// @return the summary, which prints as a table
    /// @throws IllegalArgumentException if the input does not fit, naming the layer
    public final Summary summary(long... inputShape) {
        return Summary.of(this, DType.FLOAT32, inputShape);
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
        children.forEach((part, module) -> text.append("  (")
                .append(part)
                .append("): ")
                .append(module.toString().replace("\n", "\n  "))
                .append('\n'));
        return text.append(')').toString();
    }

    /// Whether it is made of other modules.
    final boolean hasParts() {
        return !children.isEmpty();
    }

    /// Registers a parameter.
    ///
    /// @param name its name within this module, without dots
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
    /// @param name its name within this module, without dots
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
    /// @param name its name within this module, without dots
    /// @param module the part
    /// @return the part
    /// @throws IllegalArgumentException if the name is taken or has a dot
    protected final <M extends Module> M child(String name, M module) {
        requireFree(name);
        children.put(name, module);
        return module;
    }

    /// Registers the only part of a module that adds nothing to the names of its parameters.
    final <M extends Module> M whole(M module) {
        children.put("", module);
        return module;
    }

    private void requireFree(String name) {
        boolean taken = own.containsKey(name) || buffers.containsKey(name) || children.containsKey(name);
        if (name.isEmpty() || name.contains(".") || taken) {
            throw new IllegalArgumentException(getClass().getSimpleName() + ": \"" + name
                    + "\" is taken, empty or has a dot; choose another name");
        }
    }

    /// Every parameter of this module and its parts, each once.
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
        visit("", (path, module) -> module.own.forEach((name, tensor) -> named.put(path + name, tensor)));
        return named;
    }

    /// Every buffer under its path, `1.running_mean` for instance.
    ///
    /// @return a map in the order of registration
    public final Map<String, Tensor> namedBuffers() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        visit("", (path, module) -> module.buffers.forEach((name, tensor) -> named.put(path + name, tensor)));
        return named;
    }

    /// Visits this module and its parts, each with the path that its tensors' names begin with.
    private void visit(String path, BiConsumer<String, Module> visitor) {
        visitor.accept(path, this);
        children.forEach((name, module) -> module.visit(name.isEmpty() ? path : path + name + ".", visitor));
    }

    /// What must be saved to make this module anew: every parameter and buffer under its path.
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
        List<String> problems = new ArrayList<>();
        for (String name : current.keySet()) {
            if (!state.containsKey(name)) {
                problems.add(name + " is missing");
            } else if (!fits(current.get(name), state.get(name))) {
                problems.add(name + " is " + describe(state.get(name)) + " and not " + describe(current.get(name)));
            }
        }
        Set<String> unknown = new LinkedHashSet<>(state.keySet());
        unknown.removeAll(current.keySet());
        unknown.forEach(name -> problems.add(name + " is unknown"));
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("loadStateDict: " + String.join("; ", problems));
        }
        current.forEach((name, tensor) -> tensor.copyFrom(state.get(name)));
    }

    private static boolean fits(Tensor a, Tensor b) {
        return a.dtype() == b.dtype() && Arrays.equals(a.shape(), b.shape());
    }

    private static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }

    /// Sets this module and its parts to training.
    public final void train() {
        setTraining(true);
    }

    /// Sets this module and its parts to evaluation.
    public final void eval() {
        setTraining(false);
    }

    private void setTraining(boolean training) {
        this.training = training;
        children.values().forEach(module -> module.setTraining(training));
    }

    /// Whether this module is set to training, as it is when made.
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
