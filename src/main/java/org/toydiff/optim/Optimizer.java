package org.toydiff.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.toydiff.Autograd;
import org.toydiff.MemoryPlan;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// Changes parameters in place by their gradients.
///
/// What it keeps for each parameter (momentum, moments) is made at once, in the arena that is innermost then.
/// Parameters come in groups with learning rates of their own; the constructor makes the first, [#addGroup] others.
///
/// **State** for parameter i, counted through all groups, `i.<name>` for each tensor it keeps; `steps`, the number
/// of steps of each parameter; `lr` and `weight_decay` of the groups. Other settings are the constructor's.
public abstract class Optimizer implements Stateful {
    private final List<ParameterGroup> groups = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();
    private final List<String> stateNames;

    /// What belongs to one parameter.
    private static final class Slot {
        private final ParameterGroup group;
        private final Tensor parameter;
        private final Tensor[] state;
        private long steps;

        Slot(ParameterGroup group, Tensor parameter, Tensor[] state) {
            this.group = group;
            this.parameter = parameter;
            this.state = state;
        }
    }

    /// For subclasses.
    ///
    /// @param parameters what to change; they track gradients
    /// @param lr the learning rate, 0 or more
    /// @param weightDecay the weight decay, 0 or more
    /// @param stateNames names of the tensors that are kept for each parameter, zeros at first
    /// @throws IllegalArgumentException if there are no parameters, one tracks no gradient, or a setting is
    /// negative
    protected Optimizer(List<Tensor> parameters, double lr, double weightDecay, String... stateNames) {
        this.stateNames = List.of(stateNames);
        addGroup(parameters, lr, weightDecay);
    }

