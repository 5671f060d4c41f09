package org.toydiff.optim;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.toydiff.CompiledFunction;
import org.toydiff.MemoryPlan;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Sets the learning rates of an optimizer's groups by a schedule, or by several chained ones.
///
/// **Others that change rates** If something else has changed a rate (another scheduler, a [ReduceOnPlateau], the
/// program), this schedule continues from the changed rate, by the base rate that would have led to it, as
/// PyTorch's chained schedulers change the current rate: two schedules multiply, and a plateau's reduction lasts.
/// A group that was added later joins in the same way. This requires a schedule that is linear in the base rate,
/// `a·base + b`, as all of [Schedule] are. While `a` is 0, no base rate can be derived: a group keeps the one it
/// has, and a group that joins takes its current rate. OneCycleLR, LambdaLR and the milestones of SequentialLR differ
/// deliberately: PyTorch's overwrite the current rate.
///
/// **State** `step`; `base`, for each schedule the base rate of each group; `lr`, the current rate of each group.
public final class Scheduler implements Stateful {
    /// A view, which grows.
    private final List<ParameterGroup> groups;

    private final List<Link> chain;
    private long step;

    /// A schedule of the chain, with the rates of the groups that have joined.
    private static final class Link {
        private final Schedule schedule;
        private double[] base = {};
        private double[] lr = {};

        Link(Schedule schedule) {
            this.schedule = schedule;
        }

        /// Sets the rates of a step, which [#follow] has made room for.
        void apply(List<ParameterGroup> groups, long step) {
            for (int i = 0; i < lr.length; i++) {
                lr[i] = schedule.rate(base[i], step);
                groups.get(i).lr(lr[i]);
            }
        }

        /// Updates base rates and rates to those of the groups. A group whose rate has not been changed keeps its
        /// base rate, to the bit.
        void follow(List<ParameterGroup> groups, long step) {
            int known = lr.length;
            if (known < groups.size()) {
                base = Arrays.copyOf(base, groups.size());
                lr = Arrays.copyOf(lr, groups.size());
            }
            for (int i = 0; i < lr.length; i++) {
                double now = groups.get(i).lr();
                if (i >= known) {
                    base[i] = base(now, now, step);
                } else if (now != lr[i]) {
                    base[i] = base(now, base[i], step);
                }
                lr[i] = now;
            }
        }

        /// Returns the base rate that leads to a rate at a step, or `otherwise` if it cannot be derived.
        private double base(double rate, double otherwise, long step) {
            double ofZero = schedule.rate(0, step);
            double slope = schedule.rate(1, step) - ofZero;
            return slope == 0 ? otherwise : (rate - ofZero) / slope;
        }
    }

    /// Creates a scheduler and sets the rates of the first step at once.
    ///
    /// @param optimizer the optimizer, whose groups' current rates become their base rates
    /// @param schedule the schedule
    public Scheduler(Optimizer optimizer, Schedule schedule) {
        this(optimizer, new Schedule[] {schedule});
    }

    private Scheduler(Optimizer optimizer, Schedule[] schedules) {
        this.groups = optimizer.groups();
        this.chain = Stream.of(schedules).map(Link::new).toList();
        for (Link link : chain) {
            link.base = rates();
            link.lr = rates();
            link.apply(groups, step);
        }
    }

    /// Creates a scheduler that applies several schedules in each step, as PyTorch's ChainedScheduler: each changes
    /// the rate that the one before it has set, so factors multiply. As many schedulers of one schedule each do the
    /// same.
    ///
    /// ```java
    /// Scheduler.chained(optimizer, Schedule.linear(0.1, 1, 10), Schedule.step(30, 0.1));
    /// ```
    ///
    /// @param optimizer the optimizer, whose groups' current rates become their base rates
    /// @param schedules the schedules, one or more, in the order in which they are applied
    /// @return the scheduler; the rates of the first step are set
    /// @throws IllegalArgumentException if there is no schedule
    public static Scheduler chained(Optimizer optimizer, Schedule... schedules) {
        if (schedules.length == 0) {
            throw new IllegalArgumentException("Scheduler: chained: there are no schedules; give at least one");
        }
        return new Scheduler(optimizer, schedules);
    }

    private double[] rates() {
        return groups.stream().mapToDouble(ParameterGroup::lr).toArray();
    }

    /// Sets the rates of the next step; call it after the optimizer's step. Does nothing in a
    /// [MemoryPlan#dryRun(Runnable)].
    public void step() {
        if (!MemoryPlan.isDryRun()) {
            CompiledFunction.onEachRun("schedule", this::advance);
        }
    }

    private void advance() {
        for (int i = 0; i < chain.size(); i++) {
            chain.get(i).follow(groups, step);
            chain.get(i).apply(groups, step + 1);
        }
        step++;
    }

    @Override
    public Map<String, Tensor> stateDict() {
        chain.forEach(link -> link.follow(groups, step));
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("step", Tensor.of(new long[] {step}));
        state.put(
                "base",
                Tensor.of(chain.stream()
                        .flatMapToDouble(link -> Arrays.stream(link.base))
                        .toArray()));
        state.put("lr", Tensor.of(rates()));
        return state;
    }

    /// Continues from a saved step and sets the optimizer's rates to those of that moment.
    ///
    /// @throws IllegalArgumentException if the number of groups or of schedules differs, or a number is out of range
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
        double[] bases = state.get("base").toDoubleArray();
        for (int i = 0; i < chain.size(); i++) {
            chain.get(i).base = Arrays.copyOfRange(bases, i * rates.length, (i + 1) * rates.length);
            chain.get(i).lr = rates.clone();
        }
        for (int i = 0; i < rates.length; i++) {
            groups.get(i).lr(rates[i]);
        }
    }
}
