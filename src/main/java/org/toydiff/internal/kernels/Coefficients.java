package org.toydiff.internal.kernels;

/// The numbers of an optimizer's step, for [UpdateKernels]. One object for each thread, set anew for each step.
public final class Coefficients {
    /// What a step is multiplied by.
    public double rate;

    /// What the gradient is multiplied by.
    public double scale;

    /// How much of the parameter is added to the gradient: L2 regularisation. (In LAMB: to the step.)
    public double decay;

    /// What is kept of the parameter: decoupled weight decay.
    public double kept;

    /// What is kept of the first moment, or of the velocity.
    public double first;

    /// What is kept of the second moment, and what is taken of the gradient's square.
    public double second;

    public double square;

    /// What the root of the second moment is multiplied by, and what is added to it then.
    public double root;

    public double epsilon;

    /// The step's direction: so much of the velocity and so much of the gradient.
    public double along;

    public double look;

    /// For [org.toydiff] alone.
    public Coefficients() {}
}
