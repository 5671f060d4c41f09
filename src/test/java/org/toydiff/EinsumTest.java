package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.internal.linalg.ContractionOrder;
import org.toydiff.internal.linalg.ContractionOrder.Pair;

/// Einsum against nested loops over all indices, in double.
@Tag("kernels")
class EinsumTest {
    /// With an output each, so that the loops need no rule for it.
    private static final List<String> EQUATIONS = List.of(
            "i->i",
            "i->",
            "ij->ji",
            "ij->",
            "ij->j",
            "ii->i",
            "ii->",
            "iji->j",
            "iij->ij",
            "iiji->ij",
            "ijij->ij",
            "i,i->",
            "i,i->i",
            "i,j->ij",
            "i,j->ji",
            "i,j->",
            "ij,jk->ik",
            "ij,jk->ki",
            "ij,jk->ijk",
            "ij,jk->",
            "ij,ij->ij",
            "ij,ij->",
            "ij,ij->j",
            "ij,ji->i",
            "ij,kj->ik",
            "ji,jk->ik",
            "bij,bjk->bik",
            "bij,bjk->kbi",
            "bij,jk->bik",
            "ibj,kbj->bik",
            "abc,cba->b",
            "abcd,cdbe->ae",
            "abcd,dcbe->ae",
            "abc,bcd->da",
            "ij,->ij",
            ",->",
            "ii,ij->j",
            "ijk,k->ij",
            "ij,jk,kl->il",
            "ij,jk,kl->li",
            "i,j,k->kij",
            "ij,j,jk->ik",
            "ab,bc,cd,de->ae",
            "ab,ac,ad,bcd->",
            "ab,bc,cd,de,ef->af",
            "ab,bc,cd,de,ef,fa->",
            "a,b,c,d,e->ecabd");

    /// The sum by definition.
    private static double[] loops(String equation, long[] sizes, double[][] operands, long[][] shapes) {
        String[] halves = equation.split("->", -1);
        String[] terms = halves[0].split(",", -1);
        List<Character> indices = equation.chars()
                .filter(Character::isLetter)
                .distinct()
                .mapToObj(c -> (char) c)
                .toList();
        long[] bounds = indices.stream().mapToLong(c -> sizes[c - 'a']).toArray();
        long outputs = 1;
        for (char c : halves[1].toCharArray()) {
            outputs *= sizes[c - 'a'];
        }
        double[] result = new double[(int) outputs];
        long all = Arrays.stream(bounds).reduce(1, (a, b) -> a * b);
        for (long flat = 0; flat < all; flat++) {
            Map<Character, Long> at = new TreeMap<>();
            long rest = flat;
            for (int i = 0; i < bounds.length; i++) {
                at.put(indices.get(i), rest % bounds[i]);
                rest /= bounds[i];
            }
            double product = 1;
            for (int t = 0; t < terms.length; t++) {
                product *= operands[t][(int) offset(terms[t], at, shapes[t])];
            }
            long[] shape = halves[1].chars().mapToLong(c -> sizes[c - 'a']).toArray();
            result[(int) offset(halves[1], at, shape)] += product;
        }
        return result;
    }

    /// The place of an element in row-major order; axes of size 1 broadcast.
    private static long offset(String term, Map<Character, Long> at, long[] shape) {
        long offset = 0;
        for (int axis = 0; axis < shape.length; axis++) {
            offset = offset * shape[axis] + (shape[axis] == 1 ? 0 : at.get(term.charAt(axis)));
        }
        return offset;
    }

    private static long[] shape(String term, long[] sizes) {
        return term.chars().mapToLong(c -> sizes[c - 'a']).toArray();
    }

    private static void requireLoops(String equation, DType dtype, long[] sizes, Random random, boolean ones) {
        String[] terms = equation.split("->")[0].split(",", -1);
        Tensor[] operands = new Tensor[terms.length];
        double[][] values = new double[terms.length][];
        long[][] shapes = new long[terms.length][];
        for (int i = 0; i < terms.length; i++) {
            shapes[i] = shape(terms[i], sizes);
            if (ones
                    && i > 0
                    && shapes[i].length > 0
                    && terms[i].chars().distinct().count() == terms[i].length()) {
                shapes[i][0] = covered(terms, i) ? 1 : shapes[i][0];
            }
            operands[i] = anyLayout(Tensor.rand(dtype, random, shapes[i]), random);
            values[i] = operands[i].toDoubleArray();
        }
        double[] expected = loops(equation, sizes, values, shapes);
        Tensor actual = Tensor.einsum(equation, operands);
        assertArrayEquals(shape(equation.substring(equation.indexOf('>') + 1), sizes), actual.shape());
        assertEquals(dtype, actual.dtype());
        double scale = Arrays.stream(expected).map(Math::abs).max().orElse(0) + 1;
        assertArrayEquals(expected, actual.toDoubleArray(), scale * (dtype == DType.FLOAT64 ? 1e-13 : 2e-6), equation);
    }

