package org.toydiff.internal.launch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.workers.Workers;

/// Products under each table of thresholds, against loops in double. Operands are small integers, so that every sum is
/// exact however it is divided, and every bit of a result is determined.
class ProductWorkTest {
    private static final String[] ORDERS = {"NN", "NT", "TN", "TT"};
    private static final List<ProductTable> TABLES = List.of(ProductTable.PACKED, ProductTable.AVX512);

    /// More than a row needs: operands are parts of larger matrices.
    private static final int GAP = 3;

    private final int threads = Workers.threads();

    @AfterEach
    void restoreThreads() {
        Workers.setThreads(threads);
    }

    /// A batch of operands, and their products by loops.
    private static final class Problem {
        final boolean wide;
        final boolean transposeA;
        final boolean transposeB;
        final int m;
        final int n;
        final int k;
        final int leadingA;
        final int leadingB;
        final double[] a;
        final double[] b;
        final double[] old;

        Problem(boolean wide, String order, int m, int n, int k, DoubleSupplier elements) {
            CBlas.require();
            this.wide = wide;
            this.m = m;
            this.n = n;
            this.k = k;
            transposeA = order.charAt(0) == 'T';
            transposeB = order.charAt(1) == 'T';
            leadingA = (transposeA ? m : k) + GAP;
            leadingB = (transposeB ? k : n) + GAP;
            a = elements(elements, (long) leadingA * (transposeA ? k : m));
            b = elements(elements, (long) leadingB * (transposeB ? n : k));
            old = elements(elements, (long) m * n);
        }

        private static double[] elements(DoubleSupplier supplier, long count) {
            double[] elements = new double[(int) count];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = supplier.getAsDouble();
            }
            return elements;
        }

        double a(int i, int l) {
            return a[transposeA ? l * leadingA + i : i * leadingA + l];
        }

        double b(int l, int j) {
            return b[transposeB ? j * leadingB + l : l * leadingB + j];
        }

        double[] expected(double beta) {
            double[] y = times(this);
            for (int i = 0; i < y.length && beta != 0; i++) {
                y[i] += beta * old[i];
            }
            return y;
        }

