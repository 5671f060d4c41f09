package org.toydiff.optim;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Changes parameters in place by their gradients.
public abstract class Optimizer {
    private final List<Tensor> parameters;

    /// For subclasses.
    ///
    /// @param parameters what to change; they track gradients
    /// @throws IllegalArgumentException if there are none, or one tracks no gradient
    protected Optimizer(List<Tensor> parameters) {
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException(name() + ": there are no parameters");
        }
        for (int i = 0; i < parameters.size(); i++) {
            if (!parameters.get(i).tracksGradient()) {
                throw new IllegalArgumentException(
                        name() + ": parameter " + i + " tracks no gradient; call trackGradient() on it");
            }
        }
        this.parameters = List.copyOf(parameters);
    }

    private String name() {
        return getClass().getSimpleName();
    }

    /// Changes every parameter that has a gradient, by one step. The others stay as they are.
    public void step() {
        beginStep();
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            for (int i = 0; i < parameters.size(); i++) {
                Tensor parameter = parameters.get(i);
                if (parameter.hasGradient()) {
                    update(i, parameter, parameter.gradient());
                }
            }
        }
    }

    /// Empties the gradient of every parameter.
    public void zeroGradients() {
        parameters.forEach(Tensor::zeroGradient);
    }

    /// Called once at the beginning of every step.
    protected void beginStep() {}

    /// Changes one parameter. Nothing is recorded, and tensors made here are freed at the end of the step.
    ///
    /// @param index which one
    /// @param parameter the parameter, to be changed by [Tensor#copyFrom(Tensor)]
    /// @param gradient its gradient, not to be changed
    protected abstract void update(int index, Tensor parameter, Tensor gradient);

    /// Zeros like each parameter, in the innermost arena.
    ///
    /// @return one tensor for each parameter
    protected final List<Tensor> zerosLikeParameters() {
        List<Tensor> zeros = new ArrayList<>(parameters.size());
        parameters.forEach(parameter -> zeros.add(Tensor.zerosLike(parameter)));
        return zeros;
    }

    /// Checks a setting.
    ///
    /// @param name its name
    /// @param value its value
    /// @param valid whether it is one
    /// @return the value
    /// @throws IllegalArgumentException if it is not valid
    protected final double require(String name, double value, boolean valid) {
        if (!valid) {
            throw new IllegalArgumentException(name() + ": " + name + " " + value + " is out of range");
        }
        return value;
    }
}
