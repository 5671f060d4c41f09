package org.toydiff;

import java.util.concurrent.atomic.AtomicLong;
import org.toydiff.internal.launch.Shape;

/// One recorded op: its operands, its result and its gradient rules.
///
/// Nodes are numbered in the order of recording, which is a topological order: the inputs of an op exist before
/// it does.
final class Node {
    private static final AtomicLong SEQUENCE = new AtomicLong();

    final String op;
    final long sequence = SEQUENCE.getAndIncrement();
    final Tensor output;
    final Tensor[] inputs;

    /// The rule of each input, null for one that has no gradient; one that is [Rule.Joint] stands in every place.
    final Rule[] rules;

    /// The shape in which the rules see the gradient and the output where that is not the output's: the shape of a
    /// reduction with its axes kept. Else null.
    final long[] ruleShape;

    /// Set when an eager backward has freed the values that the rules would read.
    boolean released;

    /// The versions of the values when they were recorded; null where all were 0, as those of most ops are.
    private final int[] versions;

    Node(String op, Tensor output, long[] ruleShape, Rule[] rules, Tensor... inputs) {
        for (Rule rule : rules) {
            assert rule == null || rule instanceof Rule.Joint || Rule.capturesNoTensor(rule)
                    : op + ": its gradient rule captures a tensor; let the rule's type say what it reads";
        }
        this.op = op;
        this.output = output;
        this.ruleShape = ruleShape;
        this.rules = rules;
        this.inputs = inputs;
        this.versions = versions();
    }

    private int[] versions() {
        int[] changed = null;
        for (int i = 0; i <= inputs.length; i++) {
            int version = value(i).storage.version;
            if (version != 0) {
                changed = changed == null ? new int[inputs.length + 1] : changed;
                changed[i] = version;
            }
        }
        return changed;
    }

    /// Returns the rule of input i, which is not joint.
    Rule.Single rule(int i) {
        return (Rule.Single) rules[i];
    }

    /// Returns the activation that this op is, if a producer of its gradient can apply its rule; else null.
    Activation activation() {
        return rules[0] instanceof Rule.Fusible rule ? rule.activation() : null;
    }

    /// Returns input i, or the output for i = the number of inputs.
    Tensor value(int i) {
        return i < inputs.length ? inputs[i] : output;
    }

    /// Whether [#value] was made for the rules of this node alone.
    boolean isSaved(int i) {
        return i < inputs.length && inputs[i].storage.saved;
    }

    /// Whether some rule that will run reads [#value].
    boolean reads(int i) {
        int bit = i < inputs.length ? Rule.input(i) : Rule.OUTPUT;
        for (int own = 0; own < inputs.length; own++) {
            if (inputs[own].tracksGradient() && (rules[own].reads(own) & bit) != 0) {
                return true;
            }
        }
        return false;
    }

    /// Throws if a value that a rule is about to read was changed in place since it was recorded.
    void requireUnchanged(int i) {
        Tensor value = value(i);
        if (value.storage.version != (versions == null ? 0 : versions[i])) {
            throw new IllegalStateException("backward: " + op + " reads a value of shape " + Shape.text(value.shape)
                    + " that was changed in place after " + op + " was computed; change it after backward, or give "
                    + op
                    + " a copy");
        }
    }

    void requireUnreleased() {
        if (released) {
            throw new IllegalStateException("backward: the graph of " + op + " " + Shape.text(output.shape)
                    + " was released by an earlier backward(Release.EAGER); use Release.AT_CLOSE to go backward twice");
        }
    }
}
