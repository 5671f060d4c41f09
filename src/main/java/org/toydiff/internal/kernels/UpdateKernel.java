package org.toydiff.internal.kernels;

import java.util.function.BiFunction;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.kernels.PassDescription.Output;

/// Optimizer steps: one pass over runs of parameter p, gradient g and state m, v and w. All but the gradient are
/// modified in place. Formulas are those of [org.toydiff.Updates]; coefficients those of [Coefficients].
public enum UpdateKernel {
    /// `d = scale·(g + decay·p)`, `p ← p − rate·d`
    DESCEND(UpdateKernel::descend),

    /// `d = scale·(g + decay·p)`, `v ← beta1·v + d`, `p ← p − rate·(velocityWeight·v + gradientWeight·d)`
    MOMENTUM(UpdateKernel::momentum),

    /// `d = g + decay·p`, `m ← beta1·m + (1 − beta1)·d`, `v ← beta2·v + squareWeight·d²`,
    /// `p ← shrinkage·p − rate·m / (rootCorrection·√v + epsilon)`
    ADAM(UpdateKernel::adam),

    /// As [#ADAM], with the largest v so far: `w ← max(w, v)`,
    /// `p ← shrinkage·p − rate·m / (rootCorrection·√w + epsilon)`
    AMSGRAD(UpdateKernel::amsgrad),

    /// m and v as [#ADAM], `p ← shrinkage·p − (gradientWeight·d + velocityWeight·m) / (rootCorrection·√v + epsilon)`
    NADAM(UpdateKernel::nadam),

    /// m and v as [#ADAM], `p ← shrinkage·p − rate·m`
    MEAN(UpdateKernel::mean),

    /// m as [#ADAM], `v ← max(beta2·v, |d| + epsilon)`, `p ← p − rate·m / v`
    ADAMAX(UpdateKernel::adamax),

    /// `d = g + decay·p`, `v ← beta2·v + squareWeight·d²`, `e = √(m + epsilon) / √(v + epsilon)·d`,
    /// `m ← beta2·m + squareWeight·e²`, `p ← p − rate·e`
    ADADELTA(UpdateKernel::adadelta),

    /// `d = g + decay·p`, `m ← beta1·m + (1 − beta1)·d`, `v ← beta2·v + squareWeight·d²`,
    /// `p ← p − rate·d / (√(v − m²) + epsilon)`
    CENTERED(UpdateKernel::centered),

    /// m and v as [#CENTERED], `w ← velocityWeight·w + d / (√(v − m²) + epsilon)`, `p ← p − rate·w`
    CENTERED_MOMENTUM(UpdateKernel::centeredMomentum),

    /// `d = g + decay·p`, `v ← beta2·v + squareWeight·d²`, `p ← p − rate·d / (rootCorrection·√v + epsilon)`
    ADAPTIVE(UpdateKernel::adaptive),

    /// `d = g + decay·p`, `v ← beta2·v + squareWeight·d²`, `m ← beta1·m + d / (rootCorrection·√v + epsilon)`,
    /// `p ← p − rate·m`
    ADAPTIVE_MOMENTUM(UpdateKernel::adaptiveMomentum),

    /// LAMB's moments, as [#ADAM]'s without decay.
    LAMB_MOMENTS(UpdateKernel::lambMoments),

    /// The sum of squares of LAMB's step `scale·m / (rootCorrection·√v + epsilon) + decay·p`, in double.
    LAMB_NORM(UpdateKernel::lambNorm),

    /// LAMB's step: `p ← p − rate·(scale·m / (rootCorrection·√v + epsilon) + decay·p)`
    LAMB_STEP(UpdateKernel::lambStep);

    private static final int P = 0;
    private static final int G = 1;
    private static final int M = 2;
    private static final int V = 3;
    private static final int W = 4;

    private final PerPrecision<Kernel.Pass> kernel;

    UpdateKernel(BiFunction<String, Precision, PassDescription> description) {
        kernel = new PerPrecision<>(p -> Kernels.pass(description.apply(Kernels.name(this, p), p)));
    }

    /// {@return the kernel for FLOAT32 or FLOAT64 (`wide`), created on first use; its operands are p, g, m, v and w}
    public Kernel.Pass of(boolean wide) {
        return kernel.of(wide);
    }

    /// {@return `x + factor·y`, and x itself where the factor is 0: then y may be infinite}
    private static Real plus(Real x, Real factor, Real y) {
        return factor.equalTo(x.precision().constant(0)).select(x, x.add(factor.multiply(y)));
    }

    private static PassDescription descend(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = c.scale().multiply(plus(p.input(G), c.decay(), p.input(P)));
        return PassDescription.map(
                name, p, new Output(P, p.input(P).subtract(c.rate().multiply(d))));
    }

    private static PassDescription momentum(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = c.scale().multiply(plus(p.input(G), c.decay(), p.input(P)));
        Real velocity = c.beta1().multiply(p.input(V)).add(d);
        Real step = plus(c.velocityWeight().multiply(velocity), c.gradientWeight(), d);
        return PassDescription.map(
                name,
                p,
                new Output(V, velocity),
                new Output(P, p.input(P).subtract(c.rate().multiply(step))));
    }

