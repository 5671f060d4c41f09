package org.toydiff.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.toydiff.CompiledFunction;
import org.toydiff.MemoryPlan;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// Updates parameters in place by their gradients.
///
/// A constructor takes the parameters and the learning rate; the other settings have methods with PyTorch's names:
/// ```java
/// var optimizer = new SGD(net.parameters(), 0.1).momentum(0.9).nesterov().weightDecay(1e-4);
/// ```
/// A parameter without a gradient stays as it is: one that tracks none, because its layer is frozen
/// ([org.toydiff.nn.Layer#freeze()]), keeps its state for when it tracks gradients again.
///
/// Parameters form groups, each with its learning rate and weight decay; the constructor makes the first group,
/// [#addGroup] adds others.
///
/// **Memory** The state of each parameter (momentum, moments) is made by the constructor, or by the setting that
/// needs it, in the arena that is innermost then. A setting that decides which state there is must come before the
/// first step.
/// **State** for parameter i, counted through all groups, `i.<name>` for each of its state tensors; `steps`, the
/// number of steps of each parameter; `lr` and `weight_decay` of the groups. Other settings are not saved: the
/// program must make them before it loads a state.
public abstract class Optimizer implements Stateful {
    private final List<ParameterGroup> groups = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();
    private List<String> stateNames;
    private double weightDecay;
    private boolean maximizes;

    /// One object for all steps.
    private final Runnable steps = this::stepAll;

    /// Null while this process has all elements.
    private Division division;

    /// The sums of squares that a [TrustRatio] measures of all parameters, if they are divided.
    private double[] squares;

    /// A parameter with its group and state.
    private static final class Slot {
        private final ParameterGroup group;
        private final Tensor parameter;

        /// What this process updates: the parameter, or its elements of it.
        private Tensor own;

        private Tensor[] state;
        private long steps;

        /// The index of the parameter's first sum of squares, if they are divided.
        private int firstUnit;

        Slot(ParameterGroup group, Tensor parameter, Tensor[] state) {
            this.group = group;
            this.parameter = parameter;
            this.own = parameter;
            this.state = state;
        }

        int units() {
            return Math.toIntExact(Math.ceilDiv(parameter.size(), (long) Updates.UNIT));
        }
    }

    /// Creates an optimizer without weight decay, for subclasses.
    ///
    /// @param parameters the parameters to update, as for [#addGroup]; one of them at least tracks gradients
    /// @param lr the learning rate, 0 or more
    /// @param stateNames the names of the state tensors of each parameter, which start as zeros
    /// @throws IllegalArgumentException as [#addGroup]
    protected Optimizer(List<Tensor> parameters, double lr, String... stateNames) {
        this.stateNames = List.of(stateNames);
        addGroup(parameters, lr);
    }

    /// Sets the weight decay of all groups, and of groups added later.
    ///
    /// @param weightDecay the decay from the next step on, 0 or more; 0 by default, unless the constructor names
    ///     another
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public Optimizer weightDecay(double weightDecay) {
        this.weightDecay = require("weightDecay", weightDecay, weightDecay >= 0);
        groups.forEach(group -> group.weightDecay(weightDecay));
        return this;
    }

    /// Ascends: changes the parameters as if all gradients had the other sign, so that what backward began with grows.
    ///
    /// **Memory** two passes over each gradient in a step, which negate it in place and back.
    ///
    /// @return this
    public Optimizer maximize() {
        maximizes = true;
        return this;
    }

    /// Sets which state tensors each parameter has, for a setting that decides it. New ones are made in the
    /// innermost arena and start as zeros.
    ///
    /// @param setting the name of the setting, for the error
    /// @param stateNames the names of the state tensors
    /// @throws IllegalStateException if the names change after a step
    protected final void keep(String setting, String... stateNames) {
        List<String> names = List.of(stateNames);
        if (names.equals(this.stateNames)) {
            return;
        }
        if (division != null) {
            throw new IllegalStateException(name() + ": " + setting + " decides which state each parameter has, and"
                    + " the state is divided among processes; call it before that");
        }
        if (slots.stream().anyMatch(slot -> slot.steps > 0)) {
            throw new IllegalStateException(name() + ": " + setting + " decides which state each parameter has, and"
                    + " steps have been made; call it before the first step");
        }
        // All are made before the first replaces another, because the memory limit may refuse one of them.
        List<Tensor[]> states = slots.stream().map(slot -> state(names, slot)).toList();
        for (int i = 0; i < states.size(); i++) {
            slots.get(i).state = states.get(i);
        }
        this.stateNames = names;
    }

