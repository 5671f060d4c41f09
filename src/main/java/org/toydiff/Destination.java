package org.toydiff;

/// Where the product that a gradient rule ends in may be put, so that nothing is copied or added afterwards: onto the
/// gradient that it contributes to, or over the output of the activation whose gradient it is.
///
/// Made for one contribution of one rule: whatever the rule does, the next one begins with another.
final class Destination {
    private final Backward walk;

    /// The gradient that may be added to, or null.
    private final Tensor gradient;

    /// Whose gradient that is when it is a leaf's; else null.
    private final Tensor leaf;

    /// The activation whose output may be written over, and that output; or null.
    private final Node activation;

    private final Tensor output;

    private boolean through;

    private Destination(Backward walk, Tensor gradient, Tensor leaf, Node activation, Tensor output) {
        this.walk = walk;
        this.gradient = gradient;
        this.leaf = leaf;
        this.activation = activation;
        this.output = output;
    }

    /// Onto the block of a leaf's gradient, which may hold none yet; the caller holds the leaf's lock.
    static Destination ofLeaf(Backward walk, Tensor leaf, Tensor gradient) {
        return new Destination(walk, gradient, leaf, null, null);
    }

    /// Onto the gradient that waits already.
    static Destination of(Backward walk, Tensor gradient) {
        return new Destination(walk, gradient, null, null, null);
    }

    /// Over the output of an activation.
    static Destination over(Backward walk, Node activation, Tensor output) {
        return new Destination(walk, null, null, activation, output);
    }

    /// The gradient to add a product of that dtype and shape to, or null. The product must then be the rule's result.
    Tensor gradient(DType dtype, long rows, long columns) {
        if (!fits(gradient, dtype, rows, columns)) {
            return null;
        }
        if (leaf != null) {
            walk.changing(leaf);
        }
        return gradient;
    }

    /// What is to be kept of [#gradient]: 1 when it holds one, 0 when its block holds nothing yet.
    double beta() {
        return leaf == null || leaf.gradientSet ? 1 : 0;
    }

    /// A gradient in the block of the activation's output, for a product of that dtype and shape, or null. It still
    /// holds that output; the product is to go through [#activation()]'s gradient with it, element by element, and
    /// must then be the rule's result.
    Tensor over(DType dtype, long rows, long columns) {
        if (!fits(output, dtype, rows, columns)) {
            return null;
        }
        through = true;
        return walk.handOver(output, activation().gradientOp);
    }

    Activation activation() {
        return ((Activation.Through) activation.rules[0]).activation();
    }

    /// Whether `contribution` is what the rule made of [#gradient].
    boolean holds(Tensor contribution) {
        return contribution == gradient;
    }

    /// Whether the rule's result has gone through the activation already.
    boolean isThrough() {
        return through;
    }

    private static boolean fits(Tensor t, DType dtype, long rows, long columns) {
        return t != null && t.dtype == dtype && t.rank() == 2 && t.shape[0] == rows && t.shape[1] == columns;
    }
}
