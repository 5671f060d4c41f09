package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;

/// Kernels that move elements of any type: by their size, for they move bits. Loops are created on first use; two
/// threads may each create one, and the two are equivalent.
public final class CopyKernels {
    private static final CopyKernels BYTES = new CopyKernels(Element.BOOL);
    private static final CopyKernels HALVES = new CopyKernels(Element.BFLOAT16);
    private static final CopyKernels SINGLES = new CopyKernels(Element.FLOAT32);
    private static final CopyKernels DOUBLES = new CopyKernels(Element.FLOAT64);

    private final Element element;

    /// `y = x`
    public final Kernel.Unary copy = this::copy;

    private volatile Kernel.Unary strided;
    private volatile Kernel.Binary put;

    private CopyKernels(Element element) {
        this.element = element;
        Kernels.noted(copy, "copy" + element.bytes, expression());
    }

    /// {@return the kernels for elements of 1, 2, 4 or 8 bytes}
    public static CopyKernels of(int bytes) {
        return switch (bytes) {
            case 1 -> BYTES;
            case Short.BYTES -> HALVES;
            case Float.BYTES -> SINGLES;
            default -> DOUBLES;
        };
    }

    /// Copies contiguous rows as blocks of memory, and others with a loop; one whose rows are the columns of x goes by
    /// tiles.
    private void copy(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        if (xi == 1 && xj != 1 && yj == 1 && n1 > 1 && element == Element.FLOAT32) {
            Transposition.run(x, x0, xj, n2, n1, y, y0, yi);
            return;
        }
        if (xj != 1 || yj != 1) {
            strided().run(x, x0, xi, xj, y, y0, yi, yj, n1, n2);
            return;
        }
        long bytes = element.bytes;
        if (xi == n2 && yi == n2) {
            MemorySegment.copy(x, x0 * bytes, y, y0 * bytes, n1 * n2 * bytes);
            return;
        }
        for (long i = 0; i < n1; i++) {
            MemorySegment.copy(x, (x0 + i * xi) * bytes, y, (y0 + i * yi) * bytes, n2 * bytes);
        }
    }

    private Kernel.Unary strided() {
        if (strided == null) {
            strided = element == Element.BFLOAT16
                    ? WidthLoop.scalar("copy" + element.bytes, element, element)
                    : ScalarLoop.unary("copy" + element.bytes, expression());
        }
        return strided;
    }

    private Expression expression() {
        Precision p = element.precision();
        return element == Element.BOOL ? p.mask(0) : p.input(0);
    }

    /// {@return the kernel of `y = a` where the mask b is set; other elements of y are unchanged}
    public Kernel.Binary put() {
        if (put == null && element == Element.BFLOAT16) {
            put = CopyKernels::putHalves;
        } else if (put == null) {
            Precision p = element.precision();
            put = Kernels.binary("put" + element.bytes, element == Element.BOOL ? putTruth(p) : putNumber(p));
        }
        return put;
    }

    /// Expressions have no elements of 2 bytes.
    private static void putHalves(
            MemorySegment a,
            long a0,
            long ai,
            long aj,
            MemorySegment mask,
            long mask0,
            long mi,
            long mj,
            MemorySegment y,
            long y0,
            long yi,
            long yj,
            long n1,
            long n2) {
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                if (mask.get(JAVA_BYTE, mask0 + i * mi + j * mj) != 0) {
                    y.setAtIndex(JAVA_SHORT, y0 + i * yi + j * yj, a.getAtIndex(JAVA_SHORT, a0 + i * ai + j * aj));
                }
            }
        }
    }

    /// Operand 2 is y.
    private static Expression putNumber(Precision p) {
        return p.mask(1).select(p.input(0), p.input(2));
    }

    private static Expression putTruth(Precision p) {
        Condition mask = p.mask(1);
        return mask.and(p.mask(0)).or(mask.not().and(p.mask(2)));
    }
}
