package org.toydiff.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.toydiff.CompiledFunction;
import org.toydiff.MemoryPlan;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Lowers the learning rates when a metric, the smaller the better, stops improving, as PyTorch's
/// ReduceLROnPlateau.
///
/// ```java
/// var plateau = new ReduceOnPlateau(optimizer, 0.5, 3).threshold(1e-3).cooldown(2).minLr(1e-6);
/// ```
///
/// It multiplies the current rates of the groups; a [Scheduler] of the same optimizer continues from them. One
/// difference from PyTorch is deliberate: a relative threshold is relative to the *absolute value* of the best
/// metric. PyTorch multiplies the best by `1 − threshold`, and so takes a negative metric that became slightly
/// worse for an improvement.
///
/// **State** `best`, the best metric; `waited`, the number of steps since it improved; `cooling`, the number of
/// steps left of a cooldown. The settings are not saved.
public final class ReduceOnPlateau implements Stateful {
    private final Optimizer optimizer;
    private final double factor;
    private final int patience;
    private double threshold = 1e-4;
    private boolean relative = true;
    private int cooldown;
    private double minLr;
    private double epsilon = 1e-8;

    private double best = Double.POSITIVE_INFINITY;
    private long waited;
    private long cooling;

    /// Creates a scheduler that waits for a metric to stop improving; the methods below change its settings.
    ///
    /// @param optimizer the optimizer whose rates are lowered
    /// @param factor the factor of a reduction, in [0, 1)
    /// @param patience the number of steps without improvement before a reduction, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public ReduceOnPlateau(Optimizer optimizer, double factor, int patience) {
        this.optimizer = optimizer;
        this.factor = require("factor", factor, factor >= 0 && factor < 1);
        this.patience = (int) require("patience", patience, patience >= 0);
    }

    private static double require(String name, double value, boolean valid) {
        return Optimizer.require("ReduceOnPlateau", name, value, valid);
    }

    /// Sets the least improvement that counts, relative to the best metric: `metric < best − share·|best|`.
    ///
    /// @param share 0 or more; 1e-4 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or not finite
    public ReduceOnPlateau threshold(double share) {
        threshold = require("threshold", share, share >= 0 && Double.isFinite(share));
        relative = true;
        return this;
    }

    /// Sets the least improvement that counts, in the metric's units: `metric < best − difference`.
    ///
    /// @param difference 0 or more
    /// @return this
    /// @throws IllegalArgumentException if it is negative or not finite
    public ReduceOnPlateau absoluteThreshold(double difference) {
        threshold = require("absoluteThreshold", difference, difference >= 0 && Double.isFinite(difference));
        relative = false;
        return this;
    }

    /// Sets the number of steps after a reduction that do not count against the patience.
    ///
    /// @param steps 0 or more; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative
    public ReduceOnPlateau cooldown(int steps) {
        cooldown = (int) require("cooldown", steps, steps >= 0);
        return this;
    }

    /// Sets the lowest rate that a reduction can reach.
    ///
    /// @param minLr 0 or more; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public ReduceOnPlateau minLr(double minLr) {
        this.minLr = require("minLr", minLr, minLr >= 0);
        return this;
    }

    /// Sets the smallest reduction; smaller ones are skipped.
    ///
    /// @param epsilon 0 or more; 1e-8 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public ReduceOnPlateau epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return this;
    }

    /// Takes the metric of an epoch and lowers the rates if the patience is exhausted. Does nothing in a
    /// [MemoryPlan#dryRun(Runnable)].
    ///
    /// @param metric the smaller the better; for one that should grow, an accuracy for instance, its negative. NaN
    ///     is never an improvement
    public void step(double metric) {
        if (!MemoryPlan.isDryRun()) {
            CompiledFunction.onEachRun("schedule", () -> follow(metric));
        }
    }

    private void follow(double metric) {
        if (isBetter(metric)) {
            best = metric;
            waited = 0;
        } else {
            waited++;
        }
        if (cooling > 0) {
            cooling--;
            waited = 0;
        }
        if (waited > patience) {
            optimizer.groups().forEach(this::reduce);
            cooling = cooldown;
            waited = 0;
        }
    }

    private boolean isBetter(double metric) {
        double least = relative ? threshold * Math.abs(best) : threshold;
        return metric < (Double.isInfinite(best) ? best : best - least);
    }

    private void reduce(ParameterGroup group) {
        double lower = Math.max(group.lr() * factor, minLr);
        if (group.lr() - lower > epsilon) {
            group.lr(lower);
        }
    }

    @Override
    public Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("best", Tensor.of(new double[] {best}));
        state.put("waited", Tensor.of(new long[] {waited}));
        state.put("cooling", Tensor.of(new long[] {cooling}));
        return state;
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits("ReduceOnPlateau: loadStateDict", stateDict(), state);
        }
        long savedWait = state.get("waited").toLongArray()[0];
        long savedCooling = state.get("cooling").toLongArray()[0];
        require("waited", savedWait, savedWait >= 0);
        require("cooling", savedCooling, savedCooling >= 0);
        best = state.get("best").item();
        waited = savedWait;
        cooling = savedCooling;
    }
}
