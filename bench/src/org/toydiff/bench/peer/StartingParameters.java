package org.toydiff.bench.peer;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Tensor;

/// Makes the parameters of a net one after another, with the starting numbers; `Parameters` of
/// `bench/peers/torch_layers.py` makes the same.
final class StartingParameters {
    private final List<Tensor> all = new ArrayList<>();
    private int weights;

    /// Returns a weight, whose rows are those of a `[out, in]`.
    Tensor weight(long... shape) {
        Tensor weight = Tensor.empty(shape);
        StartingNumbers.writeWeight(
                weight.segment(), weights++, Math.toIntExact(weight.size() / shape[0]), Math.toIntExact(shape[0]));
        return add(weight);
    }

    Tensor zeros(long size) {
        return add(Tensor.zeros(size));
    }

    Tensor ones(long size) {
        return add(Tensor.ones(size));
    }

    private Tensor add(Tensor parameter) {
        all.add(parameter.trackGradient());
        return parameter;
    }

    /// Returns the parameters in the order in which they were made.
    List<Tensor> all() {
        return all;
    }
}
