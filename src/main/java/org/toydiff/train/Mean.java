package org.toydiff.train;

import java.util.Map;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.LossTerms;

/// The mean over all examples of what some function computes from output and target: a loss, an error. Examples
/// weigh what the losses of [org.toydiff.nn.Functional] and [org.toydiff.nn.CrossEntropyLoss] give them, and are
/// alike where a function does not tell.
public final class Mean implements Metric {
    private final String name;
    private final Loss function;
    private final LossTerms terms = new LossTerms();
    private final MeanLoss mean = new MeanLoss();

    /// Of a function that gives the mean over a batch: `new Mean("mae", Functional::maeLoss)`.
    ///
    /// @param name what to call it
    /// @param function gives a scalar, the mean over the examples of the batch; smaller is better
    public Mean(String name, Loss function) {
        this.name = Columns.requireName(name);
        this.function = function;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void update(Tensor output, Tensor target) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            double loss = terms.record(() -> function.of(output, target)).item();
            mean.add(loss, target.rank() == 0 ? 1 : target.shape()[0], terms.denominator());
        }
    }

    @Override
    public double value() {
        return mean.value();
    }

    @Override
    public void reset() {
        mean.reset();
    }

    @Override
    public boolean higherIsBetter() {
        return false;
    }

    /// What was added.
    ///
    /// @return `sums` FLOAT64 `[3]`: of the losses, of the weights, and the weight of the first batch's examples
    @Override
    public Map<String, Tensor> stateDict() {
        return mean.stateDict();
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        mean.loadStateDict(state);
    }
}
