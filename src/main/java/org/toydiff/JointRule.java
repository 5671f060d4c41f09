package org.toydiff;

/// The gradients of an op to all of its inputs at once, where they share most of their work. Unlike a [Rule] it may
/// hold tensors: those that it lists as inputs.
interface JointRule {
    /// What the gradient `g` of output `y` contributes to the gradients of the inputs.
    ///
    /// @param wanted which of them are wanted
    /// @return one for each input; null where it is not wanted
    Tensor[] contributions(Tensor g, Tensor[] inputs, Tensor y, boolean[] wanted);

    /// Whether it reads value i: input i, or the output for i = the number of inputs.
    boolean reads(int i);
}