    private Tensor[] state(List<String> names, Slot slot) {
        Tensor[] state = new Tensor[names.size()];
        Arrays.setAll(state, i -> {
            int known = stateNames.indexOf(names.get(i));
            return known < 0 ? Updates.state(slot.parameter) : slot.state[known];
        });
        return state;
    }

    /// Adds a group of parameters with a learning rate.
    ///
    /// ```java
    /// optimizer.addGroup(biases, 0.1).weightDecay(0);
    /// ```
    ///
    /// **Memory** their state is made in the innermost arena.
    ///
    /// @param parameters the parameters to update, contiguous and not in a group yet; they may be frozen
    /// @param lr their learning rate, 0 or more
    /// @return the group, which has the optimizer's weight decay until its own is set
    /// @throws IllegalArgumentException if there are no parameters, none in the first group tracks gradients, one is
    ///     not contiguous, not floating or in a group already, or the rate is negative or NaN
    public final ParameterGroup addGroup(List<Tensor> parameters, double lr) {
        require("lr", lr, lr >= 0);
        if (division != null) {
            throw new IllegalStateException(
                    name() + ": addGroup: the parameters are divided among processes; add the group before");
        }
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException(name() + ": there are no parameters");
        }
        if (groups.isEmpty() && parameters.stream().noneMatch(Tensor::tracksGradient)) {
            throw new IllegalArgumentException(
                    name() + ": no parameter tracks a gradient; call trackGradient() on those"
                            + " to train, or unfreeze() their layer; frozen ones alone can be a later group");
        }
        Set<Tensor> known = Collections.newSetFromMap(new IdentityHashMap<>());
        slots.forEach(slot -> known.add(slot.parameter));
        for (int i = 0; i < parameters.size(); i++) {
            if (!parameters.get(i).dtype().isFloating()) {
                throw new IllegalArgumentException(name() + ": parameter " + i + " is "
                        + parameters.get(i).dtype() + "; parameters are FLOAT32, FLOAT64 or BFLOAT16");
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
        List<Slot> added = new ArrayList<>();
        for (Tensor parameter : parameters) {
            Tensor[] state = new Tensor[stateNames.size()];
            Arrays.setAll(state, i -> Updates.state(parameter));
            added.add(new Slot(group, parameter, state));
        }
        slots.addAll(added);
        groups.add(group);
        return group;
    }

    /// {@return an unmodifiable view of the groups, in the order in which they were added}
    public final List<ParameterGroup> groups() {
        return Collections.unmodifiableList(groups);
    }

    /// {@return the parameters of all groups, in their order}
    public final List<Tensor> parameters() {
        return slots.stream().map(slot -> slot.parameter).toList();
    }

    /// {@return the learning rate of the first group in the next step}
    public final double lr() {
        return groups.getFirst().lr();
    }

    /// {@return the names of the state tensors that each parameter has}
    public final List<String> stateNames() {
        return stateNames;
    }

    private String name() {
        return getClass().getSimpleName();
    }

    /// Updates every parameter that has a gradient by one step. The others stay as they are.
    ///
    /// A [CompiledFunction] that calls it steps in each run, with the rates and counts of that moment.
    ///
    /// All parameters are checked before the first one changes. If a step fails nevertheless, out of memory for
    /// instance, the exception has a suppressed one that names the parameters that have changed already.
    ///
    /// @throws IllegalStateException if the memory of a parameter, of its gradient or of its state is freed, or
    ///     the gradient was lost by a backward that failed; no parameter has changed then
    public final void step() {
        CompiledFunction.onEachRun("step", steps);
    }

    private void stepAll() {
        requireReady();
        if (division != null && this instanceof TrustRatio ratio) {
            measureAll(ratio);
        }
        for (int i = 0; i < slots.size(); i++) {
            step(i);
        }
    }

    private void requireReady() {
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            if (hasGradient(i)) {
                Updates.require(name(), slot.own, gradient(i), slot.state);
            }
        }
    }

    private boolean hasGradient(int i) {
        return division == null ? slots.get(i).parameter.hasGradient() : division.gradient(i) != null;
    }

    private Tensor gradient(int i) {
        return division == null ? slots.get(i).parameter.gradient() : division.gradient(i);
    }

