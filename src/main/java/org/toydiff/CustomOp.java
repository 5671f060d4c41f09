package org.toydiff;

/// An op of the caller's: a kernel over memory, and a gradient rule in tensor algebra. [Tensor#custom(CustomOp,
/// Tensor...)] applies it.
///
/// ```java
/// /// `y = x·|x|`
/// record SignedSquare() implements CustomOp {
///     public void compute(Tensor[] inputs, Tensor y) {
///         MemorySegment x = inputs[0].segment();
///         for (long i = 0; i < y.size(); i++) {
///             float v = x.getAtIndex(JAVA_FLOAT, i);
///             y.segment().setAtIndex(JAVA_FLOAT, i, v * Math.abs(v));
///         }
///     }
///
///     public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
///         return g.multiply(inputs[0].abs().multiply(2));
///     }
/// }
/// ```
///
/// [#readsInput(int)] and [#readsOutput()] declare the values that the gradient reads; the others may be freed
/// before it runs, and reading them throws. The op itself must hold no tensor, only numbers: a record of settings.
public interface CustomOp {
    /// The name in messages, schedules and drawings.
    ///
    /// @return the name of the class, unless overridden
    default String name() {
        return getClass().getSimpleName();
    }

    /// The shape of the output. It must throw IllegalArgumentException where the inputs do not fit.
    ///
    /// @param inputs the operands, of which shapes and dtypes may be read and no elements
    /// @return the shape; that of the first input unless overridden
    default long[] shape(Tensor... inputs) {
        return inputs[0].shape();
    }

    /// Computes the output. Not called in a prediction.
    ///
    /// @param inputs the operands, contiguous; not to be modified
    /// @param y the output, contiguous, of the first input's dtype, its elements not set: every one is to
    ///     be written
    void compute(Tensor[] inputs, Tensor y);

    /// Whether a replay of a [CompiledFunction] may call [#compute] again in place of the op: it then reads other
    /// elements from tensors of the same shapes.
    ///
    /// @return true unless overridden; if false, the op cannot be recorded
    default boolean isReplayable() {
        return true;
    }

    /// Whether the gradient reads the value of an input.
    ///
    /// @param input which one, from 0 on
    /// @return true unless overridden
    default boolean readsInput(int input) {
        return true;
    }

    /// Whether the gradient reads the value of the output.
    ///
    /// @return false unless overridden
    default boolean readsOutput() {
        return false;
    }

    /// Returns the contribution of the output's gradient to that of an input, computed by ops alone, so that it can
    /// be predicted and differentiated again.
    ///
    /// @param input which one, from 0 on
    /// @param g the gradient of the output
    /// @param inputs the operands as they were given
    /// @param y the output
    /// @return a tensor of the input's shape and dtype, in an arena that is open still
    Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y);
}
