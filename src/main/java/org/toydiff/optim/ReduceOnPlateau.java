package org.toydiff.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Lowers the learning rates when a metric, the smaller the better, gets no better any more, as PyTorch's
/// ReduceLROnPlateau with a relative threshold of 1e-4.
///
/// **State** `best` and `waited`: the best metric and for how many steps it has not been bettered.
public final class ReduceOnPlateau implements Stateful {
    private static final double THRESHOLD = 1e-4;

    private final Optimizer optimizer;
    private final double factor;
    private final int patience;
    private double best = Double.POSITIVE_INFINITY;
    private long waited;

    /// Watches a metric.
    ///
    /// @param optimizer whose rates are lowered
    /// @param factor what they are multiplied by, in [0, 1)
    /// @param patience how many steps without a better metric are borne, 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public ReduceOnPlateau(Optimizer optimizer, double factor, int patience) {
        this.optimizer = optimizer;
        this.factor = Optimizer.require("ReduceOnPlateau", "factor", factor, factor >= 0 && factor < 1);
        this.patience = (int) Optimizer.require("ReduceOnPlateau", "patience", patience, patience >= 0);
    }

    /// Tells the metric of an epoch.
    ///
    /// @param metric the smaller the better; of an accuracy or another that is to grow, its negative
    public void step(double metric) {
        double least = Double.isInfinite(best) ? 0 : THRESHOLD * Math.abs(best);
        if (metric < best - least) {
            best = metric;
            waited = 0;
        } else if (++waited > patience) {
            optimizer.groups().forEach(group -> group.lr(group.lr() * factor));
            waited = 0;
        }
    }

    @Override
    public Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("best", Tensor.of(new double[] {best}));
        state.put("waited", Tensor.of(new long[] {waited}));
        return state;
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Optimizer.requireFits("ReduceOnPlateau", stateDict(), state);
        }
        best = state.get("best").item();
        waited = state.get("waited").toLongArray()[0];
    }
}
