package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;
import org.toydiff.internal.random.Draws;

/// Activation checkpointing: a function whose intermediates are freed at once and computed again in backward.
///
/// Source: T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training deep nets with sublinear memory cost", 2016.
final class Recompute implements Rule.Joint {
    private static final String OP = "checkpoint";

    private final UnaryOperator<Tensor> f;

    /// Each of them once.
    private final Tensor[] parameters;

    /// So that dropout drops the same elements again.
    private final Draws draws = Draws.noted(Scope.current().draws);

    /// So that the same ops are cast again.
    private final boolean casts = Autocast.isEnabled();

    /// The argument of the function while it runs forward.
    private Tensor argument;

    private Recompute(UnaryOperator<Tensor> f, List<Tensor> parameters) {
        this.f = f;
        this.parameters = distinct(parameters);
    }

    private static Tensor[] distinct(List<Tensor> tensors) {
        Tensor[] distinct = new Tensor[tensors.size()];
        int n = 0;
        for (Tensor tensor : tensors) {
            boolean known = false;
            for (int i = 0; i < n && !known; i++) {
                known = distinct[i] == tensor;
            }
            if (!known) {
                distinct[n++] = tensor;
            }
        }
        return n == distinct.length ? distinct : Arrays.copyOf(distinct, n);
    }

    /// Returns an argument and the parameters.
    private Tensor[] operands(Tensor argument) {
        Tensor[] operands = new Tensor[1 + parameters.length];
        operands[0] = argument;
        System.arraycopy(parameters, 0, operands, 1, parameters.length);
        return operands;
    }

    static Tensor of(UnaryOperator<Tensor> f, Tensor x, List<Tensor> parameters) {
        x.requireReadable(OP);
        Scope scope = Scope.current();
        boolean tracked = x.tracksGradient() || parameters.stream().anyMatch(Tensor::tracksGradient);
        if (!tracked || !scope.recording) {
            return f.apply(x);
        }
        var rule = new Recompute(f, parameters);
        Tensor y = rule.forward(x, scope);
        Tensor[] inputs = rule.operands(x);
        Rule[] rules = new Rule[inputs.length];
        Arrays.fill(rules, rule);
        return y.record(OP, null, rules, inputs);
    }

    /// Throws if an op of the function reads a tensor that tracks gradients and was not declared as a parameter:
    /// that tensor would get none, and nobody would notice.
    void requireDeclared(Tensor operand) {
        if (operand != argument && !isParameter(operand)) {
            throw new IllegalArgumentException(OP + ": the function computes with a tensor "
                    + Shape.text(operand.shape) + (operand.node == null ? "" : " made by " + operand.node.op)
                    + " that tracks gradients and is neither its argument nor among the parameters given to checkpoint;"
                    + " add it to them, or detach() it");
        }
    }

    /// Returns the output alone: every other tensor that the function makes is freed.
    private Tensor forward(Tensor x, Scope scope) {
        List<Storage> before = scope.temporaries;
        List<Storage> made = new ArrayList<>();
        scope.temporaries = made;
        Scope.GradientMode mode = scope.begin(OP, false);
        scope.casts = casts ? new Autocast.Casts(false) : null;
        Draws around = scope.draws;
        scope.draws = draws;
        scope.segment = this;
        argument = cutOff(x, x.tracksGradient());
        Storage kept = null;
        try {
            Tensor y = f.apply(argument);
            y.requireReadable(OP);
            kept = y.storage;
            // A view: the function may return a parameter, which others have recorded.
            return y.view();
        } finally {
            argument = null;
            scope.draws = around;
            mode.end();
            scope.temporaries = before;
            for (Storage storage : made) {
                if (storage != kept) {
                    storage.disposable = true;
                    storage.freeIfUnused(OP, 0);
                }
            }
        }
    }

    /// Returns a view outside the graph that x belongs to. It is another tensor than x, which may be a
    /// parameter too and have a gradient as such.
    private static Tensor cutOff(Tensor x, boolean tracked) {
        Tensor leaf = x.view();
        leaf.leaf = tracked;
        return leaf;
    }

    private boolean isParameter(Tensor tensor) {
        for (Tensor parameter : parameters) {
            if (parameter == tensor) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Tensor[] contributions(Tensor g, Tensor[] inputs, Tensor y, boolean[] wanted) {
        Scope scope = Scope.current();
        Backward outer = scope.backward;
        Tensor[] operands = operands(outer.records() ? recordedView(inputs[0]) : cutOff(inputs[0], wanted[0]));
        List<Tensor> xs = new ArrayList<>();
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i]) {
                xs.add(operands[i]);
            }
        }
        Kept kept = keep(operands);
        List<Tensor> gradients;
        try {
            gradients = outer.gradientsWithin(again(operands[0], scope), g, xs, Arrays.asList(operands));
        } finally {
            for (Kept each = kept; each != null; each = each.next) {
                each.putBack();
            }
        }
        Tensor[] contributions = new Tensor[inputs.length];
        int next = 0;
        for (int i = 0; i < inputs.length; i++) {
            contributions[i] = wanted[i] ? gradients.get(next++) : null;
        }
        return contributions;
    }

    /// Returns x, or a view of it where it is a parameter too; the gradients of either can be differentiated.
    private Tensor recordedView(Tensor x) {
        return isParameter(x) ? Families.view(x, OP, x.offset, x.shape, x.strides, Rule.readsNothing(g -> g)) : x;
    }

    /// The state of an operand's block. The walk within, which may read the block through views, must not free
    /// it nor say when it is read last.
    private record Kept(Storage block, int lastReader, int readerBefore, Kept next) {
        void putBack() {
            block.pinned = false;
            block.lastReader = lastReader;
            block.readerBefore = readerBefore;
        }
    }

    /// Pins the blocks of operands, and returns the state of those that were not pinned.
    private static Kept keep(Tensor[] operands) {
        Kept kept = null;
        for (Tensor operand : operands) {
            Storage block = operand.storage;
            if (!block.pinned) {
                kept = new Kept(block, block.lastReader, block.readerBefore, kept);
                block.pinned = true;
            }
        }
        return kept;
    }

    private Tensor again(Tensor x, Scope scope) {
        Scope.GradientMode mode = scope.begin(OP, true);
        scope.casts = casts ? new Autocast.Casts(false) : null;
        Draws around = scope.draws;
        Draws same = draws.again(around);
        scope.draws = same;
        try {
            Tensor y = f.apply(x);
            same.requireAll();
            return y;
        } finally {
            scope.draws = around;
            mode.end();
        }
    }
}