    private static Real mean(Precision p, Real d) {
        var c = Coefficients.Symbols.of(p);
        return c.beta1().multiply(p.input(M)).add(c.meanWeight().multiply(d));
    }

    private static Real variance(Precision p, Real d) {
        var c = Coefficients.Symbols.of(p);
        return c.beta2().multiply(p.input(V)).add(c.squareWeight().multiply(d).multiply(d));
    }

    private static Real divisor(Real variance) {
        var c = Coefficients.Symbols.of(variance.precision());
        return c.rootCorrection().multiply(variance.sqrt()).add(c.epsilon());
    }

    private static PassDescription adam(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real variance = variance(p, d);
        Real step = c.rate().multiply(mean).divide(divisor(variance));
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, variance),
                new Output(P, c.shrinkage().multiply(p.input(P)).subtract(step)));
    }

    private static PassDescription amsgrad(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real variance = variance(p, d);
        Real largest = p.input(W).max(variance);
        Real step = c.rate().multiply(mean).divide(divisor(largest));
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, variance),
                new Output(W, largest),
                new Output(P, c.shrinkage().multiply(p.input(P)).subtract(step)));
    }

    private static PassDescription nadam(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real variance = variance(p, d);
        Real step = c.gradientWeight()
                .multiply(d)
                .add(c.velocityWeight().multiply(mean))
                .divide(divisor(variance));
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, variance),
                new Output(P, c.shrinkage().multiply(p.input(P)).subtract(step)));
    }

    private static PassDescription mean(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real step = c.rate().multiply(mean);
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, variance(p, d)),
                new Output(P, c.shrinkage().multiply(p.input(P)).subtract(step)));
    }

    private static PassDescription adamax(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real largest = c.beta2().multiply(p.input(V)).max(d.abs().add(c.epsilon()));
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, largest),
                new Output(P, p.input(P).subtract(c.rate().multiply(mean).divide(largest))));
    }

    private static PassDescription adadelta(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real variance = variance(p, d);
        Real root = variance.add(c.epsilon()).sqrt();
        Real step = p.input(M).add(c.epsilon()).sqrt().divide(root).multiply(d);
        Real steps = c.beta2()
                .multiply(p.input(M))
                .add(c.squareWeight().multiply(step).multiply(step));
        return PassDescription.map(
                name,
                p,
                new Output(V, variance),
                new Output(M, steps),
                new Output(P, p.input(P).subtract(c.rate().multiply(step))));
    }

    /// {@return `d` over the deviation of the gradients}
    private static Real centeredStep(Precision p, Real d, Real mean, Real variance) {
        Real deviation = variance.subtract(mean.multiply(mean)).sqrt();
        return d.divide(deviation.add(Coefficients.Symbols.of(p).epsilon()));
    }

    private static PassDescription centered(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real variance = variance(p, d);
        Real step = centeredStep(p, d, mean, variance);
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, variance),
                new Output(P, p.input(P).subtract(c.rate().multiply(step))));
    }

    private static PassDescription centeredMomentum(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real mean = mean(p, d);
        Real variance = variance(p, d);
        Real velocity = c.velocityWeight().multiply(p.input(W)).add(centeredStep(p, d, mean, variance));
        return PassDescription.map(
                name,
                p,
                new Output(M, mean),
                new Output(V, variance),
                new Output(W, velocity),
                new Output(P, p.input(P).subtract(c.rate().multiply(velocity))));
    }

    private static PassDescription adaptive(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real variance = variance(p, d);
        Real step = c.rate().multiply(d).divide(divisor(variance));
        return PassDescription.map(
                name, p, new Output(V, variance), new Output(P, p.input(P).subtract(step)));
    }

    private static PassDescription adaptiveMomentum(String name, Precision p) {
        var c = Coefficients.Symbols.of(p);
        Real d = plus(p.input(G), c.decay(), p.input(P));
        Real variance = variance(p, d);
        Real velocity = c.beta1().multiply(p.input(M)).add(d.divide(divisor(variance)));
        return PassDescription.map(
                name,
                p,
                new Output(V, variance),
                new Output(M, velocity),
                new Output(P, p.input(P).subtract(c.rate().multiply(velocity))));
    }

    private static PassDescription lambMoments(String name, Precision p) {
        Real d = p.input(G);
        return PassDescription.map(name, p, new Output(M, mean(p, d)), new Output(V, variance(p, d)));
    }

    private static Real lambDirection(Precision p) {
        var c = Coefficients.Symbols.of(p);
        return plus(c.scale().multiply(p.input(M)).divide(divisor(p.input(V))), c.decay(), p.input(P));
    }

    private static PassDescription lambNorm(String name, Precision p) {
        Real direction = lambDirection(Precision.FLOAT64);
        return PassDescription.fold(name, p, PassDescription.Fold.SUM, direction.multiply(direction));
    }

    private static PassDescription lambStep(String name, Precision p) {
        Real step = Coefficients.Symbols.of(p).rate().multiply(lambDirection(p));
        return PassDescription.map(name, p, new Output(P, p.input(P).subtract(step)));
    }
}
