package org.toydiff;

import java.util.Arrays;
import org.toydiff.internal.launch.Shape;

/// Tensors put together along an axis.
final class Joining {
    private Joining() {}

    static Tensor concat(int axis, Tensor... parts) {
        requireParts("concat", parts);
        Tensor first = parts[0];
        int at = Shape.axis("concat", axis, first.rank());
        long[] shape = first.shape.clone();
        shape[at] = 0;
        for (Tensor part : parts) {
            requireFits(first, part, at);
            shape[at] = joined(shape, part.shape, at);
        }
        boolean recorded = Tensor.anyRecorded(parts);
        Tensor y = Tensor.make("concat", first.dtype, shape, recorded);
        Rule[] rules = new Rule[parts.length];
        long from = 0;
        for (int i = 0; i < parts.length; i++) {
            Tensor part = parts[i];
            Tensor place = y.view(y.offset + from * y.strides[at], part.shape, y.strides);
            Launch.unary(Families.copy(y.dtype), part, place);
            rules[i] = part(at, from);
            from += part.shape[at];
        }
        return recorded ? y.record("concat", null, rules, parts.clone()) : y;
    }

    /// The size of the axis that is joined.
    private static long joined(long[] shape, long[] part, int axis) {
        if (shape[axis] > Long.MAX_VALUE - part[axis]) {
            throw new IllegalArgumentException("concat: " + Shape.text(shape) + " and " + Shape.text(part)
                    + " are longer together along axis " + axis + " than a long can count; join fewer");
        }
        return shape[axis] + part[axis];
    }

    /// The gradient of the part that begins at a position.
    private static Rule part(int axis, long from) {
        return Rule.readsShape((g, shape) -> g.slice(axis, from, from + shape[axis]));
    }

    static Tensor stack(int axis, Tensor... parts) {
        requireParts("stack", parts);
        long[] shape = parts[0].shape;
        int at = Shape.axis("stack", axis, shape.length + 1);
        Tensor[] slices = new Tensor[parts.length];
        for (int i = 0; i < parts.length; i++) {
            if (!Arrays.equals(parts[i].shape, shape)) {
                throw new IllegalArgumentException("stack: " + Shape.text(shape) + " and " + Shape.text(parts[i].shape)
                        + " (tensor " + i + ") differ in shape; concat joins along an axis that is there");
            }
            slices[i] = parts[i].unsqueeze(at);
        }
        return concat(at, slices);
    }

    private static void requireParts(String op, Tensor[] parts) {
        if (parts.length == 0) {
            throw new IllegalArgumentException(op + ": there are no tensors; give one or more");
        }
        for (Tensor part : parts) {
            part.requireReadable(op);
            parts[0].requireSameDType(op, part);
        }
    }

    private static void requireFits(Tensor first, Tensor part, int at) {
        boolean fits = part.rank() == first.rank();
        for (int i = 0; fits && i < part.rank(); i++) {
            fits = i == at || part.shape[i] == first.shape[i];
        }
        if (!fits) {
            throw new IllegalArgumentException("concat: " + Shape.text(first.shape) + " and " + Shape.text(part.shape)
                    + " differ beyond axis " + at + "; only the joined axis may");
        }
    }
}
