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
/// **Others that change rates** A rate that something else set since (another scheduler, a [ReduceOnPlateau], the
/// program) is taken for this schedule's rate of another base, and goes on from there, as PyTorch's chained
/// schedulers change the current rate: two schedules multiply, and a plateau's reduction lasts. A group that was
/// added meanwhile joins in the same way. For that a schedule is to be linear in the base, `a·base + b`, as all of
/// [Schedule] are; while `a` is 0 no rate tells a base, and the one that the group has stays, or for a group that
/// joins is its rate. OneCycleLR and LambdaLR differ deliberately from this: in PyTorch they overwrite whatever is
/// there.
///
/// **State** `step`; for each group `base`, and `lr`, its current rate.
public final class Scheduler implements Stateful {
    private final Optimizer optimizer;
    private final Schedule schedule;
    private long step;

    // For each group that has joined.
    private double[] base = {};
    private double[] lr = {};

    /// Sets the rates of the first step at once.
    ///
    /// @param optimizer whose groups' rates are taken for base rates
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

    /// Sets the rates of the next step; to be called after the optimizer's. In a [MemoryPlan#dryRun(Runnable)] it does
    /// nothing.
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

    /// Makes bases and rates those of the groups as they are now. One that nobody touched keeps its base, to the bit.
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

    /// The base that a rate of this step comes from, or another if that is not to be told.
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

    /// Goes on from a saved step; the optimizer's rates are those of that moment then.
    ///
    /// @throws IllegalArgumentException if there are more or fewer groups, or a number is out of range
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
