package org.toydiff.internal.recurrence;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.fusion.LoopProgram;
import org.toydiff.internal.kernels.Activations;
import org.toydiff.internal.kernels.Element;

/// The expressions of a step of each [Cell]. Operands stand in the order in which [SequenceWork] names them.
///
/// A step of padding copies the state: forward keeps the previous one, backward passes its gradient on, and the
/// gates, whatever they were computed from, have none.
final class CellExpressions {
    private final String name;
    private final Precision p;
    private final int reads;

    /// Whether the step belongs to the padding; null where there is none. The operand that is read last.
    private final Condition padding;

    private CellExpressions(String name, Precision p, int reads, boolean padded) {
        this.name = name;
        this.p = p;
        this.reads = padded ? reads + 1 : reads;
        padding = padded ? p.mask(reads) : null;
    }

    private LoopProgram program(Real... results) {
        Element element = Element.real(p == Precision.FLOAT64);
        List<Element> inputs = new ArrayList<>(Collections.nCopies(reads, element));
        if (padding != null) {
            inputs.set(reads - 1, Element.BOOL);
        }
        List<Integer> all = IntStream.range(0, reads).boxed().toList();
        List<LoopProgram.Call> calls = new ArrayList<>();
        List<LoopProgram.Output> outputs = new ArrayList<>();
        for (Real result : results) {
            outputs.add(new LoopProgram.Output(reads + calls.size(), element));
            calls.add(new LoopProgram.Call(name, result, all));
        }
        return new LoopProgram(p, inputs, List.of(), calls, outputs);
    }

    private Real unlessPadding(Real usual, Real inPadding) {
        return padding == null ? usual : padding.select(inPadding, usual);
    }

    private Real zeroInPadding(Real x) {
        return unlessPadding(x, p.constant(0));
    }

    /// Reads the sum of both products; with padding, the previous h. Writes h.
    static LoopProgram rnn(Precision p, boolean padded, boolean relu) {
        var cell = new CellExpressions("rnnCell", p, padded ? 2 : 1, padded);
        Real h = relu ? Activations.relu(p.input(0)) : Hyperbolic.tanh(p.input(0));
        return cell.program(cell.unlessPadding(h, p.input(1)));
    }

    /// Reads h and the gradients of h as a result and as a state. Writes the gradient of the sum; with padding, what
    /// the previous state's gradient has beside the product.
    static LoopProgram rnnGradient(Precision p, boolean padded, boolean relu) {
        var cell = new CellExpressions("rnnCellGradient", p, 3, padded);
        Real h = p.input(0);
        Real g = p.input(1).add(p.input(2));
        Real sum = cell.zeroInPadding(relu ? Activations.reluGradient(g, h) : Activations.tanhGradient(g, h));
        return padded ? cell.program(sum, cell.unlessPadding(p.constant(0), g)) : cell.program(sum);
    }

    /// Reads the sums of i, f, g and o and the previous c; with padding, the previous h. Writes the gates, c and h. If
    /// h is projected, writes the factor of the projection in its place, and does not read the previous h.
    static LoopProgram lstm(Precision p, boolean padded, boolean projected) {
        var cell = new CellExpressions("lstmCell", p, padded && !projected ? 6 : 5, padded);
        Real i = Exponential.sigmoid(p.input(0));
        Real f = Exponential.sigmoid(p.input(1));
        Real g = Hyperbolic.tanh(p.input(2));
        Real o = Exponential.sigmoid(p.input(3));
        Real before = p.input(4);
        Real c = f.multiply(before).add(i.multiply(g));
        Real h = o.multiply(Hyperbolic.tanh(c));
        Real result = projected ? cell.zeroInPadding(h) : cell.unlessPadding(h, p.input(5));
        return cell.program(i, f, g, o, cell.unlessPadding(c, before), result);
    }

