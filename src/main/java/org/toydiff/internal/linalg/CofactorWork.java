package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Turns each square matrix into the transpose of its cofactors, `det(a)·a⁻¹`, which is the gradient of its determinant
/// transposed. Pivots that are 0 count as one rounding error of the largest, so that a singular matrix has cofactors
/// too, to within such errors: PyTorch 2.13 does the same, but multiplies by the determinant, and gets 0.
public final class CofactorWork extends SquareWork {
    /// @param n the number of rows, more than 0
    public CofactorWork(boolean wide, int n) {
        super(wide, n);
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        long at = y0 + index * n * n;
        if (Lapack.getrf(wide, n, y, bytes(at), scratch, 0) < 0) {
            fill(y, at, (long) n * n, Double.NaN);
            return 0;
        }
        double determinant = Lu.sign(n, scratch, 0) * regularPivots(at);
        if (Lapack.getri(wide, n, y, bytes(at), scratch, 0) != 0) {
            determinant = Double.NaN;
        }
        for (long i = at; i < at + (long) n * n; i++) {
            set(y, i, determinant * get(y, i));
        }
        return 0;
    }

    /// Replaces pivots that are 0, and returns the product of all.
    private double regularPivots(long at) {
        double largest = 0;
        for (int i = 0; i < n; i++) {
            largest = Math.max(largest, Math.abs(get(y, at + (long) i * n + i)));
        }
        double smallest = (largest == 0 ? 1 : largest) * (wide ? Math.ulp(1.0) : Math.ulp(1f));
        double product = 1;
        for (int i = 0; i < n; i++) {
            long pivot = at + (long) i * n + i;
            if (get(y, pivot) == 0) {
                set(y, pivot, smallest);
            }
            product *= get(y, pivot);
        }
        return product;
    }
}
