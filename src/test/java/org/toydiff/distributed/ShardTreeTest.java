package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The order of additions, as text: `((0+1)+(2+3))`.
class ShardTreeTest {
    private static final int MOST = 19;

    /// The definition: node i of a level is the sum of two nodes of the level below.
    private static String node(int level, int i, int shards) {
        if (level == 0) {
            return String.valueOf(i);
        }
        boolean hasRight = (2L * i + 1) << (level - 1) < shards;
        String left = node(level - 1, 2 * i, shards);
        return hasRight ? "(" + left + "+" + node(level - 1, 2 * i + 1, shards) + ")" : left;
    }

    private static String tree(int shards) {
        return node(32 - Integer.numberOfLeadingZeros(shards - 1), 0, shards);
    }

    /// Adds the last on the stack to the one below, as often as it says.
    private static void add(List<String> stack, int additions) {
        for (int i = 0; i < additions; i++) {
            String right = stack.removeLast();
            stack.add("(" + stack.removeLast() + "+" + right + ")");
        }
    }

    /// What a rank adds up by itself.
    private static List<String> sums(int from, int to, int shards) {
        var tree = new ShardTree(shards);
        List<String> stack = new ArrayList<>();
        for (int shard = from; shard < to; shard++) {
            stack.add(String.valueOf(shard));
            add(stack, tree.push(new ShardTree.Node(shard, 0)));
        }
        assertEquals(ShardTree.nodes(from, to, shards).size(), stack.size());
        return stack;
    }

    @Test
    void theOrderIsThatOfTheTreeForAnyNumberOfRanks() {
        for (int shards = 1; shards <= MOST; shards++) {
            for (int ranks = 1; ranks <= shards; ranks++) {
                List<ShardTree.Node> nodes = new ArrayList<>();
                List<String> sums = new ArrayList<>();
                for (int rank = 0; rank < ranks; rank++) {
                    int from = ShardTree.first(rank, ranks, shards);
                    int to = ShardTree.first(rank + 1, ranks, shards);
                    nodes.addAll(ShardTree.nodes(from, to, shards));
                    sums.addAll(sums(from, to, shards));
                }
                int[] additions = ShardTree.additions(nodes, shards);
                List<String> stack = new ArrayList<>();
                for (int i = 0; i < additions.length; i++) {
                    stack.add(sums.get(i));
                    add(stack, additions[i]);
                }
                assertEquals(List.of(tree(shards)), stack, shards + " shards, " + ranks + " ranks");
            }
        }
    }

    @Test
    void ranksHaveNeighbouringShardsAndAboutTheSameNumber() {
        for (int shards = 1; shards <= MOST; shards++) {
            for (int ranks = 1; ranks <= shards; ranks++) {
                for (int rank = 0; rank < ranks; rank++) {
                    int count = ShardTree.first(rank + 1, ranks, shards) - ShardTree.first(rank, ranks, shards);
                    assertEquals(shards / (double) ranks, count, 0.999);
                }
                assertEquals(shards, ShardTree.first(ranks, ranks, shards));
            }
        }
    }

    @Test
    void numbersAreAddedInThatOrder() {
        // 1 + 2⁻⁵³ is 1: only (2⁻⁵³ + 2⁻⁵³) + 1 shows the small ones.
        double small = Math.ulp(1.0) / 2;
        assertEquals(1 + Math.ulp(1.0), ShardTree.sum(new double[] {1, 0, small, small}));
        assertEquals(1, ShardTree.sum(new double[] {1, small, small, 0}));
        assertEquals(15, ShardTree.sum(IntStream.range(0, 6).mapToDouble(i -> i).toArray()));
    }
}