        /// {@return the product of this first operand and the second one of another problem of these sizes}
        double[] times(Problem other) {
            double[] y = new double[m * n];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    for (int l = 0; l < k; l++) {
                        y[i * n + j] += a(i, l) * other.b(l, j);
                    }
                }
            }
            return y;
        }

        private MemorySegment memory(Arena arena, double[] elements) {
            MemorySegment memory = arena.allocate((wide ? 8L : 4L) * elements.length + 64, 64);
            for (int i = 0; i < elements.length; i++) {
                if (wide) {
                    memory.setAtIndex(ValueLayout.JAVA_DOUBLE, i, elements[i]);
                } else {
                    memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) elements[i]);
                }
            }
            return memory;
        }

        void left(ProductWork work, MemorySegment memory) {
            work.left(memory, 0, m, k, transposeA ? 1 : leadingA, transposeA, leadingA, transposeA ? leadingA : 1);
        }

        void right(ProductWork work, MemorySegment memory) {
            work.right(memory, 0, n, transposeB ? leadingB : 1, transposeB, leadingB, transposeB ? 1 : leadingB);
        }

        double[] run(ProductTable table, double beta) {
            try (var arena = Arena.ofShared()) {
                var work = new ProductWork(table);
                left(work, memory(arena, a));
                right(work, memory(arena, b));
                double[] before = old.clone();
                if (beta == 0) {
                    Arrays.fill(before, Double.NaN);
                }
                MemorySegment y = memory(arena, before);
                work.run(wide, beta, y, 0, Shape.SCALAR, Shape.SCALAR, Shape.SCALAR);
                return doubles(wide, y, m * n);
            }
        }

        @Override
        public String toString() {
            return (wide ? "float64 " : "float32 ") + (transposeA ? "T" : "N") + (transposeB ? "T" : "N") + " " + m
                    + "×" + n + ", k = " + k;
        }
    }

    private static double[] doubles(boolean wide, MemorySegment y, int count) {
        double[] elements = new double[count];
        for (int i = 0; i < count; i++) {
            elements[i] = wide ? y.getAtIndex(ValueLayout.JAVA_DOUBLE, i) : y.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        return elements;
    }

    private static DoubleSupplier integers(long seed) {
        var random = new SplittableRandom(seed);
        return () -> 2 * random.nextInt(-2, 3);
    }

    private static DoubleSupplier reals(long seed) {
        var random = new SplittableRandom(seed);
        return () -> (float) random.nextDouble(-1, 1);
    }

    /// Sizes on either side of each threshold.
    static List<int[]> sizes() {
        return List.of(
                // One call, or more: 2²⁰ multiplications, a million of them, 1,200 elements of a result.
                new int[] {64, 128, 128},
                new int[] {64, 128, 127},
                new int[] {100, 100, 100},
                new int[] {100, 100, 101},
                new int[] {30, 40, 900},
                new int[] {30, 41, 900},
                // Few rows, few columns, a short inner axis.
                new int[] {128, 150, 200},
                new int[] {129, 150, 200},
                new int[] {64, 150, 200},
                new int[] {65, 150, 200},
                new int[] {96, 130, 210},
                new int[] {97, 130, 210},
                new int[] {192, 130, 194},
                new int[] {193, 130, 194},
                new int[] {600, 20, 130},
                new int[] {20, 600, 130},
                new int[] {5, 700, 400},
                new int[] {700, 32, 128},
                new int[] {700, 33, 127},
                new int[] {260, 270, 17},
                new int[] {300, 310, 64},
                new int[] {300, 310, 65},
                // More than a tile.
                new int[] {1024, 20, 70},
                new int[] {1025, 20, 70},
                new int[] {40, 1025, 60},
                new int[] {1030, 2049, 3},
                new int[] {200, 210, 220},
                // Chunks of the inner axis: two, three (the last short), eight.
                new int[] {35, 40, 1023},
                new int[] {35, 40, 1024},
                new int[] {35, 40, 1025},
                new int[] {10, 47, 3100},
                new int[] {2, 65, 8193},
                // Vectors: rows, columns, chunks.
                new int[] {1, 700, 800},
                new int[] {700, 1, 801},
                new int[] {1, 3, 300_001},
                new int[] {3, 1, 300_001},
                new int[] {1, 1, 524_287},
                new int[] {1, 1, 524_288},
                new int[] {1, 1, 1},
                new int[] {1, 5, 0},
                new int[] {7, 5, 0},
                new int[] {7, 5, 1});
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void productsOnEitherSideOfEveryThresholdAreTheLoops(int[] size) {
        double[] betas = {0, 1, 0.5};
        int round = 0;
        for (String order : ORDERS) {
            for (boolean wide : new boolean[] {false, true}) {
                var problem = new Problem(wide, order, size[0], size[1], size[2], integers(round));
                double beta = betas[round++ % betas.length];
                double[] expected = problem.expected(beta);
                for (ProductTable table : TABLES) {
                    assertArrayEquals(expected, problem.run(table, beta), problem + ", beta " + beta);
                }
            }
        }
    }

    @Test
    void productsOfRandomSizesAreTheLoops() {
        var random = new SplittableRandom(5);
        for (int round = 0; round < 150; round++) {
            int m = size(random);
            int n = size(random);
            int k = (int) Math.min(size(random), 3_000_000L / m / n + 1);
            String order = ORDERS[random.nextInt(4)];
            var problem = new Problem(random.nextBoolean(), order, m, n, k, integers(round));
            double beta = random.nextInt(3) / 2.0;
            for (ProductTable table : TABLES) {
                assertArrayEquals(problem.expected(beta), problem.run(table, beta), problem + ", beta " + beta);
            }
        }
    }

    private static int size(SplittableRandom random) {
        return (int) Math.pow(2, random.nextDouble(0, 11));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void theNumberOfThreadsChangesNoBit(int[] size) {
        for (String order : new String[] {"NT", "TN"}) {
            var problem = new Problem(order.equals("NT"), order, size[0], size[1], size[2], reals(1));
            for (ProductTable table : TABLES) {
                Workers.setThreads(1);
                double[] expected = problem.run(table, 1);
                for (int n : new int[] {4, 7}) {
                    Workers.setThreads(n);
                    assertArrayEquals(expected, problem.run(table, 1), problem + " on " + n + " threads");
                }
            }
        }
    }

    /// A chunk adds at most its own terms one after another, and the chunks are added in a tree: the error is at most
    /// `(k/c + log₂ c)·2⁻²⁴·Σ|a·b|`.
    @ParameterizedTest
    @ValueSource(ints = {2048, 8192, 20_000})
    void chunksKeepTheErrorOfALongSumWithinTheirBound(int k) {
        var problem = new Problem(false, "TN", 10, 60, k, reals(k));
        double[] exact = problem.expected(0);
        int chunks = Math.clamp(k / 1024, 2, 8);
        double bound = (k / (double) chunks + 16 + 3) * Math.ulp(1f) / 2;
        for (ProductTable table : TABLES) {
            double[] y = problem.run(table, 0);
            for (int i = 0; i < y.length; i++) {
                double terms = 0;
                for (int l = 0; l < k; l++) {
                    terms += Math.abs(problem.a(i / 60, l) * problem.b(l, i % 60));
                }
                double error = Math.abs(y[i] - exact[i]);
                assertTrue(error <= bound * terms, problem + ": " + error + " of " + bound * terms);
            }
        }
    }

    /// Products of two first operands with two second ones, each stretched along the other's axis.
    @ParameterizedTest
    @ValueSource(ints = {8, 64, 150})
    void aBatchIsItsProducts(int size) {
        for (String order : ORDERS) {
            Problem[] of = new Problem[2];
            Arrays.setAll(of, i -> new Problem(false, order, size, size + 1, size + 2, integers(i)));
            try (var arena = Arena.ofShared()) {
                int count = of[0].m * of[0].n;
                MemorySegment y = arena.allocate(4L * 4 * count, 64);
                for (ProductTable table : TABLES) {
                    var work = new ProductWork(table);
                    of[0].left(work, of[0].memory(arena, joined(of[0].a, of[1].a)));
                    of[0].right(work, of[0].memory(arena, joined(of[0].b, of[1].b)));
                    y.fill((byte) 0xff);
                    long[] as = {of[0].a.length, 0};
                    long[] bs = {0, of[0].b.length};
                    work.run(false, 0, y, 0, new long[] {2, 2}, as, bs);
                    for (int batch = 0; batch < 4; batch++) {
                        double[] expected = of[batch / 2].times(of[batch % 2]);
                        double[] found = doubles(false, y.asSlice(4L * batch * count), count);
                        assertArrayEquals(expected, found, of[0] + ", product " + batch);
                    }
                }
            }
        }
    }

    private static double[] joined(double[] a, double[] b) {
        double[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @Test
    void everyFamilyHasATable() {
        assertEquals(ProductTable.AVX512, ProductTable.of("SkylakeX"));
        assertEquals(ProductTable.AVX512, ProductTable.of("Cooperlake"));
        assertEquals(ProductTable.AVX512, ProductTable.of(" SapphireRapids\n"));
        for (String core : new String[] {"Haswell", "Zen", "NEOVERSEN1", "a later one", "", null}) {
            assertEquals(ProductTable.PACKED, ProductTable.of(core), core);
        }
    }
}
