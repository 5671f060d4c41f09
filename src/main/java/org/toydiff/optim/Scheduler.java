package org.toydiff.optim;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.MemoryPlan;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Sets the learning rates of an optimizer's groups by a schedule.
///
/// **Others that change rates** If something else has changed a rate (another scheduler, a [ReduceOnPlateau], the
/// program), this schedule continues from the changed rate, by the base rate that would have led to it, as
/// PyTorch's chained schedulers change the current rate: two schedules multiply, and a plateau's reduction lasts.
/// A group that was added later joins in the same way. This requires a schedule that is linear in the base rate,
/// `a·base + b`, as all of [Schedule] are. While `a` is 0, no base rate can be derived: a group keeps the one it
/// has, and a group that joins takes its current rate. OneCycleLR and LambdaLR differ deliberately: PyTorch's
/// overwrite the current rate.
///
/// **State** `step`; for each group `base`, and `lr`, its current rate.
public final class Scheduler implements Stateful {
    private final Optimizer optimizer;
    private final Schedule schedule;
    private long step;

    // For each group that has joined.
    private double[] base = {};
    private double[] lr = {};

    /// Creates a scheduler and sets the rates of the first step at once.
    ///
    /// @param optimizer the optimizer, whose groups' current rates become their base rates
    /// @param schedule the schedule
    public Scheduler(Optimizer optimizer, Schedule schedule) {
        this.optimizer = optimizer;
        this.schedule = schedule;
        this.base = rates();
        apply();
    }

    private double[] rates() {
        return optimizer.groups().stream().mapToDouble(ParameterGroup::lr).toArray();
    }

    /// Sets the rates of the next step; call it after the optimizer's step. Does nothing in a
    /// [MemoryPlan#dryRun(Runnable)].
    public void step() {
        if (MemoryPlan.isDryRun()) {
            return;
        }
        follow();
        step++;
        apply();
    }

    private void apply() {
        List<ParameterGroup> groups = optimizer.groups();
        lr = new double[groups.size()];
        for (int i = 0; i < lr.length; i++) {
            lr[i] = schedule.rate(base[i], step);
            groups.get(i).lr(lr[i]);
        }
    }

    /// Updates base rates and rates to those of the groups. A group whose rate has not been changed keeps its
    /// base rate, to the bit.
    private void follow() {
        double[] now = rates();
        double[] bases = Arrays.copyOf(base, now.length);
        for (int i = 0; i < now.length; i++) {
            if (i >= lr.length) {
                bases[i] = base(now[i], now[i]);
            } else if (now[i] != lr[i]) {
                bases[i] = base(now[i], base[i]);
            }
        }
        base = bases;
        lr = now;
    }

    /// Returns the base rate that leads to a rate at this step, or `otherwise` if it cannot be derived.
    private double base(double rate, double otherwise) {
        double ofZero = schedule.rate(0, step);
        double slope = schedule.rate(1, step) - ofZero;
        return slope == 0 ? otherwise : (rate - ofZero) / slope;
    }

    @Override
    public Map<String, Tensor> stateDict() {
        follow();
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("step", Tensor.of(new long[] {step}));
        state.put("base", Tensor.of(base));
        state.put("lr", Tensor.of(lr));
        return state;
    }

    /// Continues from a saved step and sets the optimizer's rates to those of that moment.
    ///
    /// @throws IllegalArgumentException if the number of groups differs, or a number is out of range
    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits("Scheduler: loadStateDict", stateDict(), state);
        }
        long saved = state.get("step").toLongArray()[0];
        Optimizer.require("Scheduler", "step", saved, saved >= 0);
        double[] rates = state.get("lr").toDoubleArray();
        for (double rate : rates) {
            Optimizer.require("Scheduler", "lr", rate, rate >= 0);
        }
        step = saved;
        base = state.get("base").toDoubleArray();
        lr = rates;
        for (int i = 0; i < lr.length; i++) {
            optimizer.groups().get(i).lr(lr[i]);
        }
    }
}
