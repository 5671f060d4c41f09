package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.recurrence.Cell;
import org.toydiff.internal.recurrence.SequenceWork;

/// One direction of a recurrent layer: all steps are one node, whose rule walks them backward.
///
/// The inputs of the node are x, the weights of x and of h, the initial h; of an LSTM the initial c; the biases of x
/// and of h, if there are any; the weight of a projection, if there is one; the padding, if there is any; and,
/// beside an RNN's, the values of each step that forward saves: the gates, c, or a GRU's share of h in its gate n, and
/// the factor of a projection. The output is h after each step `[T, B, P]`; of an LSTM `[T·B·P + B·H]`, all elements
/// of these and of the last c.
record RecurrentLayer(String op, Cell cell, boolean biased, boolean padded, boolean reverse) implements Rule.Joint {
    private static final int X = 0;
    private static final int INPUT_WEIGHT = 1;
    private static final int HIDDEN_WEIGHT = 2;
    private static final int HIDDEN = 3;
    private static final int CELL = 4;

    private int inputBias() {
        return cell.isLstm() ? CELL + 1 : CELL;
    }

    private int hiddenBias() {
        return inputBias() + 1;
    }

    private int projection() {
        return inputBias() + (biased ? 2 : 0);
    }

    private int padding() {
        return projection() + (isProjected() ? 1 : 0);
    }

    private int gates() {
        return padding() + (padded ? 1 : 0);
    }

    private int saved() {
        return gates() + 1;
    }

    /// The factors of the projections, which come last.
    private int unprojected() {
        return saved() + 1;
    }

    private int inputs() {
        return cell.isPlain() ? gates() : isProjected() ? unprojected() + 1 : saved() + 1;
    }

    private boolean isProjected() {
        return cell == Cell.PROJECTED_LSTM;
    }

    private long units(Tensor[] operands) {
        return operands[HIDDEN_WEIGHT].shape[0] / cell.gates;
    }

    /// Computes all steps from the operands, those inputs that the caller has.
    Tensor of(Tensor... operands) {
        boolean recorded = Tensor.anyRecorded(operands);
        Tensor x = operands[X];
        long steps = x.shape[0];
        long batch = x.shape[1];
        long units = units(operands);
        long width = operands[HIDDEN].shape[1];
        long[] shape = {steps, batch, width};
        if (cell.isLstm()) {
            shape = new long[] {steps * batch * width + batch * units};
        }
        Tensor hidden = Tensor.make(op, x.dtype, shape, recorded);
        Tensor[] inputs = Arrays.copyOf(operands, inputs());
        if (!cell.isPlain()) {
            long kept = recorded ? steps : 1;
            inputs[gates()] = value(x.dtype, recorded, steps, batch, cell.gates * units);
            inputs[saved()] = value(x.dtype, recorded, kept, batch, units);
            if (isProjected()) {
                inputs[unprojected()] = value(x.dtype, recorded, kept, batch, units);
            }
        }
        multiplyInputs(operands, rows(cell.isPlain() ? hidden : inputs[gates()], steps * batch));
        runForward(inputs, hidden);
        if (recorded) {
            Rule[] rules = new Rule[inputs.length];
            Arrays.fill(rules, this);
            return hidden.record(op, null, rules, inputs);
        }
        for (int i = operands.length; i < inputs.length; i++) {
            inputs[i].freeScratch(op);
        }
        return hidden;
    }

    private Tensor value(DType dtype, boolean recorded, long... shape) {
        return recorded ? Tensor.makeSaved(op, dtype, shape) : Tensor.make(op, dtype, shape, true);
    }

    /// The first rows of a contiguous tensor, all leading axes as one: a view outside of the graph.
    private static Tensor rows(Tensor t, long count) {
        return rows(t, 0, count);
    }

    private static Tensor rows(Tensor t, long first, long count) {
        long columns = t.shape[t.rank() - 1];
        long[] shape = {count, columns};
        return t.view(t.offset + first * columns, shape, Shape.strides(shape));
    }

