package org.toydiff.internal.arithmetic;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Expressions as one graph, in which equal operations on equal operands are one node, so that each is computed
/// once.
public final class Graph {
    /// An operation, and the number of times that others or the results read it.
    static final class Node {
        final Expression expression;
        final List<Node> operands;
        int uses;

        private Node(Expression expression, List<Node> operands) {
            this.expression = expression;
            this.operands = operands;
        }

        Operation operation() {
            return expression.operation;
        }

        Node operand(int index) {
            return operands.get(index);
        }
    }

    private final Map<Expression, Node> known = new IdentityHashMap<>();

    /// Nodes by class, operation, number, function and operands. The key is a list: the `hashCode` of a record with
    /// a component of a type of this library leaves that type in a cache of the JDK (`ObjectMethods`), and its class
    /// loader is never collected.
    private final Map<List<Object>, Node> distinct = new HashMap<>();
    private final List<Node> order = new ArrayList<>();

    final Precision precision;
    final List<Node> results;

    private Graph(List<? extends Expression> results) {
        precision = results.getFirst().precision;
        this.results = results.stream().map(this::node).toList();
        this.results.forEach(result -> result.uses++);
    }

    /// {@return the graph of one result or more, all of one precision}
    public static Graph of(List<? extends Expression> results) {
        return new Graph(results);
    }

    private Node node(Expression expression) {
        Node node = known.get(expression);
        if (node == null) {
            List<Node> operands = expression.operands.stream().map(this::node).toList();
            List<Object> key = Arrays.asList(
                    expression.getClass(), expression.operation, expression.number, expression.function, operands);
            node = distinct.get(key);
            if (node == null) {
                node = new Node(expression, operands);
                operands.forEach(operand -> operand.uses++);
                distinct.put(key, node);
                order.add(node);
            }
            known.put(expression, node);
        }
        return node;
    }

    /// {@return all nodes, each after its operands}
    List<Node> nodes() {
        return order;
    }

    /// {@return the precision of all numbers in the graph}
    public Precision precision() {
        return precision;
    }

    /// {@return whether result `index` is a truth value}
    public boolean isCondition(int index) {
        return results.get(index).expression instanceof Condition;
    }

    /// {@return whether operand `index` is read as a truth value}
    public boolean isMask(int index) {
        return leaves(Operation.INPUT).anyMatch(leaf -> leaf.number == index && leaf instanceof Condition);
    }

    /// {@return the operands that are read, ascending}
    public int[] inputs() {
        return leaves(Operation.INPUT)
                .mapToInt(leaf -> (int) leaf.number)
                .distinct()
                .sorted()
                .toArray();
    }

    /// {@return the parameters that are read, ascending}
    public int[] parameters() {
        return leaves(Operation.PARAMETER)
                .mapToInt(leaf -> (int) leaf.number)
                .distinct()
                .sorted()
                .toArray();
    }

    /// {@return whether every operation has a vector form}
    public boolean hasVectorForm() {
        return order.stream()
                .map(Node::operation)
                .noneMatch(each -> each == Operation.FLOOR_DIVIDE || each == Operation.FLOOR_REMAINDER);
    }

    private Stream<Expression> leaves(Operation kind) {
        return order.stream().map(node -> node.expression).filter(leaf -> leaf.operation == kind);
    }

    /// {@return a key that is equal for equal graphs only} It refers to no node and no expression.
    public List<Object> key() {
        Map<Node, Integer> places = new IdentityHashMap<>();
        List<Object> key = new ArrayList<>();
        key.add(precision);
        for (Node node : order) {
            Expression expression = node.expression;
            key.add(Arrays.asList(
                    expression.getClass(),
                    expression.operation,
                    expression.number,
                    expression.function,
                    node.operands.stream().map(places::get).toList()));
            places.put(node, places.size());
        }
        key.add(results.stream().map(places::get).toList());
        return key;
    }

    /// {@return the largest number of values that must be kept at once while an [Emitter]'s code runs} Constants and
    /// parameters do not count.
    public int liveValues() {
        return new LiveValues(this).most();
    }

    /// {@return the number of operations, not counting leaves}
    public int operationCount() {
        return (int) order.stream().filter(node -> !node.operands.isEmpty()).count();
    }
}
