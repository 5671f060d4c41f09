package org.toydiff.bench.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.toydiff.Blas;
import org.toydiff.Threads;
import org.toydiff.internal.launch.ProductTable;

/// Measures the thresholds of a [ProductTable] on this machine and prints the row of its kernel family; started by
/// `bench/run plan`.
///
/// The candidates of a threshold are measured in turn over products of a training step. Of those within a fiftieth
/// of the fastest the first is chosen: one that does without a division, or leaves more parts to share.
public final class PlanTable {
    private static final double TOLERANCE = 1.02;
    private static final int NEVER = Integer.MAX_VALUE;

    private record Dimensions(String order, int m, int n, int k) {}

    private PlanTable() {}

    /// Measures, and prints the table.
    ///
    /// @param arguments not used
    public static void main(String[] arguments) {
        System.out.println(Blas.version() + "\nkernels: " + Blas.core());
        Threads.set(1);
        ProductTable table = unpacked();
        table = tiles(table);
        table = chunks(table);
        Threads.set(2);
        table = vectors(table);
        System.out.println("\n" + Blas.core() + ": " + table);
    }

    /// Pieces that are not packed, against whole calls.
    private static ProductTable unpacked() {
        List<Dimensions> few = List.of(
                new Dimensions("NN", 32, 784, 512),
                new Dimensions("TN", 16, 784, 1024),
                new Dimensions("TN", 512, 784, 32),
                new Dimensions("NN", 2048, 16, 512));
        int limit = best("unpacked", few, i -> table(i, 0, 128, 0), 0, 125_000, 250_000, 500_000, 1_000_000);
        if (limit == 0) {
            return table(0, 0, 0, 0);
        }
        List<Dimensions> transposed = List.of(new Dimensions("NT", 32, 512, 784), new Dimensions("NT", 2048, 10, 256));
        int results = best("unpackedResults", transposed, i -> table(limit, i, 128, 96), 0, 600, 1_200, 4_800);
        int thin = largest(
                "thin",
                d -> List.of(
                        new Dimensions("NN", d, 784, 512),
                        new Dimensions("TN", d, 784, 1024),
                        new Dimensions("NN", 784, d, 512),
                        new Dimensions("TN", 512, 784, d)),
                d -> table(limit, results, d, 0));
        int rows = results == 0
                ? 0
                : largest(
                        "thinTransposed",
                        d -> List.of(new Dimensions("NT", d, 512, 784), new Dimensions("NT", d, 784, 512)),
                        d -> table(limit, results, thin, d));
        return table(limit, results, thin, rows);
    }

    private static ProductTable table(int unpacked, int results, int thin, int thinTransposed) {
        ProductTable packed = ProductTable.PACKED;
        return new ProductTable(
                unpacked,
                results,
                thin,
                thinTransposed,
                packed.tileRows(),
                packed.splitDepth(),
                packed.chunkDepth(),
                packed.vectorPart());
    }

    private static ProductTable tiles(ProductTable t) {
        List<Dimensions> tall = List.of(
                new Dimensions("NT", 8192, 512, 784),
                new Dimensions("NT", 8192, 256, 512),
                new Dimensions("NN", 8192, 512, 256));
        int rows = best("tileRows", tall, i -> with(t, i, NEVER, NEVER), 512, 1024, 2048, 4096);
        return with(t, rows, t.splitDepth(), t.chunkDepth());
    }

    /// Two chunks against two tiles; then more chunks against two.
    private static ProductTable chunks(ProductTable t) {
        int depth = NEVER;
        for (int k = 4096; k >= 512; k /= 2) {
            List<Dimensions> deep = List.of(new Dimensions("TN", 512, 784, k), new Dimensions("TN", 256, 512, k));
            if (best("splitDepth for k = " + k, deep, i -> with(t, t.tileRows(), i, NEVER), NEVER, 1) == NEVER) {
                break;
            }
            depth = k;
        }
        int splitDepth = depth;
        List<Dimensions> deep = List.of(new Dimensions("TN", 512, 784, 8192), new Dimensions("TN", 256, 512, 8192));
        int chunk = best("chunkDepth", deep, i -> with(t, t.tileRows(), splitDepth, i), 4096, 2048, 1024);
        return with(t, t.tileRows(), splitDepth, chunk);
    }

    private static ProductTable with(ProductTable t, int tileRows, int splitDepth, int chunkDepth) {
        return new ProductTable(
                t.unpacked(),
                t.unpackedResults(),
                t.thin(),
                t.thinTransposed(),
                tileRows,
                splitDepth,
                chunkDepth,
                t.vectorPart());
    }

    /// The parts of a product with a vector, on two threads.
    private static ProductTable vectors(ProductTable t) {
        List<Dimensions> shapes = List.of(
                new Dimensions("NN", 1024, 1, 1024),
                new Dimensions("NN", 1, 1024, 1024),
                new Dimensions("NN", 1, 1, 1 << 20));
        IntFunction<ProductTable> tables = i -> new ProductTable(
                t.unpacked(),
                t.unpackedResults(),
                t.thin(),
                t.thinTransposed(),
                t.tileRows(),
                t.splitDepth(),
                t.chunkDepth(),
                i);
        return tables.apply(best("vectorPart", shapes, tables, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20));
    }

    /// Returns the largest size at which pieces are faster than whole calls; 0 for none.
    private static int largest(String name, IntFunction<List<Dimensions>> shapes, IntFunction<ProductTable> tables) {
        int largest = 0;
        for (int d = 32; d <= 224; d += 32) {
            if (best(name + " " + d, shapes.apply(d), tables, 0, d) == 0) {
                break;
            }
            largest = d;
        }
        return largest;
    }

    /// Returns the fastest candidate over the shapes, by the geometric mean of the times; of those about as fast, the
    /// first.
    private static int best(String name, List<Dimensions> shapes, IntFunction<ProductTable> tables, int... candidates) {
        double[] means = new double[candidates.length];
        ProductTable[] each = new ProductTable[candidates.length];
        for (int i = 0; i < candidates.length; i++) {
            each[i] = tables.apply(candidates[i]);
        }
        for (Dimensions shape : shapes) {
            try (var product = new PlannedProduct(shape.order, shape.m, shape.n, shape.k)) {
                double[] micros = product.micros(each);
                for (int i = 0; i < micros.length; i++) {
                    means[i] += Math.log(micros[i] / micros[0]) / shapes.size();
                }
            }
        }
        print(name, candidates, means);
        return chosen(candidates, means);
    }

    private static int chosen(int[] candidates, double[] means) {
        double least = Double.MAX_VALUE;
        for (double mean : means) {
            least = Math.min(least, mean);
        }
        int i = 0;
        while (means[i] > least + Math.log(TOLERANCE)) {
            i++;
        }
        return candidates[i];
    }

    private static void print(String name, int[] candidates, double[] means) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < candidates.length; i++) {
            String candidate = candidates[i] == NEVER ? "never" : String.valueOf(candidates[i]);
            texts.add(String.format(Locale.ROOT, "%s: %.3f", candidate, Math.exp(means[i])));
        }
        System.out.println(name + ", time relative to the first: " + String.join(", ", texts));
    }
}
