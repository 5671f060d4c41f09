package org.toydiff.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.train.metrics.ConfusionMatrix;
import org.toydiff.train.metrics.Metric;

/// The confusion matrix of the best epoch, if one of the metrics is a confusion matrix.
final class BestConfusionMatrix implements Stateful {
    private final ConfusionMatrix now;
    private final ConfusionMatrix best;
    private long epoch;

    BestConfusionMatrix(List<Metric> metrics) {
        this.now = metrics.stream()
                .filter(ConfusionMatrix.class::isInstance)
                .map(ConfusionMatrix.class::cast)
                .findFirst()
                .orElse(null);
        this.best = now == null ? null : new ConfusionMatrix(now.classes());
    }

    /// Keeps a copy of the current counts as those of an epoch.
    void keep(long number) {
        if (now != null) {
            try (var scratch = TensorArena.ofConfined()) {
                best.loadStateDict(now.stateDict());
            }
            epoch = number;
        }
    }

    /// Returns the counts, null while none are kept.
    ConfusionMatrix matrix() {
        return epoch == 0 ? null : best;
    }

    /// Returns the epoch of the counts, 0 while none are kept.
    long epoch() {
        return epoch;
    }

    @Override
    public Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        if (now != null) {
            state.putAll(best.stateDict());
            state.put("epoch", Tensor.of(new long[] {epoch}, 1));
        }
        return state;
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        Stateful.requireFits("confusion: loadStateDict", stateDict(), state);
        if (now != null) {
            best.loadStateDict(Map.of("counts", state.get("counts")));
            epoch = state.get("epoch").toLongArray()[0];
        }
    }
}
