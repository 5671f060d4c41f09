package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;

/// Parameters that share a learning rate and a weight decay. Both may change between steps, as schedules change
/// rates.
public final class ParameterGroup {
    private final List<Tensor> parameters;
    private double lr;
    private double weightDecay;

    ParameterGroup(List<Tensor> parameters, double lr, double weightDecay) {
        this.parameters = List.copyOf(parameters);
        lr(lr);
        weightDecay(weightDecay);
    }

    /// {@return the parameters of this group, in the order in which they were given}
    public List<Tensor> parameters() {
        return parameters;
    }

    /// {@return the learning rate of the next step}
    public double lr() {
        return lr;
    }

    /// Sets the learning rate.
    ///
    /// @param lr the rate from the next step on, 0 or more
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public ParameterGroup lr(double lr) {
        this.lr = Optimizer.require("ParameterGroup", "lr", lr, lr >= 0);
        return this;
    }

    /// {@return the weight decay of the next step}
    public double weightDecay() {
        return weightDecay;
    }

    /// Sets the weight decay.
    ///
    /// @param weightDecay the decay from the next step on, 0 or more
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public ParameterGroup weightDecay(double weightDecay) {
        this.weightDecay = Optimizer.require("ParameterGroup", "weightDecay", weightDecay, weightDecay >= 0);
        return this;
    }
}