    /// Whether another term has the first index of one at its full size.
    private static boolean covered(String[] terms, int i) {
        return terms[0].indexOf(terms[i].charAt(0)) >= 0;
    }

    /// The same elements, lying in another order in memory.
    private static Tensor anyLayout(Tensor x, Random random) {
        int rank = x.rank();
        if (rank < 2 || random.nextInt(3) == 0) {
            return x;
        }
        int[] axes = IntStream.range(0, rank).toArray();
        int swapped = random.nextInt(rank);
        axes[0] = swapped;
        axes[swapped] = 0;
        return x.transpose(axes).flip(0).transpose(axes);
    }

    @TestFactory
    Stream<DynamicTest> sumsAreThoseOfLoops() {
        return EQUATIONS.stream()
                .map(equation -> dynamicTest(equation, () -> {
                    var random = new Random(equation.hashCode());
                    for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
                        for (int round = 0; round < 8; round++) {
                            try (var arena = TensorArena.ofConfined()) {
                                long[] sizes =
                                        random.longs(26, round == 0 ? 0 : 1, 5).toArray();
                                requireLoops(equation, dtype, sizes, random, round % 3 == 2);
                            }
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> gradientsAreThoseOfDifferences() {
        return EQUATIONS.stream()
                .map(equation -> dynamicTest(equation, () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        var random = new Random(7);
                        long[] sizes = random.longs(26, 2, 4).toArray();
                        Tensor[] operands = Arrays.stream(equation.split("->")[0].split(",", -1))
                                .map(term -> Tensor.rand(DType.FLOAT64, random, shape(term, sizes)))
                                .toArray(Tensor[]::new);
                        GradientCheck.check(xs -> Tensor.einsum(equation, xs.toArray(Tensor[]::new)), operands);
                    }
                }));
    }

    private static void requireEqual(String explicit, String equation, Tensor... operands) {
        Tensor expected = Tensor.einsum(explicit, operands);
        Tensor actual = Tensor.einsum(equation, operands);
        assertArrayEquals(expected.shape(), actual.shape());
        assertArrayEquals(expected.toDoubleArray(), actual.toDoubleArray());
    }

    @Test
    void withoutAnOutputIndicesThatOccurOnceAreInAlphabeticalOrder() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.rand(2, 3);
            Tensor b = Tensor.rand(3, 4);
            requireEqual("ij,jk->ik", "ij,jk", a, b);
            requireEqual("zb,ba->az", " z b , b a ", a, b);
            requireEqual("ba->ab", "ba", a);
            requireEqual("aB->Ba", "aB", a);
            requireEqual("ii->", "ii", Tensor.rand(3, 3));
        }
    }

    @Test
    void anEllipsisStandsForFurtherAxesThatBroadcast() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.rand(5, 2, 3, 4);
            Tensor b = Tensor.rand(2, 4, 6);
            requireEqual("xyij,yjk->xyik", "...ij,...jk->...ik", a, b);
            requireEqual("xyij,yjk->xyik", "...ij,...jk", a, b);
            requireEqual("xyij,yjk->ixyk", "...ij,...jk->i...k", a, b);
            requireEqual("xyij,yjk->xyik", "...ij,...jk", a, b.slice(0, 0, 1));
            requireEqual("xyij->xy", "...ij->...", a);
            requireEqual("xyij->ij", "...ij->ij", a);
            requireEqual("xij->ijx", "x...->...x", a.get(0));
        }
    }

    @Test
    void aResultWhoseAxesOnlyMoveIsAView() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.rand(3, 3);
            assertEquals(
                    a.segment().address(),
                    Tensor.einsum("ij->ji", a).transpose().segment().address());
            long made = arena.liveBytes();
            Tensor.einsum("ii->i", a);
            Tensor.einsum("ij->ji", a);
            assertEquals(made, arena.liveBytes());
        }
    }

    @Test
    void operandsThatBlasCanReadAreNotCopied() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.rand(8, 16, 32);
            Tensor b = Tensor.rand(64, 32);
            long before = arena.peakBytes();
            Tensor.einsum("bij,kj->bik", a, b);
            assertEquals(8 * 16 * 64 * 4, arena.peakBytes() - before);
            before = arena.peakBytes();
            Tensor.einsum("bij,bkj->bik", a, a);
            assertEquals(8 * 16 * 16 * 4, arena.peakBytes() - before);
        }
    }

    @Test
    void theOrderIsThatOfFewestMultiplications() {
        // (a·b)·c of [2, 3]·[3, 100]·[100, 2] takes 1,000 multiplications, a·(b·c) 612.
        long[] sizes = {2, 3, 100, 2};
        assertEquals(
                List.of(new Pair(1, 2), new Pair(0, 1)),
                ContractionOrder.of(List.of(0b0011L, 0b0110L, 0b1100L), 0b1001, sizes));
        // A vector at the right end of a chain is multiplied first, however long the chain.
        List<Long> chain = new ArrayList<>();
        IntStream.range(0, 7).forEach(i -> chain.add(0b11L << i));
        chain.add(0b1L << 7);
        List<Pair> pairs = ContractionOrder.of(chain, 1, new long[] {9, 9, 9, 9, 9, 9, 9, 9});
        assertEquals(new Pair(6, 7), pairs.getFirst());
        assertEquals(7, pairs.size());
        assertTrue(pairs.stream().skip(1).allMatch(pair -> pair.second() - pair.first() == 1));
    }

    private static void requireMessage(String message, String equation, Tensor... operands) {
        assertEquals(
                "einsum: " + message,
                assertThrows(IllegalArgumentException.class, () -> Tensor.einsum(equation, operands))
                        .getMessage());
    }

    @Test
    void messagesNameTheTermTheIndexAndBothSizes() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.rand(2, 3);
            Tensor b = Tensor.rand(4, 5);
            requireMessage(
                    "'ij,jk->ik' gives index j size 3 in term 0 'ij' of [2, 3] and size 4 in term 1 'jk' of [4, 5]",
                    "ij,jk->ik",
                    a,
                    b);
            requireMessage(
                    "'ii' gives index i size 2 in term 0 'ii' of [2, 3] and size 3 in term 0 'ii' of [2, 3]", "ii", a);
            requireMessage(
                    "'ij,kk' gives index k size 1 in term 1 'kk' of [1, 5] and size 5 in term 1 'kk' of [1, 5]",
                    "ij,kk",
                    a,
                    b.slice(0, 0, 1));
            requireMessage(
                    "'...j,...k' gives axis -1 of the ellipsis size 2 in term 0 '...j' of [2, 3] and size 4 in term 1"
                            + " '...k' of [4, 5]",
                    "...j,...k",
                    a,
                    b);
            requireMessage(
                    "'ijk' names 3 axes in term 0 'ijk' of [2, 3], which has 2; name each, or write ... for the others",
                    "ijk",
                    a);
            requireMessage("'...ijk' names 3 axes in term 0 '...ijk' of [2, 3], which has 2", "...ijk", a);
            requireMessage("'ij,jk' has 2 terms for 1 tensors; write a term for each", "ij,jk", a);
            requireMessage("'ij->ik' has index k in the output 'ik' and in no term", "ij->ik", a);
            requireMessage("'ij->ii' has index i in the output 'ii' twice", "ij->ii", a);
            requireMessage("'i.' has '.' in 'i.'; an index is a letter, and ... stands once in a term", "i.", a);
            requireMessage("'ij' has no tensors; give one for each term", "ij");
            requireMessage(
                    "takes FLOAT32, FLOAT64 or BFLOAT16, and [3] is int32; cast(DType.FLOAT64) first",
                    "i->i",
                    Tensor.of(new int[] {1, 2, 3}));
        }
    }

    @Test
    void inARegionOfBfloat16ProductsAreCast() {
        try (var arena = TensorArena.ofConfined();
                var region = Autocast.bfloat16()) {
            Tensor a = Tensor.rand(3, 4);
            assertEquals(DType.BFLOAT16, Tensor.einsum("ij,kj->ik", a, a).dtype());
        }
    }
}
