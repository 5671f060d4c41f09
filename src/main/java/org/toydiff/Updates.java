package org.toydiff;

import java.util.Arrays;
import org.toydiff.internal.arithmetic.DecayPower;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UpdateKernel;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.launch.UpdateWork;

/// Optimizer steps in one pass over parameter, gradient and state, in place, on which [org.toydiff.optim] is built.
/// Nothing is recorded and nothing made, and nothing is allocated on the heap.
///
/// All tensors of a step have one shape and one floating dtype, are contiguous and do not overlap in
/// memory; else IllegalArgumentException is thrown and nothing is changed. The parameter and its state are
/// modified, the gradient is not. A later backward that would have read the parameter's old elements throws.
public final class Updates {
    private Updates() {}

    /// Gradient descent: `d = g + weightDecay·p`, `p ← p − rate·d`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param rate the learning rate
    /// @param weightDecay the weight of an L2 penalty
    public static void sgd(Tensor parameter, Tensor gradient, double rate, double weightDecay) {
        UpdateWork work = begin("sgd", parameter, gradient, null, null);
        work.coefficients.rate = rate;
        work.coefficients.scale = 1;
        work.coefficients.decay = weightDecay;
        run(work, UpdateKernel.DESCEND, parameter, gradient, null, null);
    }

    /// Gradient descent with momentum: `d = scale·(g + weightDecay·p)`, `v ← momentum·v + d`, `p ← p − rate·v`; with
    /// Nesterov's momentum `p ← p − rate·(d + momentum·v)`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param velocity v
    /// @param rate the learning rate
    /// @param scale the factor of the gradient
    /// @param momentum the factor of the old velocity
    /// @param nesterov whether to look ahead
    /// @param weightDecay the weight of an L2 penalty
    public static void sgd(
            Tensor parameter,
            Tensor gradient,
            Tensor velocity,
            double rate,
            double scale,
            double momentum,
            boolean nesterov,
            double weightDecay) {
        UpdateWork work = begin("sgd", parameter, gradient, null, velocity);
        work.coefficients.rate = rate;
        work.coefficients.scale = scale;
        work.coefficients.decay = weightDecay;
        work.coefficients.beta1 = momentum;
        work.coefficients.velocityWeight = nesterov ? momentum : 1;
        work.coefficients.gradientWeight = nesterov ? 1 : 0;
        run(work, UpdateKernel.MOMENTUM, parameter, gradient, null, velocity);
    }

