package org.toydiff.internal.launch;

/// The division of a product, or of a batch of them, into the parts that threads share and the calls of the library
/// that make up a part. It depends on the shape, on the order of the operands in memory and on the library's
/// [ProductTable], never on the number of threads: so results are the same bits for any number.
///
/// A part is a *tile* of the result over a *chunk* of the inner axis. Three cases:
///
/// - **Tiles**: rows first, because the library packs the second operand again for each tile.
/// - **Chunks** of the inner axis, for a small result of a long sum: all tiles would pack nearly everything again. Each
///   chunk is a product of its own, whose partial result goes to scratch memory; they are added in a binary tree.
/// - **Pieces**: a product with few rows, few columns or a short inner axis spends most of its time on packing. Some
///   libraries multiply small operands without packing them; then each part is divided into pieces of that size,
///   which add onto the result one after another.
///
/// A sum of k terms in c chunks is off by at most `(k/c + log₂ c)·u·Σ|a·b|`, u being the unit roundoff.
///
/// Tried and left:
///
/// - Kernels of our own for few rows (Vector API, blocks of 4 rows by 2 vectors): 77 GF/s at 32 rows, where unpacked
///   pieces reach 139 and the packed call 83 (AVX-512); with 256 bits no faster than OpenBLAS's kernels for Haswell;
///   and in scalar form, which every JVM would run for a while, a tenth of either or less.
/// - More than two chunks of a medium inner axis: four take 2 to 5 % longer than two, eight 10 %.
/// - Unpacked pieces where the second operand is transposed and the inner axis is short: half as fast as one call.
///
/// One object per thread, used again for each product.
final class ProductPlan {
    /// Products of fewer multiplications stay on the calling thread: some 10 µs of arithmetic.
    static final int SMALLEST = 1 << 20;

    /// The most columns of a tile that has all rows, that is one of several, and that goes through scratch memory.
    private static final int TILE_COLUMNS = 1024;

    private static final int WIDE_TILE = 2048;
    private static final int SCRATCH_COLUMNS = 512;

    /// For an inner axis up to this size the second operand is small and stays in the cache, so tiles are cut by
    /// rows alone.
    private static final int SHALLOW = 64;

    /// Sizes of tiles are rounded to this: the widest micro-kernels compute 16 by 4 to 48 by 8 elements at a time.
    private static final int UNIT = 16;

    /// A part of unpacked pieces has at least this many multiplications, and a product at most this many such parts.
    private static final int PIECES_PART = 2 * SMALLEST;

    private static final int MOST_PIECES_PARTS = 16;

    // The sizes of unpacked pieces that were the fastest, or within a twentieth of the fastest: columns, columns of a
    // short sum, either side where the second operand is transposed, the elements of a result with few columns, and the
    // inner size.
    private static final int SIDE = 128;

    private static final int WIDE_SIDE = 256;
    private static final int TRANSPOSED_SIDE = 32;
    private static final int PIECE_RESULT = 1 << 13;
    private static final int PIECE_DEPTH = 256;

    /// A transposed second operand is multiplied without packing only along an inner axis this long; below twice
    /// that packing is the faster.
    private static final int LEAST_TRANSPOSED_DEPTH = 128;

    /// The most chunks of a product of matrices, and the most parts of one with a vector.
    private static final int MOST_CHUNKS = 8;

    private static final int MOST_VECTOR_PARTS = 64;

    /// The shortest chunk of a product with a vector.
    private static final int LEAST_VECTOR_DEPTH = 1024;

    /// A result of so few elements is added in no time.
    private static final int TINY_RESULT = 1 << 16;

    /// The sizes of a tile, and of a chunk of the inner axis.
    int rows;

    int columns;
    int depth;

    /// The tiles beside each other, and all tiles of a result.
    long across;

    long tiles;

    /// The number of chunks of the inner axis.
    int chunks;

    /// How many products of a batch make up a part.
    long together;

    /// The sizes of a piece, those of the tile and chunk if it is not divided.
    int pieceRows;

    int pieceColumns;
    int pieceDepth;

    private ProductTable table;
    private int m;
    private int n;
    private int k;
    private boolean transposeA;
    private boolean transposeB;
    private int thin;
    private boolean unpacked;

    /// Plans `batches` products of `m` by `k` and `k` by `n` elements, each operand stored with its rows and columns
    /// exchanged if it is transposed.
    ///
    /// @param most the most elements of a tile that is to go through scratch memory; 0 if it is to be written to the
    ///     result directly, which chunks require
    /// @param room the elements of a piece of scratch memory
    void of(
            ProductTable table,
            boolean wide,
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            long batches,
            long most,
            long room) {
        this.table = table;
        this.m = m;
        this.n = n;
        this.k = k;
        this.transposeA = transposeA;
        this.transposeB = transposeB;
        rows = m;
        columns = n;
        depth = k;
        chunks = 1;
        unpacked = isUnpacked(wide);
        long multiplications = Math.max(1, (long) m * n * k);
        boolean divides = batches == 1 && most == 0;
        if (m == 1 || n == 1) {
            divideVector(multiplications, divides, room);
        } else if (multiplications >= SMALLEST) {
            divide(multiplications, batches, divides, room);
        }
        if (most > 0) {
            columns = even(columns, SCRATCH_COLUMNS);
            rows = (int) Math.min(rows, most / columns);
        }
        across = parts(n, columns);
        tiles = parts(m, rows) * across;
        together = tiles > 1 ? 1 : Math.max(1, SMALLEST / multiplications);
        pieces();
    }

