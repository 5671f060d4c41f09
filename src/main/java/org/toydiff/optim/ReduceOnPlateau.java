package org.toydiff.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.toydiff.MemoryPlan;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Lowers the learning rates when a metric, the smaller the better, gets no better any more, as PyTorch's
/// ReduceLROnPlateau does.
///
/// ```java
/// var plateau = new ReduceOnPlateau(optimizer, 0.5, 3).threshold(1e-3).cooldown(2).minLr(1e-6);
/// ```
///
/// It multiplies whatever rates the groups have at that moment; a [Scheduler] of the same optimizer goes on from them.
/// One difference from PyTorch is deliberate: a relative threshold is a share of the *size* of the best metric. PyTorch
/// multiplies the best by `1 − threshold`, and so counts a negative metric that got a little worse for better.
///
/// **State** `best` and `waited`, the best metric and for how many steps it has not been bettered, and `cooling`, the
/// steps left of a cooldown. Settings are the constructor's and the methods'.
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

    /// Watches a metric. The methods that follow change a setting of this.
    ///
    /// @param optimizer whose rates are lowered
    /// @param factor what they are multiplied by, in [0, 1)
    /// @param patience how many steps without a better metric are borne, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public ReduceOnPlateau(Optimizer optimizer, double factor, int patience) {
        this.optimizer = optimizer;
        this.factor = require("factor", factor, factor >= 0 && factor < 1);
        this.patience = (int) require("patience", patience, patience >= 0);
    }

    private static double require(String name, double value, boolean valid) {
        return Optimizer.require("ReduceOnPlateau", name, value, valid);
    }

    /// Says by how much a metric must be better to count, as a share of the best: `metric < best − share·|best|`.
    ///
    /// @param share 0 or more, 1e-4 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or not finite
    public ReduceOnPlateau threshold(double share) {
        threshold = require("threshold", share, share >= 0 && Double.isFinite(share));
        relative = true;
        return this;
    }

    /// Says by how much a metric must be better to count, in its own units: `metric < best − difference`.
    ///
    /// @param difference 0 or more
    /// @return this
    /// @throws IllegalArgumentException if it is negative or not finite
    public ReduceOnPlateau absoluteThreshold(double difference) {
        threshold = require("absoluteThreshold", difference, difference >= 0 && Double.isFinite(difference));
        relative = false;
        return this;
    }

    /// Says for how many steps after a reduction the metric is not counted against the patience.
    ///
    /// @param steps 0 or more, 0 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative
    public ReduceOnPlateau cooldown(int steps) {
        cooldown = (int) require("cooldown", steps, steps >= 0);
        return this;
    }

    /// Says below which rate none is lowered.
    ///
    /// @param minLr 0 or more, 0 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public ReduceOnPlateau minLr(double minLr) {
        this.minLr = require("minLr", minLr, minLr >= 0);
        return this;
    }

    /// Says by more than what a rate must fall; a smaller reduction is left out.
    ///
    /// @param epsilon 0 or more, 1e-8 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public ReduceOnPlateau epsilon(double epsilon) {
        this.epsilon = require("epsilon", epsilon, epsilon >= 0);
        return this;
    }

    /// Takes the metric of an epoch. In a [MemoryPlan#dryRun(Runnable)] it does nothing.
    ///
    /// @param metric the smaller the better; of an accuracy or another that is to grow, its negative. NaN is not better
    ///     than anything
    public void step(double metric) {
        if (MemoryPlan.isDryRun()) {
            return;
        }
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
