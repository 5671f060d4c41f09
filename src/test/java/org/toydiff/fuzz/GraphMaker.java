package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.Activation;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Functional;

/// Draws a graph: layers and ops put onto values that are there already, so that values are shared, towers meet and
/// branches run past each other. Each step is computed as it is drawn, which keeps values near 1 and kinks away.
final class GraphMaker {
    private static final int MAX_ELEMENTS = 600;
    private static final double LARGEST = 8;

    /// Values nearer to a kink than this would make finite differences wrong.
    private static final double FROM_KINK = 0.02;

    private final Choice choice;
    private final List<Graph.Leaf> leaves = new ArrayList<>();
    private final List<Graph.Step> steps = new ArrayList<>();

    /// Values by number, which are negative for leaves while it is open how many there will be.
    private final List<Tensor> leafValues = new ArrayList<>();

    private final List<Tensor> stepValues = new ArrayList<>();
    private boolean failed;

    private GraphMaker(long seed) {
        choice = new Choice(seed);
    }

    /// The graph of a seed.
    static Graph of(long seed) {
        var maker = new GraphMaker(seed);
        try (var arena = TensorArena.ofConfined()) {
            maker.draw();
        }
        return maker.graph();
    }

    private void draw() {
        int inputs = 1 + choice.below(2);
        for (int i = 0; i < inputs; i++) {
            long[] shape = new long[choice.of(1, 2, 2, 2, 2, 3, 3, 4)];
            Arrays.setAll(shape, axis -> dimension());
            leaf(choice.coin(), shape);
        }
        int count = 2 + choice.below(12);
        while (stepValues.size() < count && !failed) {
            layer(value());
        }
        if (!failed) {
            loss();
        }
    }

    /// Steps number leaves from −1 downwards until here.
    private Graph graph() {
        List<Graph.Step> numbered = new ArrayList<>();
        for (Graph.Step step : steps) {
            numbered.add(step.withInputs(Arrays.stream(step.inputs())
                    .map(i -> i < 0 ? -1 - i : leaves.size() + i)
                    .toArray()));
        }
        return new Graph(List.copyOf(leaves), numbered).pruned();
    }

    // Values.

    private Tensor tensor(int value) {
        return value < 0 ? leafValues.get(-1 - value) : stepValues.get(value);
    }

    private long[] shape(int value) {
        return tensor(value).shape();
    }

    private int rank(int value) {
        return tensor(value).rank();
    }

    /// Sizes at which values of different axes do not agree by chance.
    private long dimension() {
        return choice.oneIn(60) ? choice.of(0L, 17L) : choice.of(1L, 2L, 2L, 3L, 3L, 4L, 5L, 6L);
    }

    private int leaf(long... shape) {
        return leaf(!choice.oneIn(12), shape);
    }

