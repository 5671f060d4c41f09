package org.toydiff.internal.kernels;

import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Coefficients of an optimizer step, for [UpdateKernel]. One object per thread, set before each step.
public final class Coefficients {
    /// The learning rate, which multiplies the step.
    public double rate;

    /// The factor of the gradient; in LAMB the first moment's bias correction, `1/(1 − β₁ᵗ)`.
    public double scale;

    /// L2 regularisation: this times the parameter is added to the gradient. (In LAMB: to the step.)
    public double decay;

    /// Decoupled weight decay: the parameter's factor, `1 − rate·decay`.
    public double shrinkage;

    /// The decay rate of the first moment, or the momentum of the velocity.
    public double beta1;

    /// The decay rate of the second moment.
    public double beta2;

    /// The weight of the gradient's square in the second moment, `1 − β₂` or 1.
    public double squareWeight;

    /// The bias correction of the second moment's root, `1/√(1 − β₂ᵗ)` or 1.
    public double rootCorrection;

    /// The term added to that root.
    public double epsilon;

    /// The velocity's weight in the step: 1, or Nesterov's momentum; in centered RMSProp the momentum.
    public double velocityWeight;

    /// The gradient's weight in the step: 0, or 1 with Nesterov's momentum.
    public double gradientWeight;

    // Indices into a kernel's parameters.
    private static final int RATE = 0;
    private static final int SCALE = 1;
    private static final int DECAY = 2;
    private static final int SHRINKAGE = 3;
    private static final int BETA1 = 4;
    private static final int MEAN_WEIGHT = 5;
    private static final int BETA2 = 6;
    private static final int SQUARE_WEIGHT = 7;
    private static final int ROOT_CORRECTION = 8;
    private static final int EPSILON = 9;
    private static final int VELOCITY_WEIGHT = 10;
    private static final int GRADIENT_WEIGHT = 11;

    /// The number of a kernel's parameters.
    static final int COUNT = 12;

    private final double[] parameters = new double[COUNT];

    /// For use by [org.toydiff] only.
    public Coefficients() {}

    /// {@return the coefficients as a kernel's parameters, in an array that belongs to this object}
    public double[] parameters() {
        parameters[RATE] = rate;
        parameters[SCALE] = scale;
        parameters[DECAY] = decay;
        parameters[SHRINKAGE] = shrinkage;
        parameters[BETA1] = beta1;
        parameters[MEAN_WEIGHT] = 1 - beta1;
        parameters[BETA2] = beta2;
        parameters[SQUARE_WEIGHT] = squareWeight;
        parameters[ROOT_CORRECTION] = rootCorrection;
        parameters[EPSILON] = epsilon;
        parameters[VELOCITY_WEIGHT] = velocityWeight;
        parameters[GRADIENT_WEIGHT] = gradientWeight;
        return parameters;
    }

    /// The coefficients in an expression.
    record Symbols(
            Real rate,
            Real scale,
            Real decay,
            Real shrinkage,
            Real beta1,
            Real meanWeight,
            Real beta2,
            Real squareWeight,
            Real rootCorrection,
            Real epsilon,
            Real velocityWeight,
            Real gradientWeight) {
        static Symbols of(Precision p) {
            return new Symbols(
                    p.parameter(RATE),
                    p.parameter(SCALE),
                    p.parameter(DECAY),
                    p.parameter(SHRINKAGE),
                    p.parameter(BETA1),
                    p.parameter(MEAN_WEIGHT),
                    p.parameter(BETA2),
                    p.parameter(SQUARE_WEIGHT),
                    p.parameter(ROOT_CORRECTION),
                    p.parameter(EPSILON),
                    p.parameter(VELOCITY_WEIGHT),
                    p.parameter(GRADIENT_WEIGHT));
        }
    }
}
