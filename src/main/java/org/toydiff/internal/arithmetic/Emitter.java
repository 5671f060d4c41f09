package org.toydiff.internal.arithmetic;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.HashMap;
import java.util.Map;
import org.toydiff.internal.arithmetic.Graph.Node;

/// Writes the bytecode of a graph: straight-line code, in which a node that is used once stays on the stack and any
/// other is kept in a local variable.
public abstract sealed class Emitter permits ScalarEmitter, VectorEmitter {
    /// The source of a graph's leaves: each method writes code that pushes one value.
    public interface Leaves {
        /// Pushes the element of an operand, a float or double (or a vector of them).
        void input(int index);

        /// Pushes the truth value of an operand, 0 or 1 (or a vector mask).
        void mask(int index);

        /// Pushes a parameter. Passes have parameters, elementwise kernels have none.
        default void parameter(int index) {
            throw new IllegalArgumentException("an elementwise kernel has no parameters");
        }
    }

    final CodeBuilder code;
    final Graph graph;
    final boolean wide;
    private final Leaves leaves;
    private final Map<Node, Integer> locals = new HashMap<>();

    Emitter(CodeBuilder code, Graph graph, Leaves leaves) {
        this.code = code;
        this.graph = graph;
        this.leaves = leaves;
        wide = graph.precision == Precision.FLOAT64;
    }

    /// Pushes result `index`.
    public final void result(int index) {
        push(graph.results.get(index));
    }

    /// Pushes a node's value, computing it now unless it is in a variable.
    final void push(Node node) {
        Integer local = locals.get(node);
        if (local != null) {
            code.loadLocal(kind(node), local);
            return;
        }
        compute(node);
        if (node.uses > 1 && !isCheap(node)) {
            keep(node);
            code.loadLocal(kind(node), locals.get(node));
        }
    }

    /// Ensures that a node can be pushed without computing anything.
    final void settle(Node node) {
        if (!locals.containsKey(node) && !isCheap(node)) {
            compute(node);
            keep(node);
        }
    }

    /// Pops the value of a node into a new variable.
    private void keep(Node node) {
        int local = code.allocateLocal(kind(node));
        code.storeLocal(kind(node), local);
        locals.put(node, local);
    }

    private void compute(Node node) {
        int index = (int) node.expression.number;
        switch (node.operation()) {
            case INPUT -> {
                if (node.expression instanceof Condition) {
                    leaves.mask(index);
                } else {
                    leaves.input(index);
                }
            }
            case PARAMETER -> leaves.parameter(index);
            case CONSTANT -> constant(node);
            default -> operation(node);
        }
    }

    /// {@return whether pushing the node again costs no more than a variable}
    abstract boolean isCheap(Node node);

    abstract TypeKind kind(Node node);

    abstract void constant(Node node);

    /// Pushes the operands and replaces them by the result.
    abstract void operation(Node node);

    final void pushOperands(Node node) {
        node.operands.forEach(this::push);
    }
}
