package org.toydiff;

import org.toydiff.internal.launch.Shape;

/// The parts that quantiles and medians share: positions of the elements of a rank, and interpolation between them.
final class Quantiles {
    private Quantiles() {}

    static void requireQuantile(String op, double q) {
        if (!(q >= 0 && q <= 1)) {
            throw new IllegalArgumentException(op + ": q " + q + " is out of range; give 0 to 1");
        }
    }

    /// The axis, counted from the front, along which there is something.
    static int nonEmptyAxis(String op, Tensor x, int axis) {
        int along = Shape.axis(op, axis, x.rank());
        Families.requireElements(x, op, Families.one(x, op, along));
        return along;
    }

    /// The positions of the elements of these ranks along an axis, or of a NaN where there is one: INT64, as long
    /// along the axis as there are ranks.
    static Tensor positions(String op, Tensor x, int along, long... ranks) {
        Tensor positions = Tensor.make(op, DType.INT64, length(x, along, ranks.length), false);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Tensor order = x.argsort(along);
            Tensor last = order.slice(along, x.size(along) - 1, x.size(along));
            Tensor largest = x.gather(along, last);
            // Only NaN differs from itself.
            Tensor comparable = largest.equalTo(largest);
            Tensor ranked = order.indexSelect(along, Tensor.of(ranks));
            positions.copyFrom(Tensor.where(comparable, ranked, last));
        }
        return positions;
    }

    /// The shape of x with n positions along an axis.
    static long[] length(Tensor x, int along, long n) {
        long[] shape = x.shape.clone();
        shape[along] = n;
        return shape;
    }

    /// `a + weight·(b − a)`, from the nearer end, as PyTorch's `lerp`.
    static Tensor interpolated(Tensor a, Tensor b, double weight) {
        Tensor distance = b.subtract(a);
        return weight < 0.5 ? a.add(distance.multiply(weight)) : b.subtract(distance.multiply(1 - weight));
    }

    /// [#interpolated(Tensor, Tensor, double)] for FLOAT64 weights that broadcast with a and b; a where the weight is
    /// 0, so that infinities leave no NaN.
    static Tensor interpolated(Tensor a, Tensor b, Tensor weight) {
        Tensor distance = b.subtract(a);
        Tensor near = a.add(distance.multiply(weight.cast(a.dtype)));
        Tensor far = b.subtract(distance.multiply(weight.negative().add(1).cast(a.dtype)));
        Tensor between = Tensor.where(weight.less(0.5), near, far);
        return Tensor.where(weight.equalTo(0), a, between);
    }
}