    /// Reads the gates, c, the previous c, and the gradients of h as a result and as a state and of c. Writes the
    /// gradients of the gates' sums and of the previous c; with padding, what the previous h's gradient has beside
    /// the product. If h is projected, reads the gradient of the projection's factor in place of the two of h, and
    /// writes none of the previous h.
    static LoopProgram lstmGradient(Precision p, boolean padded, boolean projected) {
        var cell = new CellExpressions("lstmCellGradient", p, projected ? 8 : 9, padded);
        Real i = p.input(0);
        Real f = p.input(1);
        Real g = p.input(2);
        Real o = p.input(3);
        Real tanh = Hyperbolic.tanh(p.input(4));
        Real before = p.input(5);
        Real h = projected ? p.input(6) : p.input(6).add(p.input(7));
        Real later = p.input(projected ? 7 : 8);
        Real c = later.add(Activations.tanhGradient(h.multiply(o), tanh));
        List<Real> results = new ArrayList<>(List.of(
                cell.zeroInPadding(Activations.sigmoidGradient(c.multiply(g), i)),
                cell.zeroInPadding(Activations.sigmoidGradient(c.multiply(before), f)),
                cell.zeroInPadding(Activations.tanhGradient(c.multiply(i), g)),
                cell.zeroInPadding(Activations.sigmoidGradient(h.multiply(tanh), o)),
                cell.unlessPadding(c.multiply(f), later)));
        if (padded && !projected) {
            results.add(cell.unlessPadding(p.constant(0), h));
        }
        return cell.program(results.toArray(Real[]::new));
    }

    /// The part of a projection beside its products. Forward, where there is padding: reads the projected and the
    /// previous h, and writes h. Backward: reads the gradients of h as a result and as a state, and writes that of
    /// the product; with padding, what the previous h's gradient has beside its product.
    static LoopProgram projection(Precision p, boolean padded, boolean backward) {
        var cell = new CellExpressions(backward ? "projectionGradient" : "projection", p, 2, padded);
        if (!backward) {
            return cell.program(cell.unlessPadding(p.input(0), p.input(1)));
        }
        Real h = p.input(0).add(p.input(1));
        Real product = cell.zeroInPadding(h);
        return padded ? cell.program(product, cell.unlessPadding(p.constant(0), h)) : cell.program(product);
    }

    /// Reads the inputs' share of r, z and n, that of the previous h, and that h. Writes the gates, h's share of n,
    /// and h.
    static LoopProgram gru(Precision p, boolean padded) {
        var cell = new CellExpressions("gruCell", p, 7, padded);
        Real r = Exponential.sigmoid(p.input(0).add(p.input(3)));
        Real z = Exponential.sigmoid(p.input(1).add(p.input(4)));
        Real share = p.input(5);
        Real n = Hyperbolic.tanh(p.input(2).add(r.multiply(share)));
        Real before = p.input(6);
        Real h = n.add(z.multiply(before.subtract(n)));
        return cell.program(r, z, n, share, cell.unlessPadding(h, before));
    }

    /// Reads the gates, h's share of n, the previous h, and the gradients of h as a result and as a state. Writes the
    /// gradients of the gates' sums and of h's share of n, and what the previous h's gradient has beside the product.
    static LoopProgram gruGradient(Precision p, boolean padded) {
        var cell = new CellExpressions("gruCellGradient", p, 7, padded);
        Real r = p.input(0);
        Real z = p.input(1);
        Real n = p.input(2);
        Real share = p.input(3);
        Real before = p.input(4);
        Real h = p.input(5).add(p.input(6));
        Real toN = Activations.tanhGradient(h.subtract(h.multiply(z)), n);
        return cell.program(
                cell.zeroInPadding(Activations.sigmoidGradient(toN.multiply(share), r)),
                cell.zeroInPadding(Activations.sigmoidGradient(h.multiply(before.subtract(n)), z)),
                cell.zeroInPadding(toN),
                cell.zeroInPadding(toN.multiply(r)),
                cell.unlessPadding(h.multiply(z), h));
    }
}
