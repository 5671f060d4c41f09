package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// A composition of ops as data, so that it can be computed again and again, and made smaller: each step reads earlier
/// values by their number, the leaves' numbers being the first. The last value is the loss.
record Graph(List<Leaf> leaves, List<Step> steps) {
    /// An input: a parameter, whose gradient is checked, or data, which has none.
    record Leaf(boolean tracked, long[] shape, double[] values) {}

    /// One op; `{0}` in its text stands for its first input.
    record Step(String text, Op op, int... inputs) {
        Step withInputs(int... others) {
            return new Step(text, op, others);
        }
    }

    /// What a step does to its inputs.
    interface Op {
        Tensor apply(Tensor[] inputs);
    }

    /// FLOAT64 leaves in the innermost arena, moved by `h` along a direction.
    Tensor[] leaves(double h, double[][] direction) {
        Tensor[] made = new Tensor[leaves.size()];
        for (int i = 0; i < made.length; i++) {
            double[] values = leaves.get(i).values.clone();
            for (int j = 0; h != 0 && j < values.length; j++) {
                values[j] += h * direction[i][j];
            }
            made[i] = tensor(values, leaves.get(i).shape);
        }
        return made;
    }

    static Tensor tensor(double[] values, long[] shape) {
        return shape.length == 0 ? Tensor.scalar(DType.FLOAT64, values[0]) : Tensor.of(DType.FLOAT64, values, shape);
    }

    /// Every value, the leaves first and the loss last.
    List<Tensor> values(Tensor[] leaves) {
        List<Tensor> values = new ArrayList<>(Arrays.asList(leaves));
        for (Step step : steps) {
            values.add(apply(step, values));
        }
        return values;
    }

    static Tensor apply(Step step, List<Tensor> values) {
        Tensor[] inputs = new Tensor[step.inputs.length];
        Arrays.setAll(inputs, i -> values.get(step.inputs[i]));
        return step.op.apply(inputs);
    }

    int size() {
        return leaves.size() + steps.size();
    }

    /// Without the leaves and steps that the loss does not depend on.
    Graph pruned() {
        boolean[] needed = new boolean[size()];
        needed[size() - 1] = true;
        for (int i = size() - 1; i >= leaves.size(); i--) {
            for (int input : steps.get(i - leaves.size()).inputs) {
                needed[input] |= needed[i];
            }
        }
        int[] moved = new int[size()];
        List<Leaf> keptLeaves = new ArrayList<>();
        List<Step> keptSteps = new ArrayList<>();
        for (int i = 0; i < size(); i++) {
            moved[i] = keptLeaves.size() + keptSteps.size();
            if (needed[i] && i < leaves.size()) {
                keptLeaves.add(leaves.get(i));
            } else if (needed[i]) {
                Step step = steps.get(i - leaves.size());
                keptSteps.add(step.withInputs(
                        Arrays.stream(step.inputs).map(input -> moved[input]).toArray()));
            }
        }
        return new Graph(keptLeaves, keptSteps);
    }

    /// With value `from` read as `to` by every step: `from` itself is then read by nobody, and the loss is the step
    /// before it if it was the loss.
    Graph redirected(int from, int to) {
        if (from == size() - 1) {
            return to < leaves.size() ? this : new Graph(leaves, steps.subList(0, to + 1 - leaves.size()));
        }
        List<Step> changed = new ArrayList<>();
        for (Step step : steps) {
            changed.add(step.withInputs(Arrays.stream(step.inputs)
                    .map(input -> input == from ? to : input)
                    .toArray()));
        }
        return new Graph(leaves, changed);
    }

    /// The graph that ends with value i, whatever its shape, as the loss.
    Graph endingWith(int i) {
        List<Step> kept = new ArrayList<>(steps.subList(0, i + 1 - leaves.size()));
        kept.add(new Step("{0}.sum()", inputs -> inputs[0].sum(), i));
        return new Graph(leaves, kept);
    }

    /// Lines of Java, all but the leaves' contents.
    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int i = 0; i < leaves.size(); i++) {
            text.append("Tensor v").append(i).append(" = randn(FLOAT64, ");
            text.append(Arrays.toString(leaves.get(i).shape))
                    .append(leaves.get(i).tracked ? ").trackGradient();\n" : ");\n");
        }
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            String line = step.text;
            for (int input = 0; input < step.inputs.length; input++) {
                line = line.replace("{" + input + "}", "v" + step.inputs[input]);
            }
            text.append("Tensor v")
                    .append(leaves.size() + i)
                    .append(" = ")
                    .append(line)
                    .append(";\n");
        }
        return text.toString();
    }
}
