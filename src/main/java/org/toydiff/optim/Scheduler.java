package org.toydiff.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Sets the learning rates of an optimizer's groups by a schedule.
///
/// **State** `step`, and `base`: the rates that the groups had at first.
public final class Scheduler implements Stateful {
    private final Optimizer optimizer;
    private final Schedule schedule;
    private double[] base;
    private long step;

    /// Sets the rates of the first step at once.
    ///
    /// @param optimizer whose groups' rates are taken for base rates
    /// @param schedule the schedule
    public Scheduler(Optimizer optimizer, Schedule schedule) {
        this.optimizer = optimizer;
        this.schedule = schedule;
        this.base = optimizer.groups().stream().mapToDouble(ParameterGroup::lr).toArray();
        apply();
    }

    /// Sets the rates of the next step; to be called after the optimizer's.
    public void step() {
        step++;
        apply();
    }

    private void apply() {
        for (int i = 0; i < base.length; i++) {
            optimizer.groups().get(i).lr(schedule.rate(base[i], step));
        }
    }

    @Override
    public Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("step", Tensor.of(new long[] {step}));
        state.put("base", Tensor.of(base));
        return state;
    }

    /// Goes on from a saved step; the optimizer's rates are those of that step then.
    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Optimizer.requireFits("Scheduler", stateDict(), state);
        }
        step = state.get("step").toLongArray()[0];
        base = state.get("base").toDoubleArray();
        apply();
    }
}
