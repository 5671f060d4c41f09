package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Each product of the training step of 784-512-256-10: toydiff's matmul on one thread and on all, PyTorch's on one,
/// and the library that toydiff uses, called from C on one thread, whole and cut.
final class ProductWorkload implements Workload {
    static final int[] BATCHES = {1024, 8192};

    private static final String ALL = Peers.TOYDIFF + " on all threads";
    private static final int SAMPLES = 5;

    /// A product, with which operands are transposed.
    private record Product(String name, String order, int m, int n, int k) {
        String request(int threads, int samples) {
            return String.join(" ", "gemm", order, "" + m, "" + n, "" + k, "" + threads, "" + samples);
        }

        String cut(int samples, int rows, int columns, int depth) {
            return request(1, samples) + " " + Math.min(rows, m) + " " + Math.min(columns, n) + " "
                    + Math.min(depth, k);
        }
    }

    private static List<Product> products(int batch) {
        return List.of(
                new Product("forward 1", "NT", batch, 512, 784),
                new Product("forward 2", "NT", batch, 256, 512),
                new Product("forward 3", "NT", batch, 10, 256),
                new Product("weight gradient 3", "TN", 10, 256, batch),
                new Product("input gradient 3", "NN", batch, 256, 10),
                new Product("weight gradient 2", "TN", 256, 512, batch),
                new Product("input gradient 2", "NN", batch, 512, 256),
                new Product("weight gradient 1", "TN", 512, 784, batch));
    }

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        for (int batch : BATCHES) {
            for (Product product : products(batch)) {
                String name = batch + " " + product.name + ": " + product.order + " " + product.m + "×" + product.n
                        + "×" + product.k;
                measurements.add(
                        options.roundsOf().warm(name, "µs", contestants(peers, product, options.samples(SAMPLES))));
            }
        }
        return measurements;
    }

    private static List<Contestant> contestants(Peers peers, Product product, int samples) {
        List<Contestant> contestants = new ArrayList<>();
        String request = product.request(1, samples);
        contestants.add(Contestant.timed(Peers.TOYDIFF, peers.toydiff(), request));
        int cores = Runtime.getRuntime().availableProcessors();
        if (cores > 1) {
            contestants.add(Contestant.timed(ALL, peers.toydiff(), product.request(cores, samples)));
        }
        peers.find(Peers.PYTORCH).ifPresent(torch -> contestants.add(Contestant.timed(Peers.PYTORCH, torch, request)));
        peers.find(Peers.C).ifPresent(c -> {
            contestants.add(Contestant.timed(Peers.C, c, request));
            cuts(contestants, c, product, samples);
        });
        return contestants;
    }

    /// Halves along each axis, a thousand rows, and pieces that OpenBLAS multiplies without packing them.
    private static void cuts(List<Contestant> contestants, PeerProcess c, Product p, int samples) {
        boolean transposed = p.order.equals("NT");
        int columns = Math.min(p.n, transposed ? 32 : 128);
        int rows = Math.min(p.m, transposed ? 1200 / columns / 16 * 16 : 64);
        int depth = 1_000_000 / rows / columns / 16 * 16;
        contestants.add(Contestant.timed("C, halves of m", c, p.cut(samples, (p.m + 1) / 2, p.n, p.k)));
        contestants.add(Contestant.timed("C, halves of n", c, p.cut(samples, p.m, (p.n + 1) / 2, p.k)));
        contestants.add(Contestant.timed("C, halves of k", c, p.cut(samples, p.m, p.n, (p.k + 1) / 2)));
        contestants.add(Contestant.timed("C, 1024 rows", c, p.cut(samples, 1024, p.n, p.k)));
        contestants.add(Contestant.timed("C, unpacked pieces", c, p.cut(samples, rows, columns, depth)));
    }

    /// Returns the time of the fastest way in C over toydiff's on one thread; NaN if C was not measured.
    static double best(Measurement row) {
        return row.rounds().keySet().stream()
                        .filter(name -> name.startsWith(Peers.C))
                        .mapToDouble(row::median)
                        .min()
                        .orElse(Double.NaN)
                / row.median(Peers.TOYDIFF);
    }

    /// Returns the time of one thread over that of all; NaN on one core.
    static double speedUp(Measurement row) {
        return row.has(ALL) ? row.ratio(Peers.TOYDIFF, ALL) : Double.NaN;
    }
}
