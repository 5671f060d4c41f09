package org.toydiff.internal.launch;

import java.util.Locale;
import org.toydiff.internal.blas.CBlas;

/// The sizes at which [ProductPlan] changes from one way of multiplying to another, for one family of a library's
/// kernels. `bench/run plan` measures them on a machine and prints them.
///
/// @param unpacked the largest product, in multiplications, that the library computes without packing its operands;
///     0 if it always packs
/// @param unpackedResults the same where the second operand is transposed, in elements of the result
/// @param thin the most rows, columns or inner size with which a product is divided into unpacked pieces; of FLOAT64,
///     half as many
/// @param thinTransposed the most rows, where the second operand is transposed; likewise
/// @param tileRows the most rows of a tile; BLAS packs the second operand again for each
/// @param splitDepth the inner size from which a product whose result is small is divided along it
/// @param chunkDepth the inner size of a chunk, where there are more than two
/// @param vectorPart the size of a part of a product with a vector, in multiplications
public record ProductTable(
        int unpacked,
        int unpackedResults,
        int thin,
        int thinTransposed,
        int tileRows,
        int splitDepth,
        int chunkDepth,
        int vectorPart) {
    /// For a library that packs its operands in every product, as OpenBLAS on AVX2, or that divides thin products
    /// itself, as oneMKL; and for an unknown one.
    public static final ProductTable PACKED = new ProductTable(0, 0, 0, 0, 1024, 1024, 4096, 1 << 18);

    /// OpenBLAS on AVX-512 multiplies up to a million times without packing, and up to 1,200 elements of a result
    /// where the second operand is transposed (`sgemm_small_kernel_permit_skylakex.c`).
    public static final ProductTable AVX512 = new ProductTable(1_000_000, 1_200, 128, 160, 1024, 1024, 4096, 1 << 18);

    private static final class Active {
        static final ProductTable TABLE = of(CBlas.core());
    }

    /// {@return the table of the loaded library}
    public static ProductTable active() {
        return Active.TABLE;
    }

    /// {@return the table of a family} `core` is the name that the library gives its kernels, or null for none.
    public static ProductTable of(String core) {
        return switch (core == null ? "" : core.strip().toLowerCase(Locale.ROOT)) {
            case "skylakex", "cooperlake", "sapphirerapids" -> AVX512;
            default -> PACKED;
        };
    }
}