    /// Adam, with ε outside the root: `d = g + weightDecay·p`, `m ← β₁·m + (1 − β₁)·d`, `v ← β₂·v + (1 − β₂)·d²`,
    /// `p ← parameterScale·p − rate / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param step t, which is 1 for the first step
    /// @param rate the learning rate
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    /// @param parameterScale the factor of the parameter: 1, or less for decoupled weight decay
    public static void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double parameterScale) {
        UpdateWork work = begin("adam", parameter, gradient, first, second);
        moments(work, step, beta1, beta2, epsilon);
        work.coefficients.rate = rate / (1 - DecayPower.of(beta1, step));
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        run(work, UpdateKernel.ADAM, parameter, gradient, first, second);
    }

    /// Steps scaled by a running sum of squares: `d = g + weightDecay·p`, `v ← squareDecay·v + squareWeight·d²`,
    /// `p ← p − rate·d / (√v + ε)`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param squares v
    /// @param rate the learning rate
    /// @param squareDecay the factor of the old v
    /// @param squareWeight the factor of d²
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    public static void adaptive(
            Tensor parameter,
            Tensor gradient,
            Tensor squares,
            double rate,
            double squareDecay,
            double squareWeight,
            double epsilon,
            double weightDecay) {
        UpdateWork work = begin("adaptive", parameter, gradient, null, squares);
        squares(work, rate, squareDecay, squareWeight, epsilon, weightDecay);
        run(work, UpdateKernel.ADAPTIVE, parameter, gradient, null, squares);
    }

    /// As [#adaptive(Tensor, Tensor, Tensor, double, double, double, double, double)] with momentum:
    /// `b ← momentum·b + d / (√v + ε)`, `p ← p − rate·b`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param squares v
    /// @param velocity b
    /// @param rate the learning rate
    /// @param squareDecay the factor of the old v
    /// @param squareWeight the factor of d²
    /// @param epsilon ε
    /// @param momentum the factor of the old b
    /// @param weightDecay the weight of an L2 penalty
    public static void adaptive(
            Tensor parameter,
            Tensor gradient,
            Tensor squares,
            Tensor velocity,
            double rate,
            double squareDecay,
            double squareWeight,
            double epsilon,
            double momentum,
            double weightDecay) {
        UpdateWork work = begin("adaptive", parameter, gradient, velocity, squares);
        squares(work, rate, squareDecay, squareWeight, epsilon, weightDecay);
        work.coefficients.beta1 = momentum;
        run(work, UpdateKernel.ADAPTIVE_MOMENTUM, parameter, gradient, velocity, squares);
    }

    /// Adam with the largest second moment so far as the divisor, w (AMSGrad): as
    /// [#adam(Tensor, Tensor, Tensor, Tensor, long, double, double, double, double, double, double)], and
    /// `w ← max(w, v)`, `p ← parameterScale·p − rate / (1 − β₁ᵗ) · m / (√(w / (1 − β₂ᵗ)) + ε)`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param largest w, the largest second moment
    /// @param step t, which is 1 for the first step
    /// @param rate the learning rate
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    /// @param parameterScale the factor of the parameter: 1, or less for decoupled weight decay
    public static void amsgrad(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            Tensor largest,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double parameterScale) {
        UpdateWork work = begin("amsgrad", parameter, gradient, first, second, largest);
        moments(work, step, beta1, beta2, epsilon);
        work.coefficients.rate = rate / (1 - DecayPower.of(beta1, step));
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        run(work, UpdateKernel.AMSGRAD, parameter, gradient, first, second, largest);
    }

    /// Adam with Nesterov's momentum: moments as Adam's,
    /// `p ← parameterScale·p − (gradientRate·d + meanRate·m) / (√(v / (1 − β₂ᵗ)) + ε)`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param step t, which is 1 for the first step
    /// @param gradientRate the rate of the gradient
    /// @param meanRate the rate of the first moment
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    /// @param parameterScale the factor of the parameter: 1, or less for decoupled weight decay
    public static void nadam(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            long step,
            double gradientRate,
            double meanRate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double parameterScale) {
        UpdateWork work = begin("nadam", parameter, gradient, first, second);
        moments(work, step, beta1, beta2, epsilon);
        work.coefficients.gradientWeight = gradientRate;
        work.coefficients.velocityWeight = meanRate;
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        run(work, UpdateKernel.NADAM, parameter, gradient, first, second);
    }

    /// Rectified Adam: L. Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, algorithm 2:
    /// moments as Adam's; with `ρ∞ = 2 / (1 − β₂) − 1` and `ρ = ρ∞ − 2t·β₂ᵗ / (1 − β₂ᵗ)`, where ρ > 5
    /// `p ← parameterScale·p − rate / (1 − β₁ᵗ) · r·√(1 − β₂ᵗ) · m / (√v + ε)` with
    /// `r = √((ρ − 4)·(ρ − 2)·ρ∞ / ((ρ∞ − 4)·(ρ∞ − 2)·ρ))`, and else `p ← parameterScale·p − rate / (1 − β₁ᵗ) · m`.
    /// The threshold 5 is PyTorch's; the paper has 4.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param step t, which is 1 for the first step
    /// @param rate the learning rate
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    /// @param parameterScale the factor of the parameter: 1, or less for decoupled weight decay
    public static void radam(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double parameterScale) {
        UpdateWork work = begin("radam", parameter, gradient, first, second);
        double power = DecayPower.of(beta2, step);
        double longest = 2 / (1 - beta2) - 1;
        double length = longest - 2 * step * power / (1 - power);
        boolean rectified = length > 5;
        double variance = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length);
        moments(work, step, beta1, beta2, epsilon);
        work.coefficients.rootCorrection = 1;
        work.coefficients.rate =
                rate / (1 - DecayPower.of(beta1, step)) * (rectified ? Math.sqrt(variance) * Math.sqrt(1 - power) : 1);
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        run(work, rectified ? UpdateKernel.ADAM : UpdateKernel.MEAN, parameter, gradient, first, second);
    }

    /// Adam by the infinity norm: `d = g + weightDecay·p`, `m ← β₁·m + (1 − β₁)·d`, `u ← max(β₂·u, |d| + ε)`,
    /// `p ← p − rate / (1 − β₁ᵗ) · m / u`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param first m, the first moment
    /// @param largest u, the decaying maximum
    /// @param step t, which is 1 for the first step
    /// @param rate the learning rate
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    public static void adamax(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor largest,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay) {
        UpdateWork work = begin("adamax", parameter, gradient, first, largest);
        work.coefficients.rate = rate / (1 - DecayPower.of(beta1, step));
        work.coefficients.beta1 = beta1;
        work.coefficients.beta2 = beta2;
        work.coefficients.epsilon = epsilon;
        work.coefficients.decay = weightDecay;
        run(work, UpdateKernel.ADAMAX, parameter, gradient, first, largest);
    }

    /// Adadelta: `d = g + weightDecay·p`, `v ← ρ·v + (1 − ρ)·d²`, `e = √(u + ε) / √(v + ε) · d`,
    /// `u ← ρ·u + (1 − ρ)·e²`, `p ← p − rate·e`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param squares v, the mean of the squares of gradients
    /// @param steps u, the mean of the squares of steps
    /// @param rate the learning rate
    /// @param rho ρ
    /// @param epsilon ε
    /// @param weightDecay the weight of an L2 penalty
    public static void adadelta(
            Tensor parameter,
            Tensor gradient,
            Tensor squares,
            Tensor steps,
            double rate,
            double rho,
            double epsilon,
            double weightDecay) {
        UpdateWork work = begin("adadelta", parameter, gradient, steps, squares);
        squares(work, rate, rho, 1 - rho, epsilon, weightDecay);
        run(work, UpdateKernel.ADADELTA, parameter, gradient, steps, squares);
    }

    /// Steps scaled by the deviation of the gradients: `d = g + weightDecay·p`, `m ← α·m + (1 − α)·d`,
    /// `v ← α·v + (1 − α)·d²`, `p ← p − rate·d / (√(v − m²) + ε)`; with a velocity
    /// `b ← momentum·b + d / (√(v − m²) + ε)`, `p ← p − rate·b`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param mean m
    /// @param squares v
    /// @param velocity b, or null for none
    /// @param rate the learning rate
    /// @param alpha α
    /// @param epsilon ε
    /// @param momentum the factor of the old b
    /// @param weightDecay the weight of an L2 penalty
    public static void centered(
            Tensor parameter,
            Tensor gradient,
            Tensor mean,
            Tensor squares,
            Tensor velocity,
            double rate,
            double alpha,
            double epsilon,
            double momentum,
            double weightDecay) {
        UpdateWork work = begin("centered", parameter, gradient, mean, squares, velocity);
        squares(work, rate, alpha, 1 - alpha, epsilon, weightDecay);
        work.coefficients.beta1 = alpha;
        work.coefficients.velocityWeight = momentum;
        UpdateKernel kernel = velocity == null ? UpdateKernel.CENTERED : UpdateKernel.CENTERED_MOMENTUM;
        run(work, kernel, parameter, gradient, mean, squares, velocity);
    }

    /// LAMB, in three passes: moments as Adam's, `r = m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + weightDecay·p`,
    /// `p ← p − rate·‖p‖/‖r‖·r`; the ratio is 1 where a norm is 0.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param step t, which is 1 for the first step
    /// @param rate the learning rate
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of the parameter in r
    public static void lamb(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay) {
        UpdateWork work = begin("lamb", parameter, gradient, first, second);
        if (parameter.size() == 0 || Launch.skips(parameter)) {
            return;
        }
        double norm = norm(parameter);
        moments(work, step, beta1, beta2, epsilon);
        work.coefficients.scale = 1 / (1 - DecayPower.of(beta1, step));
        work.coefficients.decay = weightDecay;
        Launch.update(work, UpdateKernel.LAMB_MOMENTS, parameter, gradient, first, second, null);
        double stepNorm = Math.sqrt(Launch.update(work, UpdateKernel.LAMB_NORM, parameter, null, first, second, null));
        work.coefficients.rate = rate * (norm > 0 && stepNorm > 0 ? norm / stepNorm : 1);
        run(work, UpdateKernel.LAMB_STEP, parameter, null, first, second);
    }

    /// Makes the checks of a step and changes nothing: for optimizers that check all of their
    /// parameters before they change the first.
    ///
    /// @param op the name in messages
    /// @param parameter p
    /// @param gradient g
    /// @param state the state of the parameter
    /// @throws IllegalArgumentException if dtypes or shapes differ, one is not contiguous, or one that would be
    ///     modified is read-only
    /// @throws IllegalStateException if one is freed
    public static void require(String op, Tensor parameter, Tensor gradient, Tensor... state) {
        requireModifiable(op, parameter);
        requireLike(op, parameter, gradient);
        for (Tensor kept : state) {
            requireState(op, parameter, kept);
        }
    }

    /// The Euclidean norm of all elements, accumulated in double.
    ///
    /// @param tensor a contiguous floating tensor
    /// @return the norm, not rounded to the tensor's dtype
    public static double norm(Tensor tensor) {
        requireWhole("norm", tensor);
        requireUnrecorded("norm");
        return Launch.norm(tensor);
    }

    /// Returns whether no element is NaN or infinite.
    ///
    /// **Memory** one pass, which allocates nothing.
    ///
    /// @param tensor a contiguous floating tensor
    /// @return whether all elements are finite, as those of an empty tensor
    /// @throws IllegalArgumentException if it is not contiguous, or not floating
    /// @throws IllegalStateException if it is freed, or a [CompiledFunction] is being recorded
    public static boolean allFinite(Tensor tensor) {
        requireWhole("allFinite", tensor);
        requireUnrecorded("allFinite");
        return Launch.allFinite(tensor);
    }

    /// `tensor ← factor·tensor`
    ///
    /// @param tensor the tensor to scale
    /// @param factor the factor
    public static void scale(Tensor tensor, double factor) {
        requireModifiable("scale", tensor);
        requireUnrecorded("scale");
        inPlace(tensor, BinaryKernel.MULTIPLY, factor);
    }

    /// `tensor ← min(max(tensor, −bound), bound)`, NaN staying NaN.
    ///
    /// @param tensor the tensor to bound
    /// @param bound the bound, 0 or more
    public static void clamp(Tensor tensor, double bound) {
        requireModifiable("clamp", tensor);
        requireUnrecorded("clamp");
        inPlace(tensor, BinaryKernel.MAXIMUM, -bound);
        inPlace(tensor, BinaryKernel.MINIMUM, bound);
    }

    private static void inPlace(Tensor tensor, BinaryKernel kernel, double operand) {
        if (Launch.skips(tensor)) {
            return;
        }
        Launch.inPlace(tensor.dtype.kind.of(kernel), tensor, operand);
        tensor.storage.version++;
    }

    private static void requireUnrecorded(String op) {
        Recorder.refuse(op, "depends on numbers of this run; call it inside CompiledFunction.onEachRun");
    }

    private static void moments(UpdateWork work, long step, double beta1, double beta2, double epsilon) {
        work.coefficients.beta1 = beta1;
        work.coefficients.beta2 = beta2;
        work.coefficients.squareWeight = 1 - beta2;
        work.coefficients.rootCorrection = 1 / Math.sqrt(1 - DecayPower.of(beta2, step));
        work.coefficients.epsilon = epsilon;
    }

    private static void squares(
            UpdateWork work, double rate, double squareDecay, double squareWeight, double epsilon, double weightDecay) {
        work.coefficients.rate = rate;
        work.coefficients.beta2 = squareDecay;
        work.coefficients.squareWeight = squareWeight;
        work.coefficients.rootCorrection = 1;
        work.coefficients.epsilon = epsilon;
        work.coefficients.decay = weightDecay;
    }

    /// Checks the tensors of a step; state may be null.
    private static UpdateWork begin(String op, Tensor parameter, Tensor gradient, Tensor first, Tensor second) {
        return begin(op, parameter, gradient, first, second, null);
    }

    private static UpdateWork begin(
            String op, Tensor parameter, Tensor gradient, Tensor first, Tensor second, Tensor third) {
        requireUnrecorded(op);
        requireModifiable(op, parameter);
        requireLike(op, parameter, gradient);
        requireState(op, parameter, first);
        requireState(op, parameter, second);
        requireState(op, parameter, third);
        requireApart(op, parameter, gradient, first, second, third);
        return Scope.current().updates;
    }

    private static void requireState(String op, Tensor parameter, Tensor state) {
        if (state != null) {
            requireModifiable(op, state);
            requireLike(op, parameter, state);
        }
    }

    private static void run(
            UpdateWork work, UpdateKernel kernel, Tensor parameter, Tensor gradient, Tensor first, Tensor second) {
        run(work, kernel, parameter, gradient, first, second, null);
    }

    private static void run(
            UpdateWork work,
            UpdateKernel kernel,
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            Tensor third) {
        if (Launch.skips(parameter)) {
            return;
        }
        if (parameter.size() > 0) {
            Launch.update(work, kernel, parameter, gradient, first, second, third);
        }
        changed(parameter);
        changed(first);
        changed(second);
        changed(third);
    }

    private static void changed(Tensor tensor) {
        if (tensor != null) {
            tensor.storage.version++;
        }
    }

    private static void requireLike(String op, Tensor parameter, Tensor t) {
        requireWhole(op, t);
        parameter.requireSameDType(op, t);
        if (!Arrays.equals(parameter.shape, t.shape)) {
            throw new IllegalArgumentException(op + ": " + Shape.text(parameter.shape) + " and " + Shape.text(t.shape)
                    + " differ; state and gradient have the shape of their parameter");
        }
    }

    private static void requireWhole(String op, Tensor t) {
        t.requireFloating(op);
        if (!t.isContiguous()) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(t.shape) + " is not contiguous; use copyTo(arena) for one that is");
        }
    }

    private static void requireModifiable(String op, Tensor t) {
        t.requireModifiable(op);
        requireWhole(op, t);
    }

    /// Throws when two of them overlap in memory: parts of a step run in any order.
    private static void requireApart(
            String op, Tensor parameter, Tensor gradient, Tensor first, Tensor second, Tensor third) {
        if (Tensor.mayShareMemory(parameter, gradient)
                || Tensor.mayShareMemory(parameter, first)
                || Tensor.mayShareMemory(parameter, second)
                || Tensor.mayShareMemory(parameter, third)
                || Tensor.mayShareMemory(gradient, first)
                || Tensor.mayShareMemory(gradient, second)
                || Tensor.mayShareMemory(gradient, third)
                || Tensor.mayShareMemory(first, second)
                || Tensor.mayShareMemory(first, third)
                || Tensor.mayShareMemory(second, third)) {
            throw new IllegalArgumentException(op + ": some of parameter " + Shape.text(parameter.shape)
                    + ", its gradient and its state overlap in memory; give each its own, as copyTo(arena) makes it");
        }
    }
}
