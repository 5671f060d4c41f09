package org.toydiff;

import java.util.Arrays;

/// Optimizer steps in one pass over parameter, gradient and state, in place. Nothing is recorded and nothing made.
///
/// All tensors of a step have one shape and one dtype, FLOAT32 or FLOAT64, and are contiguous. The parameter and
/// its state are modified, the gradient is not. A later backward that would have read the parameter's old elements
/// throws.
public final class Updates {
    private Updates() {}

    /// Gradient descent: `p ← p − rate·g`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param rate the learning rate
    /// @throws IllegalArgumentException if shapes or dtypes differ, or one is not contiguous
    public static void sgd(Tensor parameter, Tensor gradient, double rate) {
        requireModifiable("sgd", parameter);
        requireLike("sgd", parameter, gradient);
        if (parameter.size() > 0) {
            Scope.current().updates.sgd(parameter, gradient, null, rate, 0);
        }
        parameter.storage.version++;
    }

    /// Gradient descent with momentum: `v ← momentum·v + g`, `p ← p − rate·v`.
    ///
    /// @param parameter p
    /// @param gradient g
    /// @param velocity v
    /// @param rate the learning rate
    /// @param momentum what is kept of the velocity
    /// @throws IllegalArgumentException if shapes or dtypes differ, or one is not contiguous
    public static void sgd(Tensor parameter, Tensor gradient, Tensor velocity, double rate, double momentum) {
        requireModifiable("sgd", parameter);
        requireModifiable("sgd", velocity);
        requireLike("sgd", parameter, gradient);
        requireLike("sgd", parameter, velocity);
        if (parameter.size() > 0) {
            Scope.current().updates.sgd(parameter, gradient, velocity, rate, momentum);
        }
        parameter.storage.version++;
        velocity.storage.version++;
    }

    /// Adam, with ε outside the root: `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`,
    /// `p ← p − rate / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`.
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
    /// @throws IllegalArgumentException if shapes or dtypes differ, or one is not contiguous
    public static void adam(
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            long step,
            double rate,
            double beta1,
            double beta2,
            double epsilon) {
        requireModifiable("adam", parameter);
        requireModifiable("adam", first);
        requireModifiable("adam", second);
        requireLike("adam", parameter, gradient);
        requireLike("adam", parameter, first);
        requireLike("adam", parameter, second);
        if (parameter.size() > 0) {
            double corrected = rate / (1 - Math.pow(beta1, step));
            double scale = 1 / Math.sqrt(1 - Math.pow(beta2, step));
            UpdateWork work = Scope.current().updates;
            work.adam(parameter, gradient, first, second, corrected, beta1, beta2, scale, epsilon);
        }
        parameter.storage.version++;
        first.storage.version++;
        second.storage.version++;
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
        requireWhole(op, t);
        if (t.storage.segment().isReadOnly()) {
            throw new IllegalArgumentException(op + ": the memory of " + Shape.text(t.shape) + " is read-only");
        }
    }
}