    /// Measures the squares of all parameters, so that one exchange serves them.
    private void measureAll(TrustRatio ratio) {
        Arrays.fill(squares, 0);
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            if (hasGradient(i) && slot.own.size() > 0) {
                int at = slot.firstUnit + (int) (division.from(i) / Updates.UNIT);
                negateIfMaximizing(i);
                try {
                    ratio.measure(slot.group, slot.own, gradient(i), slot.state, slot.steps + 1, squares, at);
                } finally {
                    negateIfMaximizing(i);
                }
            }
        }
        division.sum(squares);
    }

    private void step(int i) {
        Slot slot = slots.get(i);
        if (!hasGradient(i)) {
            return;
        }
        try {
            update(i);
        } catch (RuntimeException | Error failure) {
            failure.addSuppressed(new IllegalStateException(name() + ": the step failed at parameter " + i + " "
                    + Arrays.toString(slot.parameter.shape()) + "; those before it are changed, those after it not"));
            throw failure;
        }
        if (!MemoryPlan.isDryRun()) {
            slot.steps++;
        }
    }

    private void update(int i) {
        if (slots.get(i).own.size() == 0) {
            return;
        }
        negateIfMaximizing(i);
        try {
            updateByGradient(i);
        } finally {
            negateIfMaximizing(i);
        }
    }

    private void negateIfMaximizing(int i) {
        if (maximizes) {
            Updates.scale(gradient(i), -1);
        }
    }

    private void updateByGradient(int i) {
        Slot slot = slots.get(i);
        if (division != null && this instanceof TrustRatio ratio) {
            double norm = Updates.norm(squares, slot.firstUnit, slot.units());
            double parameterNorm = Updates.norm(slot.parameter);
            ratio.update(slot.group, slot.own, gradient(i), slot.state, slot.steps + 1, parameterNorm, norm);
        } else {
            update(slot.group, slot.own, gradient(i), slot.state, slot.steps + 1);
        }
    }

    /// Divides the state among processes: from now on each steps with its own elements of every parameter, and has
    /// their state alone. What the state was until now is kept. The other processes' elements of the parameters are
    /// not changed by a step; who calls this collects them.
    ///
    /// **Memory** the state of this process's elements is made in the innermost arena; then that of all elements is
    /// freed.
    ///
    /// @param division the division, by which groups and settings that decide the state are fixed
    /// @throws IllegalStateException if the state is divided already
    /// @throws IllegalArgumentException if a step of this optimizer needs more than the elements it changes, see
    ///     [#isElementwise()]
    /// @throws org.toydiff.MemoryLimitException if a limit would be passed; nothing has changed then
    public final void divide(Division division) {
        if (this.division != null) {
            throw new IllegalStateException(name() + ": divide: the state is divided already; make a new optimizer");
        }
        if (!isElementwise() && !(this instanceof TrustRatio)) {
            throw new IllegalArgumentException(name() + ": divide: a step of this optimizer may need all elements of a"
                    + " parameter; if it does not, override isElementwise() to return true");
        }
        // All are made before the first replaces another, because the memory limit may refuse one of them.
        List<Tensor[]> states = ownStates(division);
        int units = 0;
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            slot.own = elements(slot.parameter, division.from(i), division.to(i));
            free(slot.state);
            slot.state = states.get(i);
            slot.firstUnit = units;
            units = Math.addExact(units, slot.units());
        }
        squares = new double[this instanceof TrustRatio ? units : 0];
        this.division = division;
    }

    /// Ends a division: every process has the state of all elements again, and steps by itself. Every process calls
    /// this.
    ///
    /// **Memory** the state of all elements is made in the innermost arena, and that of this process's elements is
    /// freed.
    ///
    /// @throws IllegalStateException if the state is not divided
    /// @throws org.toydiff.MemoryLimitException if a limit would be passed; a later call continues from there
    public final void unite() {
        if (division == null) {
            throw new IllegalStateException(name() + ": unite: the state is not divided");
        }
        for (int i = 0; i < slots.size(); i++) {
            // Those with all elements were united by an earlier call that failed later.
            if (slots.get(i).own != slots.get(i).parameter) {
                unite(slots.get(i), i);
            }
        }
        division = null;
    }

    private void unite(Slot slot, int i) {
        Tensor[] all = new Tensor[slot.state.length];
        try {
            for (int j = 0; j < all.length; j++) {
                all[j] = Updates.state(slot.parameter);
                try (var scratch = TensorArena.ofConfined()) {
                    all[j].copyFrom(division.whole(i, slot.state[j]));
                }
            }
        } catch (RuntimeException | Error e) {
            free(all);
            throw e;
        }
        free(slot.state);
        slot.state = all;
        slot.own = slot.parameter;
    }

    /// Copies the state of this process's elements of every parameter, or leaves no copy.
    private List<Tensor[]> ownStates(Division division) {
        List<Tensor[]> states = new ArrayList<>();
        try {
            for (int i = 0; i < slots.size(); i++) {
                Tensor[] all = slots.get(i).state;
                Tensor[] own = new Tensor[all.length];
                states.add(own);
                for (int j = 0; j < all.length; j++) {
                    Tensor part = elements(all[j], division.from(i), division.to(i));
                    own[j] = Updates.state(part).copyFrom(part);
                }
            }
        } catch (RuntimeException | Error e) {
            states.forEach(Optimizer::free);
            throw e;
        }
        return states;
    }

    /// Frees tensors by [Updates#state], null for those that were not made.
    private static void free(Tensor... tensors) {
        try (var freed = TensorArena.ofConfined()) {
            for (Tensor tensor : tensors) {
                if (tensor != null) {
                    tensor.moveTo(freed);
                }
            }
        }
    }

    private static Tensor elements(Tensor tensor, long from, long to) {
        return tensor.detach().reshape(tensor.size()).slice(0, from, to);
    }

    /// {@return whether a step changes each element by its own value, gradient and state alone, and by settings: then
    /// the elements of a parameter can be divided among processes} False here; a subclass whose steps are so overrides
    /// it.
    protected boolean isElementwise() {
        return false;
    }

    /// Clears the gradient of every parameter.
    public final void zeroGradients() {
        for (int i = 0; i < slots.size(); i++) {
            slots.get(i).parameter.zeroGradient();
        }
    }

    /// Updates one parameter. Nothing is recorded, and tensors made here are freed at the end of the step.
    ///
    /// @param group the parameter's group, with its learning rate and weight decay
    /// @param parameter the parameter, to be modified by [org.toydiff.Updates] or [Tensor#copyFrom(Tensor)]
    /// @param gradient its gradient; not to be modified
    /// @param state its state tensors, in the order of the names, to be modified in the same way
    /// @param step the number of this parameter's steps, this one included
    protected abstract void update(ParameterGroup group, Tensor parameter, Tensor gradient, Tensor[] state, long step);

    @Override
    public final Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        for (int i = 0; i < slots.size(); i++) {
            for (int j = 0; j < stateNames.size(); j++) {
                Tensor own = slots.get(i).state[j];
                state.put(i + "." + stateNames.get(j), division == null ? own : division.whole(i, own));
            }
        }
        putNumbers(state);
        return state;
    }

    private void putNumbers(Map<String, Tensor> state) {
        state.put(
                "steps", Tensor.of(slots.stream().mapToLong(slot -> slot.steps).toArray()));
        state.put(
                "lr", Tensor.of(groups.stream().mapToDouble(ParameterGroup::lr).toArray()));
        state.put(
                "weight_decay",
                Tensor.of(
                        groups.stream().mapToDouble(ParameterGroup::weightDecay).toArray()));
    }

    @Override
    public final void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits(name() + ": loadStateDict", shapes(), state);
            requireNumbers(state);
            for (int i = 0; i < slots.size(); i++) {
                load(i, state);
            }
            long[] steps = state.get("steps").toLongArray();
            for (int i = 0; i < steps.length; i++) {
                slots.get(i).steps = steps[i];
            }
            double[] rates = state.get("lr").toDoubleArray();
            double[] decays = state.get("weight_decay").toDoubleArray();
            for (int i = 0; i < rates.length; i++) {
                groups.get(i).lr(rates[i]);
                groups.get(i).weightDecay(decays[i]);
            }
        }
    }

    private void load(int i, Map<String, Tensor> state) {
        Slot slot = slots.get(i);
        for (int j = 0; j < stateNames.size(); j++) {
            Tensor saved = state.get(i + "." + stateNames.get(j));
            slot.state[j].copyFrom(division == null ? saved : elements(saved, division.from(i), division.to(i)));
        }
    }

    /// Returns tensors of the shapes and dtypes of the state of all elements, without memory for elements.
    private Map<String, Tensor> shapes() {
        Map<String, Tensor> shapes = new LinkedHashMap<>();
        for (int i = 0; i < slots.size(); i++) {
            Tensor parameter = slots.get(i).parameter;
            Tensor like = Tensor.zeros(parameter.dtype()).broadcastTo(parameter.shape());
            for (String name : stateNames) {
                shapes.put(i + "." + name, like);
            }
        }
        putNumbers(shapes);
        return shapes;
    }

    /// Checks the numbers of a state whose shapes fit, before anything changes.
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
    /// @param name the name of the setting
    /// @param value its value
    /// @param valid whether the value is in range
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
