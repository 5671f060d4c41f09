package org.toydiff.bench.blas;

import java.util.ArrayList;
import java.util.List;

/// Named sets of problems.
enum Preset {
    /// A few problems of every routine of OpenBLAS but gemm_batch_strided; a run without arguments measures these.
    QUICK {
        @Override
        void fill(Collector to) {
            for (int n : new int[] {32, 128, 512, 1024}) {
                to.add(Routine.GEMM, "NN", n, n, n);
            }
            for (String variant : List.of("NT", "TN", "TT")) {
                to.add(Routine.GEMM, variant, 512, 512, 512);
            }
            to.add(Routine.GEMM, "NN", 4096, 64, 64);
            to.add(Routine.GEMM, "NN", 64, 4096, 64);
            to.add(Routine.GEMM_BATCH, "NN", 32, 32, 32);
            to.add(Routine.SYRK, "N", 512, 512);
            to.add(Routine.TRSM, "LN", 512, 512);
            for (String variant : Routine.GEMV.variants) {
                to.add(Routine.GEMV, variant, 1024, 1024);
            }
            to.add(Routine.GER, "-", 1024, 1024);
            for (Routine routine : List.of(Routine.AXPY, Routine.DOT, Routine.NRM2, Routine.SCAL, Routine.COPY)) {
                to.add(routine, "-", 1 << 12);
                to.add(routine, "-", 1 << 20);
            }
            for (Routine routine : List.of(Routine.GESV, Routine.POTRF, Routine.SYEVD)) {
                to.add(routine, "-", 256);
            }
            to.add(Routine.GEQRF, "-", 256, 256);
            to.add(Routine.GESDD, "-", 256, 256);
        }
    },

    /// Square products of every size, in both dtypes.
    SQUARE {
        @Override
        void fill(Collector to) {
            for (int n = 8; n <= 2048; n *= 2) {
                to.add(Routine.GEMM, "NN", n, n, n);
            }
        }
    },

    /// The products of a training step of 784-512-256-10: forward, gradients of the inputs except the first
    /// layer's, gradients of the weights `[out, in]`.
    MLP {
        @Override
        void fill(Collector to) {
            int[] widths = {784, 512, 256, 10};
            for (int batch = 32; batch <= 8192; batch *= 4) {
                for (int layer = 1; layer < widths.length; layer++) {
                    int in = widths[layer - 1];
                    int out = widths[layer];
                    to.add(Routine.GEMM, "NT", batch, out, in);
                    if (layer > 1) {
                        to.add(Routine.GEMM, "NN", batch, in, out);
                    }
                    to.add(Routine.GEMM, "TN", out, in, batch);
                }
            }
        }
    },

    /// The products of a block of GPT-2's smallest model (Radford et al., 2019: width 768, 12 heads, 3,072 inside
    /// the feed-forward net) in the forward pass: projections, attention scores and weighted sums of all heads, and
    /// both layers of the feed-forward net.
    TRANSFORMER {
        @Override
        void fill(Collector to) {
            int width = 768;
            int heads = 12;
            for (int tokens = 128; tokens <= 1024; tokens *= 2) {
                to.add(Routine.GEMM, "NT", tokens, 3 * width, width);
                to.addBatch("NT", heads, tokens, tokens, width / heads);
                to.addBatch("NN", heads, tokens, width / heads, tokens);
                to.add(Routine.GEMM, "NT", tokens, width, width);
                to.add(Routine.GEMM, "NT", tokens, 4 * width, width);
                to.add(Routine.GEMM, "NT", tokens, width, 4 * width);
            }
        }
    };

    abstract void fill(Collector to);

    /// Returns the problems of this preset, in each dtype.
    List<Problem> problems(List<Boolean> wide, int batch, Problem.Layout layout) {
        List<Problem> problems = new ArrayList<>();
        for (boolean one : wide) {
            fill(new Collector(problems, one, batch, layout));
        }
        return problems;
    }

    /// Collects problems of one dtype.
    record Collector(List<Problem> problems, boolean wide, int batch, Problem.Layout layout) {
        void add(Routine routine, String variant, int... sizes) {
            int products = routine.isBatch() ? batch : 1;
            problems.add(Problem.of(routine, variant, wide, products, layout, sizes));
        }

        void addBatch(String variant, int products, int... sizes) {
            problems.add(Problem.of(Routine.GEMM_BATCH, variant, wide, products, layout, sizes));
        }
    }
}
