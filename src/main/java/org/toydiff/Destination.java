package org.toydiff;

/// Where a [Rule.WritesTo] may put its contribution, so that nothing is copied or added afterwards: onto the gradient
/// that it contributes to, or over the output of an activation. A contribution that was put there must be the rule's
/// result.
///
/// Made for one contribution of one rule: whatever that rule does, the next one starts with another.
abstract sealed class Destination {
    /// No place that exists already: the contribution is a new tensor.
    static final Destination NEW = new None();

    /// Returns the gradient to add a contribution of that dtype and shape to, or null.
    Tensor gradient(DType dtype, long rows, long columns) {
        return null;
    }

    /// Returns the factor of the elements in [#gradient]: 1, or 0 where its block holds no gradient yet.
    double beta() {
        return 1;
    }

    /// Returns a gradient in the block of the activation's output, for a contribution of that dtype and shape,
    /// or null. It still holds that output; the contribution is to go through the gradient of [#activation()]
    /// with it, element by
    /// element.
    Tensor over(DType dtype, long rows, long columns) {
        return null;
    }

    /// Returns the activation for [#over].
    Activation activation() {
        return null;
    }

    /// Whether `contribution` is part of the gradient already.
    boolean holds(Tensor contribution) {
        return false;
    }

    private static boolean fits(Tensor t, DType dtype, long rows, long columns) {
        return t.dtype == dtype && t.rank() == 2 && t.shape[0] == rows && t.shape[1] == columns;
    }

    private static final class None extends Destination {}

    /// Onto a gradient that waits for further contributions and may be changed in place.
    static final class Waiting extends Destination {
        private final Tensor gradient;

        Waiting(Tensor gradient) {
            this.gradient = gradient;
        }

        @Override
        Tensor gradient(DType dtype, long rows, long columns) {
            return fits(gradient, dtype, rows, columns) ? gradient : null;
        }

        @Override
        boolean holds(Tensor contribution) {
            return contribution == gradient;
        }
    }

    /// Onto the block of a leaf's gradient, under the leaf's lock.
    static final class Leaf extends Destination {
        private final GradientSums sums;
        private final Tensor leaf;

        Leaf(GradientSums sums, Tensor leaf) {
            this.sums = sums;
            this.leaf = leaf;
        }

        @Override
        Tensor gradient(DType dtype, long rows, long columns) {
            if (!fits(leaf, dtype, rows, columns)) {
                return null;
            }
            sums.changing(leaf);
            return leaf.gradient;
        }

        @Override
        double beta() {
            return leaf.gradientSet ? 1 : 0;
        }

        @Override
        boolean holds(Tensor contribution) {
            return contribution == leaf.gradient;
        }
    }

    /// Over the output of an activation, with whose gradient the contribution is complete.
    static final class Output extends Destination {
        private final Backward walk;
        private final Node activation;
        private final Tensor output;

        Output(Backward walk, Node activation, Tensor output) {
            this.walk = walk;
            this.activation = activation;
            this.output = output;
        }

        @Override
        Tensor over(DType dtype, long rows, long columns) {
            return fits(output, dtype, rows, columns) ? walk.handOver(activation, output) : null;
        }

        @Override
        Activation activation() {
            return activation.activation();
        }
    }
}