    private int leaf(boolean tracked, long... shape) {
        double[] values = new double[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        Arrays.setAll(values, i -> 0.7 * choice.gaussian());
        leaves.add(new Graph.Leaf(tracked, shape, values));
        leafValues.add(Graph.tensor(values, shape));
        return -leaves.size();
    }

    /// Any value; one of the last few is likelier.
    private int value() {
        int all = leaves.size() + stepValues.size();
        int back = choice.coin() ? choice.below(Math.min(4, all)) : choice.below(all);
        return back < stepValues.size() ? stepValues.size() - 1 - back : -1 - (back - stepValues.size());
    }

    /// A value that broadcasts with one of that shape: one that is there, or a new leaf.
    private int partner(long[] shape) {
        for (int tries = 0; tries < 4; tries++) {
            int value = value();
            if (broadcasts(shape(value), shape)) {
                return value;
            }
        }
        return leaf(choice.shrunk(shape));
    }

    private static boolean broadcasts(long[] a, long[] b) {
        for (int i = 1; i <= Math.min(a.length, b.length); i++) {
            long m = a[a.length - i];
            long n = b[b.length - i];
            if (m != n && m != 1 && n != 1) {
                return false;
            }
        }
        return true;
    }

    /// A leaf of that shape: one that is there, so that it is shared, or a new one.
    private int parameter(long... shape) {
        for (int i = 0; i < leaves.size(); i++) {
            if (Arrays.equals(leaves.get(i).shape(), shape) && choice.oneIn(3)) {
                return -1 - i;
            }
        }
        return leaf(shape);
    }

    /// Adds a step and returns its value; where that would be too large, in size or number, the input.
    private int add(String text, Graph.Op op, int... inputs) {
        if (failed) {
            return inputs[0];
        }
        Tensor[] operands = IntStream.of(inputs).mapToObj(this::tensor).toArray(Tensor[]::new);
        Tensor y;
        try {
            y = op.apply(operands);
        } catch (RuntimeException | Error thrown) {
            // The check will meet it again and report it.
            failed = true;
            steps.add(new Graph.Step(text, op, inputs));
            return inputs[0];
        }
        double largest = y.size() > MAX_ELEMENTS ? Double.NaN : magnitude(y, true);
        if (!(largest <= 1e6)) {
            return inputs[0];
        }
        steps.add(new Graph.Step(text, op, inputs));
        stepValues.add(y);
        int value = stepValues.size() - 1;
        return largest <= LARGEST ? value : add("{0}.tanh()", x -> x[0].tanh(), value);
    }

    private static double magnitude(Tensor x, boolean largest) {
        var sizes = Arrays.stream(x.toDoubleArray()).map(Math::abs);
        return largest ? sizes.reduce(0, (a, b) -> a >= b ? a : b) : sizes.min().orElse(1);
    }

    private boolean awayFromZero(Tensor x) {
        return magnitude(x, false) > FROM_KINK;
    }

    // Steps.

    private int layer(int x) {
        return switch (choice.below(24)) {
            case 0, 1, 2, 3 -> linear(x);
            case 4, 5 -> activation(x);
            case 6, 7 -> combined(x);
            case 8, 9 -> matmul(x);
            case 10, 11 -> view(x);
            case 12, 13 -> pooled(x);
            case 14 -> joined(x);
            case 15 -> normalized(x);
            case 16 -> residual(x);
            case 17, 18, 19 -> towers(x);
            case 20 -> checkpoint(x);
            case 21, 22 -> accumulated(x);
            default -> selected(x);
        };
    }

    private int linear(int x) {
        if (rank(x) < 2) {
            return activation(x);
        }
        long in = shape(x)[rank(x) - 1];
        return linear(x, choice.coin() && in > 0 ? in : Math.max(1, dimension()));
    }

    private int linear(int x, long out) {
        Activation activation = choice.of(null, null, null, Activation.TANH, Activation.SIGMOID, Activation.RELU);
        int y = linear(x, out, activation);
        if (activation != null) {
            return y;
        }
        return choice.oneIn(3) ? activation(y) : choice.oneIn(3) ? pooled(y) : y;
    }

    private int linear(int x, long out, Activation activation) {
        int weight = parameter(out, shape(x)[rank(x) - 1]);
        boolean biased = !choice.oneIn(4);
        int[] inputs = biased ? new int[] {x, weight, parameter(out)} : new int[] {x, weight};
        String bias = biased ? "{2}" : "null";
        if (activation == null || (activation == Activation.RELU && failsOrKinks(inputs))) {
            return add("{0}.linear({1}, " + bias + ")", v -> v[0].linear(v[1], v.length == 3 ? v[2] : null), inputs);
        }
        return add(
                "{0}.linear({1}, " + bias + ", Activation." + activation + ")",
                v -> v[0].linear(v[1], v.length == 3 ? v[2] : null, activation),
                inputs);
    }

    private boolean failsOrKinks(int[] inputs) {
        try {
            Tensor bias = inputs.length == 3 ? tensor(inputs[2]) : null;
            return !awayFromZero(tensor(inputs[0]).linear(tensor(inputs[1]), bias));
        } catch (RuntimeException thrown) {
            return true;
        }
    }

    private int activation(int x) {
        if (awayFromZero(tensor(x)) && choice.oneIn(2)) {
            return choice.oneIn(4) ? add("{0}.abs()", v -> v[0].abs(), x) : add("{0}.relu()", v -> v[0].relu(), x);
        }
        return switch (choice.below(14)) {
            case 0, 1 -> add("{0}.tanh()", v -> v[0].tanh(), x);
            case 2, 3 -> add("{0}.sigmoid()", v -> v[0].sigmoid(), x);
            case 4, 5 -> add("{0}.exp()", v -> v[0].exp(), x);
            case 6 -> add("{0}.sin()", v -> v[0].sin(), x);
            case 7 -> add("{0}.cos()", v -> v[0].cos(), x);
            case 8 -> add("{0}.erf()", v -> v[0].erf(), x);
            case 9 -> add("Functional.silu({0})", v -> Functional.silu(v[0]), x);
            case 10 -> add("Functional.gelu({0})", v -> Functional.gelu(v[0]), x);
            case 11 ->
                add(
                        "{0}.multiply({0}).add(1).sqrt()",
                        v -> v[0].multiply(v[0]).add(1).sqrt(), x);
            case 12 ->
                add(
                        "{0}.multiply({0}).add(1).log()",
                        v -> v[0].multiply(v[0]).add(1).log(), x);
            default -> add("{0}.negative()", v -> v[0].negative(), x);
        };
    }

    private int combined(int x) {
        int other = partner(shape(x));
        return switch (choice.below(7)) {
            case 0, 1, 2 -> add("{0}.add({1})", v -> v[0].add(v[1]), x, other);
            case 3 -> add("{0}.subtract({1})", v -> v[0].subtract(v[1]), x, other);
            case 4, 5 -> add("{0}.multiply({1})", v -> v[0].multiply(v[1]), x, other);
            default ->
                add(
                        "{0}.divide({1}.multiply({1}).add(1))",
                        v -> v[0].divide(v[1].multiply(v[1]).add(1)), x, other);
        };
    }

    private int matmul(int x) {
        if (rank(x) == 0) {
            return activation(x);
        }
        long[] shape = shape(x);
        long inner = shape[shape.length - 1];
        for (int tries = 0; tries < 3; tries++) {
            int other = value();
            if (rank(other) > 0
                    && shape(other)[Math.max(0, rank(other) - 2)] == inner
                    && broadcasts(leading(shape), leading(shape(other)))) {
                return add("{0}.matmul({1})", v -> v[0].matmul(v[1]), x, other);
            }
        }
        if (choice.oneIn(6)) {
            return add("{0}.matmul({1})", v -> v[0].matmul(v[1]), x, leaf(inner));
        }
        if (choice.oneIn(4)) {
            int matrix = parameter(Math.max(1, dimension()), shape[Math.max(0, shape.length - 2)]);
            return shape.length == 1
                    ? add("{1}.matmul({0})", v -> v[1].matmul(v[0]), x, matrix)
                    : add("{1}.matmul({0})", v -> v[1].matmul(v[0]), x, matrix);
        }
        long[] other = shape.length > 2 && choice.coin() ? choice.shrunk(leading(shape)) : new long[0];
        long[] whole = Arrays.copyOf(other, other.length + 2);
        whole[other.length] = inner;
        whole[other.length + 1] = Math.max(1, dimension());
        if (shape.length >= 2 && choice.oneIn(4)) {
            long[] product = {shape[shape.length - 2], whole[whole.length - 1]};
            return add("{0}.fma({1}, {2})", v -> v[0].fma(v[1], v[2]), x, leaf(whole), leaf(choice.shrunk(product)));
        }
        return add("{0}.matmul({1})", v -> v[0].matmul(v[1]), x, leaf(whole));
    }

    private static long[] leading(long[] shape) {
        return Arrays.copyOf(shape, Math.max(0, shape.length - 2));
    }

    private int view(int x) {
        long[] shape = shape(x);
        int rank = shape.length;
        int kind = choice.below(5);
        if (kind == 0) {
            long[] to = choice.reshaped(shape);
            return add("{0}.reshape(" + list(to) + ")", v -> v[0].reshape(to), x);
        }
        if (kind == 1 || rank == 0) {
            long[] to = new long[rank + 1 + choice.below(2)];
            Arrays.setAll(to, i -> {
                int from = i - (to.length - rank);
                return from < 0 || shape[from] == 1 ? 1 + choice.below(3) : shape[from];
            });
            return add("{0}.broadcastTo(" + list(to) + ")", v -> v[0].broadcastTo(to), x);
        }
        if (kind == 2) {
            int[] axes = choice.permutation(rank);
            return add("{0}.transpose(" + list(axes) + ")", v -> v[0].transpose(axes), x);
        }
        int axis = choice.axisWithin(rank);
        if (kind == 3 && shape[0] > 0) {
            int index = choice.below((int) shape[0]);
            return add("{0}.get(" + index + ")", v -> v[0].get(index), x);
        }
        int from = choice.below((int) shape[axis] + 1);
        int to = from + choice.below((int) shape[axis] + 1 - from);
        return add("{0}.slice(" + axis + ", " + from + ", " + to + ")", v -> v[0].slice(axis, from, to), x);
    }

    private int pooled(int x) {
        if (rank(x) == 0) {
            return activation(x);
        }
        int axis = choice.axisWithin(rank(x));
        boolean keep = choice.oneIn(3);
        String along = "(" + axis + ", " + keep + ")";
        return switch (choice.below(6)) {
            case 0, 1, 2 -> add("{0}.mean" + along, v -> v[0].mean(axis, keep), x);
            case 3, 4 -> add("{0}.sum" + along, v -> v[0].sum(axis, keep), x);
            default -> add("{0}.logSumExp" + along, v -> v[0].logSumExp(axis, keep), x);
        };
    }

    private int accumulated(int x) {
        if (rank(x) == 0) {
            return activation(x);
        }
        int axis = choice.axisWithin(rank(x));
        return switch (choice.below(5)) {
            case 0 -> add("{0}.cumsum(" + axis + ")", v -> v[0].cumsum(axis), x);
            case 1 -> add("{0}.cumprod(" + axis + ")", v -> v[0].cumprod(axis), x);
            case 2 -> add("{0}.prod(" + axis + ")", v -> v[0].prod(axis), x);
            case 3 -> add("{0}.diff(" + axis + ")", v -> v[0].diff(axis), x);
            default -> severalAxes(x);
        };
    }

    private int severalAxes(int x) {
        int[] axes = Arrays.copyOf(choice.permutation(rank(x)), choice.below(rank(x) + 1));
        boolean keep = choice.coin();
        return add("{0}.sum(new int[] {" + list(axes) + "}, " + keep + ")", v -> v[0].sum(axes, keep), x);
    }

    private int joined(int x) {
        if (rank(x) == 0) {
            return activation(x);
        }
        int axis = choice.axisWithin(rank(x));
        for (int tries = 0; tries < 4; tries++) {
            int other = value();
            if (Arrays.equals(shape(x), shape(other))) {
                return choice.coin()
                        ? add("Tensor.stack(" + axis + ", {0}, {1})", v -> Tensor.stack(axis, v[0], v[1]), x, other)
                        : add("Tensor.concat(" + axis + ", {0}, {1})", v -> Tensor.concat(axis, v[0], v[1]), x, other);
            }
        }
        long[] shape = shape(x);
        shape[axis] = dimension();
        int part = leaf(shape);
        return add("Tensor.concat(" + axis + ", {0}, {1}, {0})", v -> Tensor.concat(axis, v[0], v[1], v[0]), x, part);
    }

    private int normalized(int x) {
        if (rank(x) == 0) {
            return activation(x);
        }
        int axis = choice.axisWithin(rank(x));
        if (choice.coin() && shape(x)[rank(x) - 1] > 1 && tensor(x).size() > 0) {
            long n = shape(x)[rank(x) - 1];
            int weight = parameter(n);
            int bias = parameter(n);
            return add(
                    "Functional.layerNorm({0}, {1}, {2}, 0.1)",
                    v -> Functional.layerNorm(v[0], v[1], v[2], 0.1), x, weight, bias);
        }
        if (rank(x) > 1 && shape(x)[rank(x) - 1] > 0 && choice.oneIn(3)) {
            boolean causal = choice.coin();
            return add(
                    "{0}.scaledDotProductAttention({0}, {0}, null, " + causal + ")",
                    v -> v[0].scaledDotProductAttention(v[0], v[0], null, causal),
                    x);
        }
        return choice.coin()
                ? add("{0}.softmax(" + axis + ")", v -> v[0].softmax(axis), x)
                : add("{0}.logSoftmax(" + axis + ")", v -> v[0].logSoftmax(axis), x);
    }

    private int residual(int x) {
        int y = layer(x);
        return failed || !broadcasts(shape(x), shape(y)) ? y : add("{0}.add({1})", v -> v[0].add(v[1]), x, y);
    }

    /// Branches of layers from one value, of different lengths, and then a head for each, which are added up.
    private int towers(int x) {
        if (rank(x) < 2) {
            return activation(x);
        }
        int[] branches = new int[choice.of(2, 2, 2, 3)];
        Arrays.setAll(branches, i -> branch(i > 0 && choice.oneIn(4) ? partner(shape(x)) : x));
        long out = Math.max(1, dimension());
        Arrays.setAll(branches, i -> rank(branches[i]) < 2 ? branches[i] : linear(branches[i], out, null));
        int met = branches[0];
        for (int i = 1; i < branches.length && !failed; i++) {
            if (broadcasts(shape(met), shape(branches[i]))) {
                met = add("{0}.add({1})", v -> v[0].add(v[1]), met, branches[i]);
            }
        }
        return met;
    }

    private int branch(int x) {
        int y = x;
        for (int depth = choice.of(0, 1, 1, 1, 2); depth > 0 && rank(y) >= 2; depth--) {
            Activation fused = choice.of(null, Activation.TANH, Activation.RELU);
            int wide = linear(y, Math.max(1, dimension()), fused);
            y = fused == null ? activation(wide) : wide;
        }
        return y;
    }

    private int checkpoint(int x) {
        if (rank(x) >= 2 && choice.coin()) {
            long in = shape(x)[rank(x) - 1];
            int weight = parameter(Math.max(1, dimension()), in);
            int bias = parameter(shape(weight)[0]);
            return add(
                    "Autograd.checkpoint(x -> x.linear({1}, {2}, Activation.TANH), {0}, List.of({1}, {2}))",
                    v -> Autograd.checkpoint(y -> y.linear(v[1], v[2], Activation.TANH), v[0], List.of(v[1], v[2])),
                    x,
                    weight,
                    bias);
        }
        if (rank(x) >= 1 && choice.coin()) {
            return add(
                    "Autograd.checkpoint(x -> x.logSumExp(-1), {0}, List.of())",
                    v -> Autograd.checkpoint(y -> y.logSumExp(-1), v[0], List.of()), x);
        }
        int other = partner(shape(x));
        return add(
                "Autograd.checkpoint(x -> x.tanh().multiply({1}).add(x), {0}, List.of({1}))",
                v -> Autograd.checkpoint(y -> y.tanh().multiply(v[1]).add(y), v[0], List.of(v[1])), x, other);
    }

    private int selected(int x) {
        if (rank(x) == 0) {
            return activation(x);
        }
        int axis = choice.axisWithin(rank(x));
        int n = (int) shape(x)[axis];
        if (n > 0 && choice.coin()) {
            int[] index = new int[1 + choice.below(3)];
            Arrays.setAll(index, i -> choice.below(n));
            return add(
                    "{0}.indexSelect(" + axis + ", Tensor.of(new int[] {" + list(index) + "}))",
                    v -> v[0].indexSelect(axis, Tensor.of(index)),
                    x);
        }
        long[] shape = shape(x);
        int[] mask = new int[(int) tensor(x).size()];
        Arrays.setAll(mask, i -> choice.below(2));
        if (choice.oneIn(3)) {
            return masked(x, mask);
        }
        int other = partner(shape);
        return add(
                "Tensor.where(mask, {0}, {1})",
                v -> Tensor.where(Tensor.of(DType.BOOL, mask, shape), v[0], v[1]), x, other);
    }

    private int masked(int x, int[] mask) {
        long[] shape = shape(x);
        if (choice.coin()) {
            return add("{0}.select(mask)", v -> v[0].select(Tensor.of(DType.BOOL, mask, shape)), x);
        }
        int values = leaf(Arrays.stream(mask).sum());
        return add("{0}.put(mask, {1})", v -> v[0].put(Tensor.of(DType.BOOL, mask, shape), v[1]), x, values);
    }

    // The loss.

    private void loss() {
        int loss = scalar(ends());
        int more = choice.below(3);
        for (int i = 0; i < more && !failed; i++) {
            int other = scalar(value());
            loss = failed ? loss : add("{0}.add({1})", v -> v[0].add(v[1]), loss, other);
        }
    }

    /// The last value, or the sum of it and another of its shape.
    private int ends() {
        int last = stepValues.size() - 1;
        for (int tries = 0; tries < 6; tries++) {
            int other = value();
            if (other != last && Arrays.equals(shape(other), shape(last))) {
                return add("{0}.add({1})", v -> v[0].add(v[1]), last, other);
            }
        }
        return last;
    }

    private int scalar(int x) {
        return switch (choice.below(4)) {
            case 0 -> add("{0}.sum()", v -> v[0].sum(), x);
            case 1 ->
                tensor(x).size() == 0 ? add("{0}.sum()", v -> v[0].sum(), x) : add("{0}.mean()", v -> v[0].mean(), x);
            case 2 -> add("{0}.multiply({0}).sum()", v -> v[0].multiply(v[0]).sum(), x);
            default -> add("{0}.sin().sum()", v -> v[0].sin().sum(), x);
        };
    }

    static String list(long[] values) {
        String text = Arrays.toString(values);
        return text.substring(1, text.length() - 1);
    }

    static String list(int[] values) {
        String text = Arrays.toString(values);
        return text.substring(1, text.length() - 1);
    }
}