    /// The inputs' share of the gates: one product for all steps. All biases are in it but a GRU's of h, which r
    /// multiplies in its gate n.
    private void multiplyInputs(Tensor[] operands, Tensor y) {
        Tensor x = operands[X].contiguous(op);
        Tensor bias = biased ? operands[inputBias()] : null;
        Tensor sum = biased && cell != Cell.GRU ? Tensor.make(op, y.dtype, bias.shape, true) : bias;
        if (sum != bias) {
            Launch.binary(y.dtype.kind.of(BinaryKernel.ADD), bias, operands[hiddenBias()], sum);
        }
        ProductLaunch.beginThen(sum, null, y);
        try {
            Products.multiply(rows(x, y.shape[0]), operands[INPUT_WEIGHT].matrixTranspose(), 0, y);
        } finally {
            ProductLaunch.endThen();
        }
        if (sum != null) {
            sum.freeCopyOf(bias, op);
        }
        x.freeCopyOf(operands[X], op);
    }

    private void runForward(Tensor[] inputs, Tensor hidden) {
        Tensor[] whole = wholeOperands(inputs);
        long[] shape = {inputs[HIDDEN].shape[0], cell.gates * inputs[HIDDEN].shape[1]};
        Tensor share = cell == Cell.GRU ? Tensor.make(op, hidden.dtype, shape, true) : null;
        Tensor panels = panels(inputs, whole[HIDDEN_WEIGHT]);
        launch(whole, hidden).forward(share, panels);
        if (panels != null) {
            panels.freeScratch(op);
        }
        if (share != null) {
            share.freeScratch(op);
        }
        freeCopies(whole, inputs);
    }

    /// The transpose of the weight of h in panels, copied once for all steps; null if they multiply the weight itself.
    private Tensor panels(Tensor[] inputs, Tensor weight) {
        long width = weight.shape[1];
        long units = units(inputs);
        long columns = SequenceWork.panelColumns(cell, inputs[X].shape[0], inputs[X].shape[1], units, width);
        if (columns == 0) {
            return null;
        }
        long[] shape = {units / columns, cell.gates, width, columns};
        long[] strides = {columns * width, units * width, 1, width};
        Tensor panels = Tensor.make(op, weight.dtype, shape, true);
        Launch.unary(Families.copy(weight.dtype), weight.view(weight.offset, shape, strides), panels);
        return panels;
    }

    /// The operands of the steps, copied where they are not contiguous.
    private Tensor[] wholeOperands(Tensor[] inputs) {
        Tensor[] whole = inputs.clone();
        for (int i = HIDDEN_WEIGHT; i < inputs.length; i++) {
            whole[i] = inputs[i].contiguous(op);
        }
        return whole;
    }

    private void freeCopies(Tensor[] whole, Tensor[] operands) {
        for (int i = 0; i < whole.length; i++) {
            whole[i].freeCopyOf(operands[i], op);
        }
    }

    private RecurrenceLaunch launch(Tensor[] inputs, Tensor hidden) {
        return new RecurrenceLaunch(
                cell,
                reverse,
                inputs[HIDDEN_WEIGHT],
                isProjected() ? inputs[projection()] : null,
                biased && cell == Cell.GRU ? inputs[hiddenBias()] : null,
                inputs[HIDDEN],
                cell.isLstm() ? inputs[CELL] : null,
                padded ? inputs[padding()] : null,
                cell.isPlain() ? null : inputs[gates()],
                hidden,
                cell.isPlain() ? null : inputs[saved()],
                isProjected() ? inputs[unprojected()] : null);
    }

    @Override
    public int reads(int own) {
        return OUTPUT | (OUTPUT - 1);
    }

    @Override
    public Tensor[] contributions(Tensor g, Tensor[] inputs, Tensor y, boolean[] wanted) {
        Backward walk = Scope.current().backward;
        return walk.records()
                ? recordedContributions(walk, g, inputs, wanted)
                : unrecordedContributions(g, inputs, y, wanted);
    }

    /// Differentiates the steps as a composition of ops, each of which can be differentiated again.
    private Tensor[] recordedContributions(Backward walk, Tensor g, Tensor[] inputs, boolean[] wanted) {
        List<Tensor> xs = new ArrayList<>();
        for (int i = 0; i < inputs.length; i++) {
            if (wanted[i]) {
                xs.add(inputs[i]);
            }
        }
        List<Tensor> gradients = walk.gradientsWithin(composed(inputs), g, xs, Arrays.asList(inputs));
        Tensor[] contributions = new Tensor[inputs.length];
        int next = 0;
        for (int i = 0; i < inputs.length; i++) {
            contributions[i] = wanted[i] ? gradients.get(next++) : null;
        }
        return contributions;
    }

