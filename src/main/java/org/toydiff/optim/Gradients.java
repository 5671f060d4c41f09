package org.toydiff.optim;

import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Clips gradients between backward and the optimizer's step.
public final class Gradients {
    private Gradients() {}

    /// Scales all gradients so that their joint norm is at most `maxNorm`, as PyTorch's clip_grad_norm_.
    ///
    /// **Memory** gradients are modified in place; parameters without a gradient are skipped.
    ///
    /// @param parameters the parameters whose gradients to clip
    /// @param maxNorm the bound, positive
    /// @return the Euclidean norm of all gradients together before clipping; if it is not finite, nothing is
    ///     changed
    /// @throws IllegalArgumentException if the bound is not positive
    public static double clipNorm(List<Tensor> parameters, double maxNorm) {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("clipNorm: maxNorm " + maxNorm + " must be positive");
        }
        double squares = 0;
        for (Tensor parameter : parameters) {
            if (parameter.hasGradient()) {
                double norm = Updates.norm(parameter.gradient());
                squares += norm * norm;
            }
        }
        double norm = Math.sqrt(squares);
        if (norm > maxNorm && Double.isFinite(norm)) {
            for (Tensor parameter : parameters) {
                if (parameter.hasGradient()) {
                    // PyTorch adds the same 1e-6.
                    Updates.scale(parameter.gradient(), maxNorm / (norm + 1e-6));
                }
            }
        }
        return norm;
    }

    /// Clips every element of the gradients to `±bound`, as PyTorch's clip_grad_value_; NaN stays NaN.
    ///
    /// **Memory** gradients are modified in place; parameters without a gradient are skipped.
    ///
    /// @param parameters the parameters whose gradients to clip
    /// @param bound the bound, positive
    /// @throws IllegalArgumentException if the bound is not positive
    public static void clipValue(List<Tensor> parameters, double bound) {
        if (!(bound > 0)) {
            throw new IllegalArgumentException("clipValue: bound " + bound + " must be positive");
        }
        for (Tensor parameter : parameters) {
            if (parameter.hasGradient()) {
                Updates.clamp(parameter.gradient(), bound);
            }
        }
    }
}