    /// Adds parameters with a learning rate and a weight decay of their own.
    ///
    /// **Memory** what is kept for them is made in the innermost arena.
    ///
    /// @param parameters what to change; they track gradients, are contiguous and are in no group yet
    /// @param lr their learning rate, 0 or more
    /// @param weightDecay their weight decay, 0 or more
    /// @return the group
    /// @throws IllegalArgumentException if there are none, one tracks no gradient, is not contiguous or is in a
    ///     group, or a setting is negative
    public final ParameterGroup addGroup(List<Tensor> parameters, double lr, double weightDecay) {
        require("lr", lr, lr >= 0);
        require("weightDecay", weightDecay, weightDecay >= 0);
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException(name() + ": there are no parameters");
        }
        Set<Tensor> known = Collections.newSetFromMap(new IdentityHashMap<>());
        slots.forEach(slot -> known.add(slot.parameter));
        for (int i = 0; i < parameters.size(); i++) {
            if (!parameters.get(i).tracksGradient()) {
                throw new IllegalArgumentException(
                        name() + ": parameter " + i + " tracks no gradient; call trackGradient() on it");
            }
            if (!parameters.get(i).isContiguous()) {
                throw new IllegalArgumentException(name() + ": parameter " + i
                        + " is not contiguous; use copyTo(arena) for one that is, and track its gradient");
            }
            if (!known.add(parameters.get(i))) {
                throw new IllegalArgumentException(
                        name() + ": parameter " + i + " is given twice; each belongs to one group");
            }
        }
        var group = new ParameterGroup(parameters, lr, weightDecay);
        for (Tensor parameter : parameters) {
            Tensor[] state = new Tensor[stateNames.size()];
            Arrays.setAll(state, i -> Tensor.zerosLike(parameter));
            slots.add(new Slot(group, parameter, state));
        }
        groups.add(group);
        return group;
    }

    /// The groups.
    ///
    /// @return the groups in the order in which they were added
    public final List<ParameterGroup> groups() {
        return Collections.unmodifiableList(groups);
    }

    /// All parameters.
    ///
    /// @return those of all groups, in their order
    public final List<Tensor> parameters() {
        return slots.stream().map(slot -> slot.parameter).toList();
    }

    /// The learning rate of the first group.
    ///
    /// @return the rate of the next step
    public final double lr() {
        return groups.getFirst().lr();
    }

    private String name() {
        return getClass().getSimpleName();
    }

    /// Changes every parameter that has a gradient, by one step. The others stay as they are.
    ///
    /// All parameters are looked at before the first is changed. Should a step fail nevertheless, for want of memory
    /// say, then the exception has a suppressed one that names the parameters that are changed already.
    ///
    /// @throws IllegalStateException if the memory of a parameter, of its gradient or of its state is freed, or the
    ///     gradient was lost by a backward that failed; no parameter is changed then
    public final void step() {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            requireReady();
            for (int i = 0; i < slots.size(); i++) {
                step(i);
            }
        }
    }

    private void requireReady() {
        for (Slot slot : slots) {
            if (slot.parameter.hasGradient()) {
                Updates.require(name(), slot.parameter, slot.parameter.gradient(), slot.state);
            }
        }
    }

    private void step(int i) {
        Slot slot = slots.get(i);
        if (!slot.parameter.hasGradient()) {
            return;
        }
        try {
            update(slot.group, slot.parameter, slot.parameter.gradient(), slot.state, slot.steps + 1);
        } catch (RuntimeException | Error failure) {
            failure.addSuppressed(new IllegalStateException(name() + ": the step failed at parameter " + i + " "
                    + Arrays.toString(slot.parameter.shape()) + "; those before it are changed, those after it not"));
            throw failure;
        }
        if (!MemoryPlan.isDryRun()) {
            slot.steps++;
        }
    }

    /// Empties the gradient of every parameter.
    public final void zeroGradients() {
        for (Slot slot : slots) {
            slot.parameter.zeroGradient();
        }
    }

    /// Changes one parameter. Nothing is recorded, and tensors made here are freed at the end of the step.
    ///
    /// @param group its learning rate and weight decay
    /// @param parameter the parameter, to be changed by [org.toydiff.Updates] or [Tensor#copyFrom(Tensor)]
    /// @param gradient its gradient, not to be changed
    /// @param state what is kept for it, in the order of the names, to be changed in the same way
    /// @param step how many steps of this parameter there are with this one
    protected abstract void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step);

    @Override
    public final Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        for (int i = 0; i < slots.size(); i++) {
            for (int j = 0; j < stateNames.size(); j++) {
                state.put(i + "." + stateNames.get(j), slots.get(i).state[j]);
            }
        }
        state.put(
                "steps", Tensor.of(slots.stream().mapToLong(slot -> slot.steps).toArray()));
        state.put(
                "lr", Tensor.of(groups.stream().mapToDouble(ParameterGroup::lr).toArray()));
        state.put(
                "weight_decay",
                Tensor.of(
                        groups.stream().mapToDouble(ParameterGroup::weightDecay).toArray()));
        return state;
    }

    @Override
    public final void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Map<String, Tensor> current = stateDict();
            Stateful.requireFits(name() + ": loadStateDict", current, state);
            requireNumbers(state);
            for (Map.Entry<String, Tensor> entry : current.entrySet()) {
                entry.getValue().copyFrom(state.get(entry.getKey()));
            }
            long[] steps = current.get("steps").toLongArray();
            for (int i = 0; i < steps.length; i++) {
                slots.get(i).steps = steps[i];
            }
            double[] rates = current.get("lr").toDoubleArray();
            double[] decays = current.get("weight_decay").toDoubleArray();
            for (int i = 0; i < rates.length; i++) {
                groups.get(i).lr(rates[i]);
                groups.get(i).weightDecay(decays[i]);
            }
        }
    }

    /// Checks what shapes do not tell, before anything is changed.
    private void requireNumbers(Map<String, Tensor> state) {
        for (long steps : state.get("steps").toLongArray()) {
            require("steps", steps, steps >= 0);
        }
        for (String setting : List.of("lr", "weight_decay")) {
            for (double value : state.get(setting).toDoubleArray()) {
                require(setting, value, value >= 0);
            }
        }
    }

    /// Checks a setting.
    ///
    /// @param name its name
    /// @param value its value
    /// @param valid whether it is one
    /// @return the value
    /// @throws IllegalArgumentException if it is not valid
    protected final double require(String name, double value, boolean valid) {
        return require(name(), name, value, valid);
    }

    static double require(String owner, String name, double value, boolean valid) {
        if (!valid) {
            throw new IllegalArgumentException(owner + ": " + name + " " + value + " is out of range");
        }
        return value;
    }
}
