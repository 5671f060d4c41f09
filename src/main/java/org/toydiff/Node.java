package org.toydiff;

import java.util.concurrent.atomic.AtomicLong;
import org.toydiff.internal.launch.Shape;

/// One recorded op: what it read and wrote, and a gradient rule for each input.
///
/// Nodes are numbered in the order of recording, which is a topological order: an op's inputs exist before it
/// does.
final class Node {
    private static final AtomicLong SEQUENCE = new AtomicLong();

    final String op;
    final long sequence = SEQUENCE.getAndIncrement();
    final Tensor output;
    final Tensor[] inputs;
    final Rule[] rules;

    /// In place of the rules, where one gives all gradients; else null.
    final JointRule joint;

    /// The shape in which the rules see the gradient and the output, when it is not the output's own: that
    /// of a reduction with its axes kept.
    final long[] ruleShape;

    /// Set when an eager backward has freed what the rules would read.
    boolean released;

    private final int[] versions;

    Node(String op, Tensor output, JointRule joint, Tensor... inputs) {
        this(op, output, null, new Rule[inputs.length], joint, inputs);
    }

    Node(String op, Tensor output, long[] ruleShape, Rule[] rules, Tensor... inputs) {
        this(op, output, ruleShape, rules, null, inputs);
    }

    private Node(String op, Tensor output, long[] ruleShape, Rule[] rules, JointRule joint, Tensor... inputs) {
        for (Rule rule : rules) {
            assert rule == null || Rule.capturesNoTensor(rule)
                    : op + ": its gradient rule captures a tensor; let the rule's type say what it reads";
        }
        this.op = op;
        this.output = output;
        this.ruleShape = ruleShape;
        this.rules = rules;
        this.joint = joint;
        this.inputs = inputs;
        this.versions = new int[inputs.length + 1];
        for (int i = 0; i <= inputs.length; i++) {
            versions[i] = value(i).storage.version;
        }
    }

    /// Input i, or the output for i = the number of inputs.
    Tensor value(int i) {
        return i < inputs.length ? inputs[i] : output;
    }

    /// Whether some rule that will run reads [#value].
    boolean reads(int i) {
        if (joint != null) {
            return joint.reads(i);
        }
        int bit = i < inputs.length ? 1 << i : Rule.OUTPUT;
        for (int own = 0; own < inputs.length; own++) {
            if (inputs[own].tracksGradient() && (rules[own].reads(own) & bit) != 0) {
                return true;
            }
        }
        return false;
    }

    /// Whether its output is all that its gradient reads, element by element.
    boolean isActivation() {
        return rules[0] instanceof Activation.Through;
    }

    /// Throws if a value that a rule is about to read was changed in place since it was recorded.
    void requireUnchanged(int i) {
        Tensor value = value(i);
        if (value.storage.version != versions[i]) {
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
