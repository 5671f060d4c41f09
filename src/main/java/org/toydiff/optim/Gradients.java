package org.toydiff.optim;

import java.util.List;
import org.toydiff.CompiledFunction;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// Clips and checks gradients between backward and the optimizer's step.
///
/// ```java
/// loss.backward(Release.EAGER);
/// Gradients.clipNorm(net.parameters(), 1);
/// if (Gradients.areFinite(net.parameters())) {
///     optimizer.step();
/// }
/// optimizer.zeroGradients();
/// ```
public final class Gradients {
    private Gradients() {}

    /// Scales all gradients so that their joint norm is at most `maxNorm`, as PyTorch's clip_grad_norm_.
    ///
    /// **Memory** gradients are modified in place; parameters without a gradient are skipped.
    ///
    /// @param parameters the parameters whose gradients to clip
    /// @param maxNorm the bound, positive
    /// @return the Euclidean norm of all gradients together before clipping; if it is not finite, nothing is
    ///     changed. A compiled function clips in each run, and gets the norm of the recorded one alone
    /// @throws IllegalArgumentException if the bound is not positive
    public static double clipNorm(List<Tensor> parameters, double maxNorm) {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("clipNorm: maxNorm " + maxNorm + " must be positive");
        }
        double[] norm = new double[1];
        CompiledFunction.onEachRun("clipNorm", () -> norm[0] = clip(parameters, maxNorm));
        return norm[0];
    }

    private static double clip(List<Tensor> parameters, double maxNorm) {
        double squares = 0;
        for (int i = 0; i < parameters.size(); i++) {
            Tensor parameter = parameters.get(i);
            if (parameter.hasGradient()) {
                double norm = Updates.norm(parameter.gradient());
                squares += norm * norm;
            }
        }
        double norm = Math.sqrt(squares);
        if (norm > maxNorm && Double.isFinite(norm)) {
            for (int i = 0; i < parameters.size(); i++) {
                Tensor parameter = parameters.get(i);
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
        CompiledFunction.onEachRun("clipValue", () -> clamp(parameters, bound));
    }

    private static void clamp(List<Tensor> parameters, double bound) {
        for (int i = 0; i < parameters.size(); i++) {
            if (parameters.get(i).hasGradient()) {
                Updates.clamp(parameters.get(i).gradient(), bound);
            }
        }
    }

    /// Returns whether all elements of all gradients are finite, neither NaN nor infinite: a step with others would
    /// spoil the parameters.
    ///
    /// **Memory** one pass over each gradient, which allocates nothing; parameters without a gradient are skipped.
    ///
    /// @param parameters the parameters whose gradients to check
    /// @return whether all are finite, as without gradients
    public static boolean areFinite(List<Tensor> parameters) {
        for (int i = 0; i < parameters.size(); i++) {
            if (parameters.get(i).hasGradient()
                    && !Updates.allFinite(parameters.get(i).gradient())) {
                return false;
            }
        }
        return true;
    }
}
