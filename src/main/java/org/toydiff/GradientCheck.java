package org.toydiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.toydiff.internal.launch.Shape;

/// Compares the gradients of a function with central differences, in FLOAT64.
///
/// One random direction d is drawn for each input, and one random weighting makes the output a number: two
/// evaluations an input, whatever its size. `(f(x + h·d) − f(x − h·d)) / 2h` must equal `gradient · d` to about six
/// digits. The step is the cube root of the machine epsilon, which balances truncation against rounding: Press et
/// al., Numerical Recipes, section 5.7.
///
/// Like every check by differences it needs inputs away from kinks, by more than the step.
public final class GradientCheck {
    private static final double STEP = Math.cbrt(Math.ulp(1.0));
    private static final double TOLERANCE = 1e-6;
    private static final long SEED = 0x70D1FF;

    private GradientCheck() {}

    /// Checks a function of one tensor.
    ///
    /// @param f any composition of ops; it is called several times and must return the same result for the same
    ///     input
    /// @param input the point at which to check, a floating tensor; neither it nor its gradient is changed
    /// @throws AssertionError naming the input and both derivatives when they differ
    public static void check(UnaryOperator<Tensor> f, Tensor input) {
        check((Function<List<Tensor>, Tensor>) xs -> f.apply(xs.getFirst()), input);
    }

    /// Checks a function of several tensors, for each of them.
    ///
    /// @param f any composition of ops; it is called several times and must return the same result for the same
    ///     inputs
    /// @param inputs the point at which to check, floating tensors; neither they nor their gradients are changed
    /// @throws AssertionError naming the input and both derivatives when they differ
    @SuppressWarnings("overloads") // Never ambiguous: with one input the compiler takes the other check.
    public static void check(Function<List<Tensor>, Tensor> f, Tensor... inputs) {
        for (Tensor input : inputs) {
            input.requireFloating("GradientCheck");
        }
        try (var arena = TensorArena.ofConfined()) {
            var random = new SplittableRandom(SEED);
            List<Tensor> xs = new ArrayList<>();
            for (Tensor input : inputs) {
                xs.add(wide(input).trackGradient());
            }
            Tensor y = f.apply(xs);
            Tensor weights = uniform(random, y.shape);
            List<Tensor> gradients = Autograd.gradients(y.multiply(weights).sum(), xs);
            for (int i = 0; i < xs.size(); i++) {
                check(f, xs, i, uniform(random, xs.get(i).shape), weights, gradients.get(i));
            }
        }
    }

    private static void check(
            Function<List<Tensor>, Tensor> f,
            List<Tensor> xs,
            int i,
            Tensor direction,
            Tensor weights,
            Tensor gradient) {
        double analytic = gradient.multiply(direction).sum().item();
        double size = Math.max(
                1, xs.get(i).detach().abs().sum().item() / Math.max(1, xs.get(i).size()));
        double h = STEP * size;
        double numeric = (at(f, xs, i, direction, h, weights) - at(f, xs, i, direction, -h, weights)) / (2 * h);
        double error = Math.abs(analytic - numeric);
        if (!(error <= TOLERANCE * Math.max(1, Math.max(Math.abs(analytic), Math.abs(numeric))))) {
            throw new AssertionError(String.format(
                    Locale.ROOT,
                    "GradientCheck: input %d %s: the gradient gives %.9g along a random direction, central differences %.9g"
                            + " (difference %.3g)",
                    i,
                    Shape.text(xs.get(i).shape),
                    analytic,
                    numeric,
                    error));
        }
    }

    private static double at(
            Function<List<Tensor>, Tensor> f, List<Tensor> xs, int i, Tensor direction, double h, Tensor weights) {
        try (var off = Autograd.noGradient()) {
            List<Tensor> moved = new ArrayList<>(xs);
            moved.set(i, xs.get(i).add(direction.multiply(h)));
            return f.apply(moved).multiply(weights).sum().item();
        }
    }

    private static Tensor wide(Tensor input) {
        try (var off = Autograd.noGradient()) {
            Tensor wide = Tensor.empty(DType.FLOAT64, input.shape);
            return wide.copyFrom(input.cast(DType.FLOAT64));
        }
    }

    private static Tensor uniform(SplittableRandom random, long[] shape) {
        return Tensor.rand(DType.FLOAT64, random, shape).multiply(2).subtract(1);
    }
}
