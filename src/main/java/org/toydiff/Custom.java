package org.toydiff;

import java.lang.reflect.Field;
import java.util.Arrays;
import org.toydiff.internal.launch.Shape;

/// Applies ops of the user's, and checks what they give.
final class Custom {
    /// Bits of a rule's reads that are free for inputs: see [Rule#OUTPUT].
    private static final int MOST_INPUTS = 30;

    private Custom() {}

    static Tensor apply(CustomOp op, Tensor... inputs) {
        String name = op.name();
        requireInputs(name, inputs);
        requireNoTensor(op);
        Tensor first = inputs[0];
        long[] shape = op.shape(inputs.clone()).clone();
        boolean recorded = Tensor.anyRecorded(inputs);
        Tensor y = Tensor.make(name, first.dtype, shape, recorded);
        if (!y.storage.shapeOnly()) {
            compute(op, name, inputs, y);
        }
        if (!recorded) {
            return y;
        }
        Rule[] rules = new Rule[inputs.length];
        for (int i = 0; i < rules.length; i++) {
            rules[i] = inputs[i].dtype.isFloating() ? new Gradient(op, reads(op, inputs.length)) : null;
        }
        return y.record(name, null, rules, inputs.clone());
    }

    private static void compute(CustomOp op, String name, Tensor[] inputs, Tensor y) {
        Tensor[] whole = new Tensor[inputs.length];
        boolean done = false;
        try {
            for (int i = 0; i < inputs.length; i++) {
                Tensor x = inputs[i];
                whole[i] = x.isContiguous() ? x.view(x.offset, x.shape, x.strides) : x.contiguousCopy(name);
            }
            op.compute(whole, y.view(y.offset, y.shape, y.strides));
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

    private record Gradient(CustomOp op, int reads) implements Rule {
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
        if (inputs.length == 0 || inputs.length > MOST_INPUTS) {
            throw new IllegalArgumentException(name + ": takes 1 to " + MOST_INPUTS + " inputs, not " + inputs.length);
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
