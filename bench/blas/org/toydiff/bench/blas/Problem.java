package org.toydiff.bench.blas;

import java.util.List;
import java.util.Locale;

/// One call to measure.
///
/// @param wide whether the dtype is double, not float
/// @param batch the number of products in one call; 1 except for [Routine#isBatch]
record Problem(Routine routine, String variant, boolean wide, int m, int n, int k, int batch, Layout layout) {
    private static final int TINY = 8;

    /// The placement of operands in memory.
    ///
    /// @param ld the leading dimension of every matrix if positive; otherwise its columns minus `ld`
    /// @param alignment the offset of operands from the start of a page in bytes, so that they have no greater
    ///     alignment
    record Layout(int ld, int alignment) {
        static final Layout DEFAULT = new Layout(0, 64);

        long leading(long columns) {
            return ld > 0 ? ld : columns - ld;
        }
    }

    /// Returns the problem of a variant and a routine's own sizes.
    static Problem of(Routine routine, String variant, boolean wide, int batch, Layout layout, int... own) {
        int[] sizes = routine.sizes(own);
        return new Problem(routine, variant, wide, sizes[0], sizes[1], sizes[2], batch, layout);
    }

    /// Returns the same call on tiny operands, for warming up the path to the library.
    Problem tiny() {
        return new Problem(
                routine,
                variant,
                wide,
                Math.min(m, TINY),
                Math.min(n, TINY),
                Math.min(k, TINY),
                Math.min(batch, 2),
                Layout.DEFAULT);
    }

    /// Returns whether operand 0 or 1 of the call is transposed.
    boolean transposed(int operand) {
        return switch (routine) {
            case TRSM -> variant.charAt(1) == 'T';
            case GEMM_PACK -> operand == 1 && variant.equals("T");
            default -> variant.charAt(operand) == 'T';
        };
    }

    /// Returns whether the triangular matrix is on the left.
    boolean left() {
        return variant.charAt(0) == 'L';
    }

    /// Returns the smaller of m and n.
    int rank() {
        return Math.min(m, n);
    }

    /// Returns the format of the result.
    NumberFormat precision() {
        return wide ? NumberFormat.DOUBLE : NumberFormat.FLOAT;
    }

    /// Returns the format of an operand.
    NumberFormat precision(int operand) {
        return routine == Routine.GEMM_BF16 && operand < 2 ? NumberFormat.BFLOAT16 : precision();
    }

    /// Returns the name of the first operand's format.
    String dtype() {
        return precision(0).name().toLowerCase(Locale.ROOT);
    }

    String symbol() {
        return routine.symbol(wide);
    }

    double flops() {
        return routine.flops(this);
    }

    double trafficBytes() {
        return routine.trafficBytes(this);
    }

    /// Returns the arithmetic intensity: flops per byte that must move.
    double intensity() {
        return flops() / trafficBytes();
    }

    /// Returns the size of the operands in bytes, gaps between rows included.
    double memoryBytes() {
        return memoryBytes(routine.operands(this).size());
    }

    /// Returns the bytes to allocate: the operands, and the originals of those that a call destroys.
    double allocatedBytes() {
        return memoryBytes() + memoryBytes(routine.consumed());
    }

    private double memoryBytes(int operands) {
        List<Routine.Shape> shapes = routine.operands(this);
        double bytes = 0;
        for (int operand = 0; operand < operands; operand++) {
            Routine.Shape shape = shapes.get(operand);
            double rows = (double) shape.count() * shape.rows();
            bytes += rows * leading(shape) * precision(operand).bytes;
        }
        return bytes;
    }

    /// Returns the distance from one row of an operand to the next, in elements.
    long leading(Routine.Shape shape) {
        boolean isVector = shape.rows() == 1 && shape.count() == 1;
        return isVector ? shape.columns() : layout.leading(shape.columns());
    }

    /// Returns the size that curves are drawn over: the edge of a square problem with as much work.
    double edge() {
        return switch (routine) {
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_BF16, GEMM_PACK, GEMM_COMPUTE ->
                Math.cbrt((double) m * n * k);
            case SYRK -> Math.sqrt((double) n * k);
            default -> routine.dimensions == 1 ? n : Math.sqrt((double) m * n);
        };
    }

    /// Returns the variant, followed by the number of products of a batch.
    String variantAndBatch() {
        return routine.isBatch() ? variant + "x" + batch : variant;
    }

    /// Returns the request that opens this problem in either kind of child.
    String request() {
        return String.format(
                Locale.ROOT,
                "open %s %s %s %d %d %d %d %d %d %s",
                routine.word(),
                variant,
                dtype(),
                m,
                n,
                k,
                batch,
                layout.ld,
                layout.alignment,
                symbol());
    }

    /// Parses a request, whose last word is for C alone.
    static Problem parse(String[] words) {
        return new Problem(
                Routine.valueOf(words[1].toUpperCase(Locale.ROOT)),
                words[2],
                words[3].equals("double"),
                Integer.parseInt(words[4]),
                Integer.parseInt(words[5]),
                Integer.parseInt(words[6]),
                Integer.parseInt(words[7]),
                new Layout(Integer.parseInt(words[8]), Integer.parseInt(words[9])));
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s %s %s %dx%dx%d", routine.word(), variantAndBatch(), dtype(), m, n, k);
    }
}
