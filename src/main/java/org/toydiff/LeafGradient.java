package org.toydiff;

import java.util.Arrays;

/// The gradient of a leaf: one block, made once, in the leaf's own arena. Several threads may go backward to one leaf,
/// so it is changed under the leaf's lock.
final class LeafGradient {
    private LeafGradient() {}

    /// The block, which holds no gradient yet when it is made now.
    static Tensor of(Tensor leaf) {
        if (leaf.gradient == null) {
            leaf.gradient = Tensor.makeIn(leaf.storage.home, "gradient", leaf.dtype, leaf.shape);
        }
        return leaf.gradient;
    }

    /// Adds `contribution`, summed to the leaf's shape, and notes so in `log`.
    static void add(Tensor leaf, Tensor contribution, GradientLog log) {
        synchronized (leaf.storage) {
            Tensor gradient = of(leaf);
            log.changing(leaf);
            boolean stretched = !Arrays.equals(contribution.shape, leaf.shape);
            if (leaf.gradientSet || !stretched || !Families.sumInto(gradient, contribution)) {
                Tensor c = contribution.sumTo(leaf.shape);
                if (leaf.gradientSet) {
                    Families.accumulate(gradient, c);
                } else {
                    Launch.unary(Families.copy(c.dtype), c, gradient);
                }
            }
            leaf.gradientSet = true;
        }
    }
}