    private boolean isUnpacked(boolean wide) {
        if (table.unpacked() == 0 || m == 1 || n == 1 || k == 0 || (transposeA && transposeB)) {
            return false;
        }
        int half = wide ? 2 : 1;
        thin = table.thin() / half;
        if (transposeB) {
            return table.unpackedResults() > 0
                    && k >= LEAST_TRANSPOSED_DEPTH
                    && (m <= table.thinTransposed() / half || n <= TRANSPOSED_SIDE);
        }
        boolean shortSum = k <= thin;
        // With doubles, the packed call is the faster for a long sum of columns.
        return wide && transposeA ? shortSum : shortSum || Math.min(m, n) <= thin;
    }

    private void divide(long multiplications, long batches, boolean divides, long room) {
        boolean byRows = k <= SHALLOW && m > 4 * UNIT;
        if (divides && k >= Math.max(table.splitDepth(), Math.max(m, n)) && (long) m * n <= room) {
            boolean tiny = (long) m * n <= TINY_RESULT;
            split(Math.clamp(k / (tiny ? table.splitDepth() : table.chunkDepth()), 2, MOST_CHUNKS));
        } else if (unpacked) {
            divideUnpacked(multiplications);
        } else {
            rows = even(m, table.tileRows());
            columns = byRows ? n : even(n, rows < m ? WIDE_TILE : TILE_COLUMNS);
            if (rows == m && columns == n && batches < MOST_CHUNKS) {
                halve(byRows);
            }
        }
    }

    /// One tile would leave the workers idle. Halves of the columns cost less than halves of the rows: 4 % and 8 % of
    /// a product of 512 by 512 by 512.
    private void halve(boolean byRows) {
        if (byRows || m > n) {
            rows = even(m, parts(m, 2));
        } else {
            columns = even(n, parts(n, 2));
        }
    }

    /// Divides a product of unpacked pieces along the longer side of its result, which costs nothing as long as a part
    /// is as wide as a piece.
    private void divideUnpacked(long multiplications) {
        int longer = Math.max(m, n);
        long count = Math.clamp(multiplications / PIECES_PART, 2, MOST_PIECES_PARTS);
        count = Math.clamp(count, Math.max(2, parts(longer, table.tileRows())), Math.max(2, parts(longer, SIDE)));
        if (m >= n) {
            rows = even(m, parts(m, count));
        } else {
            columns = even(n, parts(n, count));
        }
    }

    /// A product with a vector reads each element of the matrix once: its time is that of reading memory.
    private void divideVector(long multiplications, boolean divides, long room) {
        long count = Math.min(MOST_VECTOR_PARTS, multiplications / table.vectorPart());
        if (count < 2) {
            return;
        }
        long results = Math.max(m, n);
        if (results >= 2 * UNIT * count || !divides || k < 2 * LEAST_VECTOR_DEPTH || results > room) {
            rows = even(m, parts(m, count));
            columns = even(n, parts(n, count));
        } else {
            split((int) Math.min(count, k / LEAST_VECTOR_DEPTH));
        }
    }

    private void split(int count) {
        depth = even(k, parts(k, count));
        chunks = (int) parts(k, depth);
    }

    private void pieces() {
        pieceRows = rows;
        pieceColumns = columns;
        pieceDepth = depth;
        if (unpacked && !isPiece()) {
            if (transposeB) {
                transposedPieces();
            } else {
                plainPieces();
            }
            long fit = table.unpacked() / ((long) pieceRows * pieceColumns);
            pieceDepth = even(depth, Math.clamp(fit / UNIT * UNIT, 1, transposeB ? depth : PIECE_DEPTH));
        }
    }

    private boolean isPiece() {
        long result = (long) rows * columns;
        return result * depth <= table.unpacked() && (!transposeB || result <= table.unpackedResults());
    }

    private void plainPieces() {
        if (k <= thin) {
            pieceColumns = even(columns, k <= SHALLOW ? WIDE_SIDE : SIDE);
            long fit = table.unpacked() / ((long) k * pieceColumns);
            pieceRows = even(rows, Math.clamp(fit / UNIT * UNIT, 1, WIDE_SIDE));
        } else if (m < n) {
            pieceRows = even(rows, SHALLOW);
            pieceColumns = even(columns, transposeA ? fitting(pieceRows) : SIDE);
        } else {
            pieceColumns = even(columns, SIDE);
            pieceRows = even(rows, transposeA ? fitting(pieceColumns) : Math.max(SIDE, PIECE_RESULT / n / UNIT * UNIT));
        }
    }

    /// {@return the other side of a shallow piece} A transposed first operand is read by its rows of m elements, best
    /// in few long ones.
    private int fitting(int side) {
        return Math.max(UNIT, table.unpacked() / SHALLOW / side / UNIT * UNIT);
    }

    private void transposedPieces() {
        int most = table.unpackedResults();
        if (columns <= TRANSPOSED_SIDE) {
            pieceRows = even(rows, Math.max(1, most / columns / UNIT * UNIT));
        } else if (rows <= TRANSPOSED_SIDE) {
            pieceColumns = even(columns, Math.max(1, most / rows / UNIT * UNIT));
        } else {
            pieceRows = even(rows, TRANSPOSED_SIDE);
            pieceColumns = even(columns, TRANSPOSED_SIDE);
        }
    }

    private static long parts(long all, long each) {
        return all / each + (all % each == 0 ? 0 : 1);
    }

    /// {@return a size near `most` that divides `all` into equal pieces}
    static int even(int all, long most) {
        if (most >= all) {
            return all;
        }
        long each = parts(all, parts(all, most));
        return (int) Math.min(all, parts(each, UNIT) * UNIT);
    }
}