    private Tensor[] unrecordedContributions(Tensor given, Tensor[] inputs, Tensor y, boolean[] wanted) {
        Tensor g = given.contiguous(gradientOp());
        Tensor[] whole = wholeOperands(inputs);
        RecurrenceLaunch.Gradients gradients = gradients(g, inputs);
        launch(whole, y).backward(gradients);

        Tensor[] contributions = new Tensor[inputs.length];
        contributions[HIDDEN] = gradients.hidden();
        if (cell.isLstm()) {
            contributions[CELL] = gradients.cell();
        }
        if (wanted[HIDDEN_WEIGHT]) {
            contributions[HIDDEN_WEIGHT] = hiddenWeightGradient(gradients, whole[HIDDEN], y);
        }
        if (isProjected() && wanted[projection()]) {
            Tensor products = Products.rows(gradients.projections());
            contributions[projection()] = products.matrixTranspose().matmul(Products.rows(inputs[unprojected()]));
        }
        addThoseOfInputs(contributions, gradients, inputs, wanted);
        freeCopies(whole, inputs);
        g.freeCopyOf(given, gradientOp());
        return contributions;
    }

    private String gradientOp() {
        return op + "Gradient";
    }

    /// The places of the gradients that the walk backward computes.
    private RecurrenceLaunch.Gradients gradients(Tensor g, Tensor[] inputs) {
        long steps = inputs[X].shape[0];
        long batch = inputs[X].shape[1];
        long units = units(inputs);
        long width = inputs[HIDDEN].shape[1];
        return new RecurrenceLaunch.Gradients(
                g,
                gradient(g.dtype, steps, batch, cell.gates * units),
                cell == Cell.GRU ? gradient(g.dtype, steps, batch, units) : null,
                isProjected() ? gradient(g.dtype, steps, batch, width) : null,
                isProjected() ? gradient(g.dtype, batch, units) : null,
                gradient(g.dtype, batch, width),
                cell.isLstm() ? gradient(g.dtype, batch, units) : null);
    }

    private Tensor gradient(DType dtype, long... shape) {
        return Tensor.make(gradientOp(), dtype, shape, true);
    }

    /// The gradients of x, its weight and the biases, each from those of the gates of all steps.
    private void addThoseOfInputs(
            Tensor[] contributions, RecurrenceLaunch.Gradients gradients, Tensor[] inputs, boolean[] wanted) {
        Tensor x = inputs[X];
        Tensor sums = rows(gradients.gates(), x.shape[0] * x.shape[1]);
        if (wanted[X]) {
            contributions[X] = sums.matmul(inputs[INPUT_WEIGHT]).reshape(x.shape);
        }
        if (wanted[INPUT_WEIGHT]) {
            contributions[INPUT_WEIGHT] = sums.matrixTranspose().matmul(Products.rows(x));
        }
        if (biased && (wanted[inputBias()] || wanted[hiddenBias()])) {
            contributions[inputBias()] = sums.sum(0);
            contributions[hiddenBias()] = hiddenBiasGradient(contributions[inputBias()], gradients.share());
        }
    }

    /// The gates' sums have both biases, but in a GRU's gate n that of h is a summand of its share only.
    private Tensor hiddenBiasGradient(Tensor ofInput, Tensor share) {
        if (share == null) {
            return ofInput;
        }
        Tensor last = rows(share, share.shape[0] * share.shape[1]).sum(0);
        return Tensor.concat(0, ofInput.slice(0, 0, 2 * last.size()), last);
    }

    /// One product over all steps but the first, onto that of the first step with the initial h.
    private Tensor hiddenWeightGradient(RecurrenceLaunch.Gradients gradients, Tensor initial, Tensor y) {
        long units = initial.shape[1];
        Tensor gates = gradients.gates();
        Tensor share = gradients.share();
        Tensor gradient = gradient(y.dtype, gates.shape[2], units);
        if (share == null) {
            addProducts(gates, 0, gates.shape[2], initial, y, gradient);
        } else {
            addProducts(gates, 0, 2 * units, initial, y, gradient);
            addProducts(share, 2 * units, units, initial, y, gradient);
        }
        return gradient;
    }

