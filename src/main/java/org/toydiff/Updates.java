package org.toydiff;

import org.toydiff.internal.arithmetic.DecayPower;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UpdateKernel;
import org.toydiff.internal.launch.UpdateWork;

/// Optimizer steps in one pass over parameter, gradient and state, in place, on which [org.toydiff.optim] is built.
/// Nothing is recorded and nothing made, and nothing is allocated on the heap.
///
/// All tensors of a step have one shape and one floating dtype, are contiguous and do not overlap in
/// memory; else IllegalArgumentException is thrown and nothing is changed. The parameter and its state are
/// modified, the gradient is not. A later backward that would have read the parameter's old elements throws.
public final class Updates {
    /// The number of consecutive elements whose squares make one partial sum of a norm. A norm is the root of the total
    /// of these sums, added in order; so processes that have different units of a tensor get the bits of one that has
    /// all of it.
    public static final int UNIT = UpdateWork.UNIT;

    private Updates() {}

    /// Gradient descent: `d = g + weightDecay·p`, `p ← p − rate·d`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param rate the learning rate
    /// @param weightDecay the weight of an L2 penalty
    public static void sgd(Tensor parameter, Tensor gradient, double rate, double weightDecay) {
        UpdateWork work = UpdateLaunch.begin("sgd", parameter, gradient, null, null);
        work.coefficients.rate = rate;
        work.coefficients.scale = 1;
        work.coefficients.decay = weightDecay;
        UpdateLaunch.run(work, UpdateKernel.DESCEND, parameter, gradient, null, null);
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
        UpdateWork work = UpdateLaunch.begin("sgd", parameter, gradient, null, velocity);
        work.coefficients.rate = rate;
        work.coefficients.scale = scale;
        work.coefficients.decay = weightDecay;
        work.coefficients.beta1 = momentum;
        work.coefficients.velocityWeight = nesterov ? momentum : 1;
        work.coefficients.gradientWeight = nesterov ? 1 : 0;
        UpdateLaunch.run(work, UpdateKernel.MOMENTUM, parameter, gradient, null, velocity);
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
        UpdateWork work = UpdateLaunch.begin("adam", parameter, gradient, first, second);
        UpdateLaunch.moments(work, step, beta1, beta2, epsilon);
        work.coefficients.rate = rate / (1 - DecayPower.of(beta1, step));
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        UpdateLaunch.run(work, UpdateKernel.ADAM, parameter, gradient, first, second);
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
        UpdateWork work = UpdateLaunch.begin("adaptive", parameter, gradient, null, squares);
        UpdateLaunch.squares(work, rate, squareDecay, squareWeight, epsilon, weightDecay);
        UpdateLaunch.run(work, UpdateKernel.ADAPTIVE, parameter, gradient, null, squares);
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
        UpdateWork work = UpdateLaunch.begin("adaptive", parameter, gradient, velocity, squares);
        UpdateLaunch.squares(work, rate, squareDecay, squareWeight, epsilon, weightDecay);
        work.coefficients.beta1 = momentum;
        UpdateLaunch.run(work, UpdateKernel.ADAPTIVE_MOMENTUM, parameter, gradient, velocity, squares);
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
        UpdateWork work = UpdateLaunch.begin("amsgrad", parameter, gradient, first, second, largest);
        UpdateLaunch.moments(work, step, beta1, beta2, epsilon);
        work.coefficients.rate = rate / (1 - DecayPower.of(beta1, step));
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        UpdateLaunch.run(work, UpdateKernel.AMSGRAD, parameter, gradient, first, second, largest);
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
        UpdateWork work = UpdateLaunch.begin("nadam", parameter, gradient, first, second);
        UpdateLaunch.moments(work, step, beta1, beta2, epsilon);
        work.coefficients.gradientWeight = gradientRate;
        work.coefficients.velocityWeight = meanRate;
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        UpdateLaunch.run(work, UpdateKernel.NADAM, parameter, gradient, first, second);
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
        UpdateWork work = UpdateLaunch.begin("radam", parameter, gradient, first, second);
        double power = DecayPower.of(beta2, step);
        double longest = 2 / (1 - beta2) - 1;
        double length = longest - 2 * step * power / (1 - power);
        boolean rectified = length > 5;
        double variance = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length);
        UpdateLaunch.moments(work, step, beta1, beta2, epsilon);
        work.coefficients.rootCorrection = 1;
        work.coefficients.rate =
                rate / (1 - DecayPower.of(beta1, step)) * (rectified ? Math.sqrt(variance) * Math.sqrt(1 - power) : 1);
        work.coefficients.decay = weightDecay;
        work.coefficients.shrinkage = parameterScale;
        UpdateLaunch.run(work, rectified ? UpdateKernel.ADAM : UpdateKernel.MEAN, parameter, gradient, first, second);
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
        UpdateWork work = UpdateLaunch.begin("adamax", parameter, gradient, first, largest);
        work.coefficients.rate = rate / (1 - DecayPower.of(beta1, step));
        work.coefficients.beta1 = beta1;
        work.coefficients.beta2 = beta2;
        work.coefficients.epsilon = epsilon;
        work.coefficients.decay = weightDecay;
        UpdateLaunch.run(work, UpdateKernel.ADAMAX, parameter, gradient, first, largest);
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
        UpdateWork work = UpdateLaunch.begin("adadelta", parameter, gradient, steps, squares);
        UpdateLaunch.squares(work, rate, rho, 1 - rho, epsilon, weightDecay);
        UpdateLaunch.run(work, UpdateKernel.ADADELTA, parameter, gradient, steps, squares);
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
        UpdateWork work = UpdateLaunch.begin("centered", parameter, gradient, mean, squares, velocity);
        UpdateLaunch.squares(work, rate, alpha, 1 - alpha, epsilon, weightDecay);
        work.coefficients.beta1 = alpha;
        work.coefficients.velocityWeight = momentum;
        UpdateKernel kernel = velocity == null ? UpdateKernel.CENTERED : UpdateKernel.CENTERED_MOMENTUM;
        UpdateLaunch.run(work, kernel, parameter, gradient, mean, squares, velocity);
    }

    /// LAMB, in three passes: [#lambMoments], and [#lambStep] with `rate·‖p‖/‖r‖`; the ratio is 1 where a norm is 0.
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
        UpdateWork work = UpdateLaunch.begin("lamb", parameter, gradient, first, second);
        if (parameter.size() == 0 || Launch.skips(parameter)) {
            return;
        }
        double norm = norm(parameter);
        UpdateLaunch.lamb(work, step, beta1, beta2, epsilon, weightDecay);
        double stepNorm = Math.sqrt(UpdateLaunch.lambMoments(work, parameter, gradient, first, second));
        work.coefficients.rate = rate * (norm > 0 && stepNorm > 0 ? norm / stepNorm : 1);
        UpdateLaunch.run(work, UpdateKernel.LAMB_STEP, parameter, null, first, second);
    }

    /// The first two of LAMB's three passes: moments as Adam's, and the squares of the step
    /// `r = m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + weightDecay·p`.
    ///
    /// @param parameter p, which stays as it is
    /// @param gradient g
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param step t, which is 1 for the first step
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of the parameter in r
    /// @param squares receives the sum of the squares of r over each [#UNIT] elements
    /// @param at the index of the first of these sums
    public static void lambMoments(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            long step,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double[] squares,
            int at) {
        UpdateWork work = UpdateLaunch.begin("lamb", parameter, gradient, first, second);
        if (parameter.size() == 0 || Launch.skips(parameter)) {
            return;
        }
        UpdateLaunch.lamb(work, step, beta1, beta2, epsilon, weightDecay);
        UpdateLaunch.lambMoments(work, parameter, gradient, first, second);
        work.copySums(squares, at);
        UpdateLaunch.changed(first);
        UpdateLaunch.changed(second);
    }

    /// The last of LAMB's three passes: `p ← p − rate·r` with the r of [#lambMoments].
    ///
    /// @param parameter p
    /// @param first m, the first moment
    /// @param second v, the second moment
    /// @param step t, which is 1 for the first step
    /// @param rate the learning rate times ‖p‖/‖r‖
    /// @param beta1 β₁
    /// @param beta2 β₂
    /// @param epsilon ε
    /// @param weightDecay the weight of the parameter in r
    public static void lambStep(
            Tensor parameter,
            Tensor first,
            Tensor second,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay) {
        UpdateWork work = UpdateLaunch.begin("lamb", parameter, null, first, second);
        UpdateLaunch.lamb(work, step, beta1, beta2, epsilon, weightDecay);
        work.coefficients.rate = rate;
        UpdateLaunch.run(work, UpdateKernel.LAMB_STEP, parameter, null, first, second);
    }

    /// Makes a state tensor: zeros of the shape and dtype of a parameter in the innermost arena, whose memory can
    /// move to another arena, also from a shared one, see [Tensor#moveTo(TensorArena)].
    ///
    /// @param parameter the parameter
    /// @return the state
    public static Tensor state(Tensor parameter) {
        return Tensor.make("state", parameter.dtype, parameter.shape, true).fill(0);
    }

    /// Notes that elements were changed through [Tensor#segment()], so that a later backward that would have read
    /// the old ones throws.
    ///
    /// @param tensor the changed tensor, or one that shares its memory
    /// @throws IllegalStateException if it is freed
    public static void changed(Tensor tensor) {
        tensor.requireModifiable("changed");
        UpdateLaunch.changed(tensor);
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
        UpdateLaunch.requireModifiable(op, parameter);
        UpdateLaunch.requireLike(op, parameter, gradient);
        for (Tensor kept : state) {
            UpdateLaunch.requireState(op, parameter, kept);
        }
    }

    /// The Euclidean norm of all elements, accumulated in double.
    ///
    /// @param tensor a contiguous floating tensor
    /// @return the norm, not rounded to the tensor's dtype
    public static double norm(Tensor tensor) {
        UpdateLaunch.requireWhole("norm", tensor);
        UpdateLaunch.requireUnrecorded("norm");
        return Launch.norm(tensor);
    }

    /// Sums the squares of each [#UNIT] consecutive elements, accumulated in double.
    ///
    /// @param tensor a contiguous floating tensor
    /// @param sums receives the sums
    /// @param at the index of the first of them
    public static void squares(Tensor tensor, double[] sums, int at) {
        UpdateLaunch.requireWhole("squares", tensor);
        UpdateLaunch.requireUnrecorded("squares");
        Launch.squares(tensor, sums, at);
    }

    /// {@return the norm of a tensor of which the squares of units were summed: the root of their total}
    ///
    /// @param sums the sums that [#squares] or [#lambMoments] made
    /// @param from the index of the tensor's first sum
    /// @param units the number of its sums
    public static double norm(double[] sums, int from, int units) {
        return Math.sqrt(UpdateWork.total(sums, from, units));
    }

    /// `tensor ← tensor + other`
    ///
    /// @param tensor the tensor to add to
    /// @param other a tensor of its shape and dtype
    public static void add(Tensor tensor, Tensor other) {
        UpdateLaunch.requireModifiable("add", tensor);
        UpdateLaunch.requireLike("add", tensor, other);
        UpdateLaunch.requireUnrecorded("add");
        if (!Launch.skips(tensor)) {
            Families.accumulate(tensor, other);
            tensor.storage.version++;
        }
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
        UpdateLaunch.requireWhole("allFinite", tensor);
        UpdateLaunch.requireUnrecorded("allFinite");
        return Launch.allFinite(tensor);
    }

    /// `tensor ← factor·tensor`
    ///
    /// @param tensor the tensor to scale
    /// @param factor the factor
    public static void scale(Tensor tensor, double factor) {
        UpdateLaunch.requireModifiable("scale", tensor);
        UpdateLaunch.requireUnrecorded("scale");
        inPlace(tensor, BinaryKernel.MULTIPLY, factor);
    }

    /// `tensor ← min(max(tensor, −bound), bound)`, NaN staying NaN.
    ///
    /// @param tensor the tensor to bound
    /// @param bound the bound, 0 or more
    public static void clamp(Tensor tensor, double bound) {
        UpdateLaunch.requireModifiable("clamp", tensor);
        UpdateLaunch.requireUnrecorded("clamp");
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
}
