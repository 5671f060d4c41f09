package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Initial values of parameters. Each method overwrites the tensor and returns it; random numbers come from the
/// generator that [Tensor#manualSeed(long)] seeds. A weight is `[out, in, …]`.
public final class Initializers {
    private Initializers() {}

    /// Fills a weight from the uniform distribution on `±√(6 / fan_in)`, for layers before a relu: K. He et al.,
    /// "Delving deep into rectifiers", 2015.
    ///
    /// @param weight a tensor of rank 2 or more
    /// @return the tensor
    /// @throws IllegalArgumentException if the rank is lower or the weight is empty
    public static Tensor kaimingUniform(Tensor weight) {
        return kaimingUniform(weight, 0);
    }

    /// Fills a weight from the uniform distribution on `±√(6 / ((1 + a²)·fan_in))`, for layers before a leaky
    /// relu.
    ///
    /// @param weight a tensor of rank 2 or more
    /// @param a the slope of the leaky relu below 0
    /// @return the tensor
    /// @throws IllegalArgumentException if the rank is lower or the weight is empty
    public static Tensor kaimingUniform(Tensor weight, double a) {
        double bound = Math.sqrt(6 / ((1 + a * a) * fanIn("kaimingUniform", weight)));
        return uniform(weight, -bound, bound);
    }

    /// Fills a weight from the uniform distribution on `±√(6 / (fan_in + fan_out))`: X. Glorot, Y. Bengio,
    /// "Understanding the difficulty of training deep feedforward neural networks", 2010.
    ///
    /// @param weight a tensor of rank 2 or more
    /// @return the tensor
    /// @throws IllegalArgumentException if the rank is lower or the weight is empty
    public static Tensor xavierUniform(Tensor weight) {
        double fanIn = fanIn("xavierUniform", weight);
        double fanOut = fanIn / weight.size(1) * weight.size(0);
        double bound = Math.sqrt(6 / (fanIn + fanOut));
        return uniform(weight, -bound, bound);
    }

    /// Fills a tensor from the uniform distribution between two bounds.
    ///
    /// @param tensor any floating tensor
    /// @param low the lower bound
    /// @param high the upper bound
    /// @return the tensor
    public static Tensor uniform(Tensor tensor, double low, double high) {
        try (var scratch = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            Tensor values = Tensor.rand(tensor.dtype(), tensor.shape());
            return tensor.copyFrom(values.multiply(high - low).add(low));
        }
    }

    /// Fills a tensor with zeros.
    ///
    /// @param tensor any floating tensor
    /// @return the tensor
    public static Tensor zeros(Tensor tensor) {
        try (var scratch = TensorArena.ofConfined()) {
            return tensor.copyFrom(Tensor.zeros(tensor.dtype()));
        }
    }

    private static double fanIn(String name, Tensor weight) {
        if (weight.rank() < 2 || weight.size() == 0) {
            throw new IllegalArgumentException(name + ": " + Arrays.toString(weight.shape())
                    + " has no inputs and outputs; give a weight [out, in, …]");
        }
        return (double) weight.size() / weight.size(0);
    }
}
