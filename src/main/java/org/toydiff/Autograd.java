package org.toydiff;

import java.util.List;
import java.util.function.UnaryOperator;

/// Gradients beyond [Tensor#backward()].
public final class Autograd {
    private Autograd() {}

    /// The gradients of y's sum to xs, returned, while `gradient()` of every tensor stays as it is.
    ///
    /// @param y what to differentiate
    /// @param xs tensors that track gradients, leaves or intermediates
    /// @return one gradient for each of xs, zeros where y does not depend on it; in the innermost arena
    /// @throws IllegalStateException if y or one of xs tracks no gradient, or the graph was released
    public static List<Tensor> gradients(Tensor y, List<Tensor> xs) {
        return gradients(y, xs, false);
    }

    /// As [#gradients(Tensor, List)]; with `createGraph` the gradients are themselves recorded and can be
    /// differentiated again.
    ///
    /// @param y what to differentiate
    /// @param xs tensors that track gradients, leaves or intermediates
    /// @param createGraph whether to record; everything made on the way then stays until the arena closes
    /// @return one gradient for each of xs, zeros where y does not depend on it; in the innermost arena
    /// @throws IllegalStateException if y or one of xs tracks no gradient, or the graph was released
    public static List<Tensor> gradients(Tensor y, List<Tensor> xs, boolean createGraph) {
        return Backward.gradients(y, xs, createGraph);
    }

    /// Begins a region in which this thread records nothing: for inference, metrics and updates.
    ///
    /// @return the region, to be closed on this thread; until it is, an arena around it cannot be closed
    public static Region noGradient() {
        return Scope.current().begin("noGradient region", false);
    }

    /// `f(x)`, keeping none of the intermediates: backward computes them again, which costs a second forward and
    /// saves their memory. Random tensors are drawn as the first time, whatever other threads draw.
    ///
    /// **Memory** what f makes is freed when f returns, save its result; the release schedule shows what backward
    /// makes and frees again. Gradients are those of f.
    ///
    /// @param f a composition of ops that gives the same result for the same input, reads no elements and changes
    ///     nothing
    /// @param x its input
    /// @param parameters the other tensors that f computes with and that track gradients
    /// @return `f(x)`; backward of it throws IllegalStateException if f draws more or fewer random tensors then
    /// @throws IllegalArgumentException if f computes with a tensor that tracks gradients and is neither x nor among
    ///     the parameters: it would get none
    public static Tensor checkpoint(UnaryOperator<Tensor> f, Tensor x, List<Tensor> parameters) {
        return Recompute.of(f, x, parameters);
    }

    /// The graph that a tensor was computed by, in Graphviz's DOT language: op, shape and bytes of each
    /// value, and the step at which `backward(Release.EAGER)` frees it and its gradient. `dot -Tsvg` turns
    /// it into a picture.
    ///
    /// @param y the tensor
    /// @return the text of a `.dot` file
    /// @throws IllegalStateException if it tracks no gradient, or its graph was released
    public static String draw(Tensor y) {
        return GraphDrawing.of(y);
    }
}
