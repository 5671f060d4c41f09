package org.toydiff.distributed;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.Tensor;
import org.toydiff.Updates;
import org.toydiff.data.ShardRange;

/// The order in which the sums of shards are added: a binary tree over all shards, which does not depend on the
/// number of processes. Node i of level l stands for the shards from `i·2ˡ` to before `(i + 1)·2ˡ`; it is the sum
/// of nodes 2i and 2i + 1 of the level below, or node 2i alone where there is no other.
///
/// Sums are pushed from left to right. A push says how many additions follow, of the last sum on the stack to the one
/// below it, so that the stack has nodes alone whose right neighbours are still to come.
final class ShardTree {
    /// A sum: its first shard and its level.
    record Node(int first, int level) {}

    private final int shards;
    private final List<Node> stack = new ArrayList<>();

    ShardTree(int shards) {
        this.shards = shards;
    }

    /// Pushes a sum.
    ///
    /// @return the number of additions that follow
    int push(Node node) {
        Node sum = promoted(node);
        int additions = 0;
        while (!stack.isEmpty() && isLeftOf(stack.getLast(), sum)) {
            sum = promoted(new Node(stack.removeLast().first, sum.level + 1));
            additions++;
        }
        stack.add(sum);
        return additions;
    }

    /// Where there is no right neighbour, a node is its parent too.
    private Node promoted(Node node) {
        int level = node.level;
        while (node.first > 0 && isLeft(node.first, level) && node.first + (1L << level) >= shards) {
            level++;
        }
        return new Node(node.first, level);
    }

    private static boolean isLeft(int first, int level) {
        return (first >> level & 1) == 0;
    }

    private static boolean isLeftOf(Node left, Node right) {
        return left.level == right.level
                && isLeft(left.first, left.level)
                && left.first + (1L << left.level) == right.first;
    }

    /// {@return the sums that remain of some shards}
    static List<Node> nodes(ShardRange shards) {
        var tree = new ShardTree(shards.shards());
        for (int shard = shards.first(); shard < shards.end(); shard++) {
            tree.push(new Node(shard, 0));
        }
        return List.copyOf(tree.stack);
    }

    /// {@return the number of additions after each of some sums}
    static int[] additions(List<Node> sums, int shards) {
        var tree = new ShardTree(shards);
        return sums.stream().mapToInt(tree::push).toArray();
    }

    /// {@return the number of additions after each of some shards}
    static int[] additions(ShardRange shards) {
        return additions(
                IntStream.range(shards.first(), shards.end())
                        .mapToObj(shard -> new Node(shard, 0))
                        .toList(),
                shards.shards());
    }

    /// Adds sums, in place.
    ///
    /// @param sums tensors of one shape, of which the first becomes the total; the others are overwritten
    /// @param additions the number of additions after each
    static void add(List<Tensor> sums, int[] additions) {
        int top = -1;
        for (int next = 0; next < additions.length; next++) {
            top++;
            if (top != next) {
                // Sums move down on the stack: a later one takes the place of one that was added.
                sums.get(top).copyFrom(sums.get(next));
            }
            for (int i = additions[next]; i > 0; i--, top--) {
                Updates.add(sums.get(top - 1), sums.get(top));
            }
        }
    }

    /// Adds numbers, in place.
    ///
    /// @param sums one number for each shard; overwritten
    /// @param additions the number of additions after each
    /// @return the sum
    static double add(double[] sums, int[] additions) {
        int top = -1;
        for (int next = 0; next < additions.length; next++) {
            sums[++top] = sums[next];
            for (int i = additions[next]; i > 0; i--, top--) {
                sums[top - 1] += sums[top];
            }
        }
        return sums[0];
    }
}