    /// Sets `count` rows of the gradient, beginning with `first`, from the first columns of g.
    private void addProducts(Tensor g, long first, long count, Tensor initial, Tensor y, Tensor gradient) {
        long steps = g.shape[0];
        long batch = g.shape[1];
        Tensor to = rows(gradient, first, count);
        Tensor atFirst = Families.part(rows(g, reverse ? (steps - 1) * batch : 0, batch), 1, 0, count);
        Tensor later = Families.part(rows(g, reverse ? 0 : batch, (steps - 1) * batch), 1, 0, count);
        long[] shape = {(steps - 1) * batch, initial.shape[1]};
        Tensor before = y.view(y.offset + (reverse ? initial.size() : 0), shape, Shape.strides(shape));
        Products.multiply(atFirst.matrixTranspose(), initial, 0, to);
        if (steps > 1) {
            Products.multiply(later.matrixTranspose(), before, 1, to);
        }
    }

    /// The output as a composition of ops: the definition of this layer, and its gradient where that is differentiated.
    Tensor composed(Tensor[] inputs) {
        Tensor x = inputs[X];
        int steps = (int) x.shape[0];
        Tensor h = inputs[HIDDEN];
        Tensor c = cell.isLstm() ? inputs[CELL] : null;
        Tensor[] states = new Tensor[steps];
        for (int i = 0; i < steps; i++) {
            int step = reverse ? steps - 1 - i : i;
            Tensor ofInput = x.get(step).linear(inputs[INPUT_WEIGHT], biased ? inputs[inputBias()] : null);
            Tensor ofHidden = h.linear(inputs[HIDDEN_WEIGHT], biased ? inputs[hiddenBias()] : null);
            Tensor pad = padded ? inputs[padding()].get(step).unsqueeze(1) : null;
            Tensor before = h;
            switch (cell) {
                case RNN_TANH -> h = ofInput.add(ofHidden).tanh();
                case RNN_RELU -> h = ofInput.add(ofHidden).relu();
                case GRU -> h = gru(ofInput.chunk(3, 1), ofHidden.chunk(3, 1), h);
                case LSTM, PROJECTED_LSTM -> {
                    List<Tensor> gates = ofInput.add(ofHidden).chunk(4, 1);
                    Tensor next = gates.get(1).sigmoid().multiply(c);
                    next = next.add(gates.get(0).sigmoid().multiply(gates.get(2).tanh()));
                    h = gates.get(3).sigmoid().multiply(next.tanh());
                    h = isProjected() ? h.linear(inputs[projection()], null) : h;
                    c = pad == null ? next : Tensor.where(pad, c, next);
                }
            }
            h = pad == null ? h : Tensor.where(pad, before, h);
            states[step] = h;
        }
        Tensor all = Tensor.stack(0, states);
        return c == null ? all : Tensor.concat(0, all.reshape(all.size()), c.reshape(c.size()));
    }

    /// The results in an output: h after each step, the last h, and an LSTM's last c.
    List<Tensor> results(Tensor output, Tensor[] operands) {
        Tensor hidden = operands[HIDDEN];
        long steps = operands[X].shape[0];
        Tensor all = output;
        if (cell.isLstm()) {
            all = output.slice(0, 0, steps * hidden.size()).reshape(steps, hidden.shape[0], hidden.shape[1]);
        }
        Tensor last = all.get(reverse ? 0 : steps - 1);
        if (!cell.isLstm()) {
            return List.of(all, last);
        }
        Tensor c = output.slice(0, steps * hidden.size(), output.size()).reshape(operands[CELL].shape);
        return List.of(all, last, c);
    }

    private static Tensor gru(List<Tensor> ofInput, List<Tensor> ofHidden, Tensor h) {
        Tensor r = ofInput.get(0).add(ofHidden.get(0)).sigmoid();
        Tensor z = ofInput.get(1).add(ofHidden.get(1)).sigmoid();
        Tensor n = ofInput.get(2).add(r.multiply(ofHidden.get(2))).tanh();
        return n.add(z.multiply(h.subtract(n)));
    }
}
