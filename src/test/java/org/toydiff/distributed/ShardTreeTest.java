package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.toydiff.data.ShardRange;

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
    private static List<String> sums(ShardRange range) {
        var tree = new ShardTree(range.shards());
        List<String> stack = new ArrayList<>();
        for (int shard = range.first(); shard < range.end(); shard++) {
            stack.add(String.valueOf(shard));
            add(stack, tree.push(new ShardTree.Node(shard, 0)));
        }
        assertEquals(ShardTree.nodes(range).size(), stack.size());
        return stack;
    }

    @Test
    void theOrderIsThatOfTheTreeForAnyNumberOfRanks() {
        for (int shards = 1; shards <= MOST; shards++) {
            for (int ranks = 1; ranks <= shards; ranks++) {
                List<ShardTree.Node> nodes = new ArrayList<>();
                List<String> sums = new ArrayList<>();
                for (int rank = 0; rank < ranks; rank++) {
                    var range = ShardRange.of(rank, ranks, shards);
                    nodes.addAll(ShardTree.nodes(range));
                    sums.addAll(sums(range));
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
                int end = 0;
                for (int rank = 0; rank < ranks; rank++) {
                    var range = ShardRange.of(rank, ranks, shards);
                    assertEquals(end, range.first());
                    assertEquals(shards / (double) ranks, range.count(), 0.999);
                    end = range.end();
                }
                assertEquals(shards, end);
            }
        }
    }

    @Test
    void numbersAreAddedInThatOrder() {
        // 1 + 2⁻⁵³ is 1: only (2⁻⁵³ + 2⁻⁵³) + 1 shows the small ones.
        double small = Math.ulp(1.0) / 2;
        assertEquals(1 + Math.ulp(1.0), sum(1, 0, small, small));
        assertEquals(1, sum(1, small, small, 0));
        assertEquals(15, sum(0, 1, 2, 3, 4, 5));
    }

    private static double sum(double... numbers) {
        return ShardTree.add(numbers, ShardTree.additions(ShardRange.of(0, 1, numbers.length)));
    }
}
