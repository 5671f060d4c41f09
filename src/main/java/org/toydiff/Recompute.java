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
    private final List<Tensor> parameters;

    /// So that dropout drops the same again.
    private final Draws draws = Draws.noted(Scope.current().draws);

    /// The input, while the function runs forward.
    private Tensor given;

    private Recompute(UnaryOperator<Tensor> f, List<Tensor> parameters) {
        this.f = f;
        this.parameters = List.copyOf(parameters);
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
        Tensor[] inputs = new Tensor[1 + parameters.size()];
        inputs[0] = x;
        for (int i = 1; i < inputs.length; i++) {
            inputs[i] = parameters.get(i - 1);
        }
        Rule[] rules = new Rule[inputs.length];
        Arrays.fill(rules, rule);
        return y.record(OP, null, rules, inputs);
    }

    /// Throws if an op of the function reads a tensor that tracks gradients and that the function was not said to
    /// depend on: that tensor would get none, and nobody would notice.
    void requireDeclared(Tensor operand) {
        for (Tensor parameter : parameters) {
            if (parameter == operand) {
                return;
            }
        }
        if (operand != given) {
            throw new IllegalArgumentException(OP + ": the function computes with a tensor "
                    + Shape.text(operand.shape) + (operand.node == null ? "" : " made by " + operand.node.op)
                    + " that tracks gradients and is neither its input nor among the parameters given to checkpoint;"
                    + " add it to them, or detach() it");
        }
    }

    /// The output alone: what else was made on the way is freed.
    private Tensor forward(Tensor x, Scope scope) {
        List<Storage> before = scope.temporaries;
        List<Storage> made = new ArrayList<>();
        scope.temporaries = made;
        Scope.GradientMode region = scope.begin(OP, false);
        Draws around = scope.draws;
        scope.draws = draws;
        scope.segment = this;
        given = x;
        Storage kept = null;
        try {
            Tensor y = f.apply(x);
            y.requireReadable(OP);
            kept = y.storage;
            // Another sight: what f gives may be its input, which others have recorded.
            return y.view(y.offset, y.shape, y.strides);
        } finally {
            given = null;
            scope.draws = around;
            region.end();
            scope.temporaries = before;
            for (Storage storage : made) {
                if (storage != kept) {
                    storage.disposable = true;
                    storage.freeIfUnused(OP, 0);
                }
            }
        }
    }

    @Override
    public Tensor[] contributions(Tensor g, Tensor[] inputs, Tensor y, boolean[] wanted) {
        Scope scope = Scope.current();
        Backward outer = scope.backward;
        // Cut off from what it was computed by, unless the gradients are themselves to be differentiated.
        Tensor x = outer.records() ? inputs[0] : inputs[0].view(inputs[0].offset, inputs[0].shape, inputs[0].strides);
        x.leaf |= !outer.records() && wanted[0];
        List<Tensor> xs = new ArrayList<>();
        for (int i = 0; i < inputs.length; i++) {
            if (wanted[i]) {
                xs.add(i == 0 ? x : parameters.get(i - 1));
            }
        }
        List<Tensor> gradients = gradients(outer, x, scope, g, xs);
        Tensor[] contributions = new Tensor[inputs.length];
        int next = 0;
        for (int i = 0; i < inputs.length; i++) {
            contributions[i] = wanted[i] ? gradients.get(next++) : null;
        }
        return contributions;
    }

    /// The walk within has nothing to say about x's block: neither when it is read last nor that it may go.
    private List<Tensor> gradients(Backward outer, Tensor x, Scope scope, Tensor g, List<Tensor> xs) {
        Storage block = x.storage;
        boolean pinned = block.pinned;
        int lastReader = block.lastReader;
        int readerBefore = block.readerBefore;
        block.pinned = true;
        try {
            return outer.gradientsWithin(again(x, scope), g, xs);
        } finally {
            block.pinned = pinned;
            block.lastReader = lastReader;
            block.readerBefore = readerBefore;
        }
    }

    private Tensor again(Tensor x, Scope scope) {
        Scope.GradientMode region = scope.begin(OP, true);
        Draws around = scope.draws;
        Draws same = draws.again(around);
        scope.draws = same;
        try {
            Tensor y = f.apply(x);
            same.requireAll();
            return y;
        } finally {
            scope.draws = around;
            region.end();
        }
    }
}
