package org.toydiff;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.internal.launch.Shape;

/// The ops that have no operand to be called on. [Tensor] declares them, because callers from Scala and by
/// reflection find static methods in the class that declares them only.
final class StaticOps {
    /// Bits of a rule's reads that are free for inputs: see [Rule#OUTPUT].
    private static final int MAX_INPUTS = 30;

    private StaticOps() {}

    static Tensor where(Tensor condition, Tensor first, Tensor second) {
        Tensor a = Autocast.beside(first, second);
        Tensor b = Autocast.beside(second, first);
        condition.requireReadable("where");
        a.requireReadable("where");
        b.requireReadable("where");
        a.requireCommonDType("where", b);
        if (condition.dtype != DType.BOOL) {
            throw new IllegalArgumentException("where: the condition " + Shape.text(condition.shape) + " is "
                    + condition.dtype + "; compare it, or cast it to BOOL");
        }
        long[] shape = Shape.broadcast("where", condition.shape, Shape.broadcast("where", a.shape, b.shape));
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("where", a.dtype, shape, recorded);
        Launch.unary(Families.copy(y.dtype), b, y);
        Launch.binary(Families.put(y.dtype), a, condition, y);
        return recorded ? y.record("where", null, WHERE, condition, a, b) : y;
    }

    private static final Rule[] WHERE = {null, new Branch(true), new Branch(false)};

    /// The gradient where a branch was taken.
    private record Branch(boolean first) implements Rule.Single {
        @Override
        public int reads(int own) {
            return 1;
        }

        @Override
        public Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            Tensor zero = g.zero();
            return first ? where(inputs[0], g, zero) : where(inputs[0], zero, g);
        }
    }

    static Tensor concat(int axis, Tensor... parts) {
        return concat("concat", axis, parts);
    }

    private static Tensor concat(String op, int axis, Tensor... given) {
        Tensor[] parts = Autocast.ofOneDType(given);
        requireParts(op, parts);
        Tensor first = parts[0];
        int at = Shape.axis(op, axis, first.rank());
        long[] shape = first.shape.clone();
        shape[at] = 0;
        for (Tensor part : parts) {
            requireFits(first, part, at);
            shape[at] = joined(shape, part.shape, at);
        }
        boolean recorded = Tensor.anyRecorded(parts);
        Tensor y = Tensor.make(op, first.dtype, shape, recorded);
        Rule[] rules = new Rule[parts.length];
        long from = 0;
        for (int i = 0; i < parts.length; i++) {
            Tensor part = parts[i];
            Tensor place = Families.part(y, at, from, from + part.shape[at]);
            Launch.unary(Families.copy(y.dtype), part, place);
            rules[i] = part(at, from);
            from += part.shape[at];
        }
        return recorded ? y.record(op, null, rules, parts.clone()) : y;
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

    static Tensor stack(int axis, Tensor... given) {
        Tensor[] parts = Autocast.ofOneDType(given);
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
        return concat("stack", at, slices);
    }

    static List<Tensor> meshgrid(Tensor... axes) {
        if (axes.length == 0) {
            throw new IllegalArgumentException("meshgrid: there are no vectors; give one or more");
        }
        long[] shape = new long[axes.length];
        for (int i = 0; i < axes.length; i++) {
            if (axes[i].rank() > 1) {
                throw new IllegalArgumentException("meshgrid: " + Shape.text(axes[i].shape) + " (tensor " + i
                        + ") must be a vector; reshape(-1) makes one");
            }
            shape[i] = axes[i].size();
        }
        List<Tensor> grids = new ArrayList<>();
        for (int i = 0; i < axes.length; i++) {
            long[] alone = new long[axes.length];
            Arrays.fill(alone, 1);
            alone[i] = shape[i];
            grids.add(axes[i].reshape(alone).broadcastTo(shape));
        }
        return List.copyOf(grids);
    }

    private static void requireParts(String op, Tensor[] parts) {
        if (parts.length == 0) {
            throw new IllegalArgumentException(op + ": there are no tensors; give one or more");
        }
        for (Tensor part : parts) {
            part.requireReadable(op);
            parts[0].requireCommonDType(op, part);
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

    static Tensor custom(CustomOp op, Tensor... inputs) {
        String name = op.name();
        requireInputs(name, inputs);
        requireNoTensor(op);
        Tensor first = inputs[0];
        long[] shape = op.shape(inputs.clone()).clone();
        boolean recorded = Tensor.anyRecorded(inputs);
        Tensor y = Tensor.make(name, first.dtype, shape, recorded);
        if (!y.storage.isAbstract()) {
            compute(op, name, inputs, y);
        }
        if (!recorded) {
            return y;
        }
        Rule[] rules = new Rule[inputs.length];
        for (int i = 0; i < rules.length; i++) {
            rules[i] = inputs[i].dtype.isFloating() ? new CustomGradient(op, reads(op, inputs.length)) : null;
        }
        return y.record(name, null, rules, inputs.clone());
    }

    private static void compute(CustomOp op, String name, Tensor[] inputs, Tensor y) {
        Tensor[] whole = new Tensor[inputs.length];
        boolean done = false;
        try {
            for (int i = 0; i < inputs.length; i++) {
                Tensor x = inputs[i];
                whole[i] = x.isContiguous() ? x.view() : x.contiguousCopy(name);
            }
            Recorder.custom(op, name, whole, y.view());
            done = true;
        } finally {
            for (int i = 0; i < inputs.length; i++) {
                if (whole[i] != null && whole[i].storage != inputs[i].storage) {
                    whole[i].freeCopyOf(inputs[i], name);
                }
            }
            if (!done && y.storage.releasable()) {
                y.storage.free(name, 0);
            }
        }
    }

    private static int reads(CustomOp op, int inputs) {
        int reads = op.readsOutput() ? Rule.OUTPUT : 0;
        for (int i = 0; i < inputs; i++) {
            reads |= op.readsInput(i) ? 1 << i : 0;
        }
        return reads;
    }

    private record CustomGradient(CustomOp op, int reads) implements Rule.Single {
        @Override
        public int reads(int own) {
            return reads;
        }

        @Override
        public Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            Tensor x = inputs[own];
            Tensor contribution = op.gradient(own, g, inputs.clone(), y);
            if (contribution == null || contribution.dtype != x.dtype || !Arrays.equals(contribution.shape, x.shape)) {
                throw new IllegalStateException(op.name() + ": its gradient to input " + own + " is "
                        + (contribution == null ? "null" : Shape.text(contribution.shape) + " " + contribution.dtype)
                        + " and must be " + Shape.text(x.shape) + " " + x.dtype);
            }
            contribution.requireReadable(op.name() + ": its gradient to input " + own);
            return contribution;
        }
    }

    private static void requireInputs(String name, Tensor[] inputs) {
        if (inputs.length == 0 || inputs.length > MAX_INPUTS) {
            throw new IllegalArgumentException(name + ": takes 1 to " + MAX_INPUTS + " inputs, not " + inputs.length);
        }
        inputs[0].requireFloating(name);
        for (Tensor input : inputs) {
            input.requireReadable(name);
        }
    }

    /// A tensor in a field would outlive its schedule.
    private static void requireNoTensor(CustomOp op) {
        for (Field field : op.getClass().getDeclaredFields()) {
            if (Tensor.class.isAssignableFrom(field.getType()) || field.getType() == Tensor[].class) {
                throw new IllegalArgumentException(op.name() + ": its field " + field.getName()
                        + " holds a tensor, whose lifetime nobody would know; make it an input");
            }
        }
    }
}
