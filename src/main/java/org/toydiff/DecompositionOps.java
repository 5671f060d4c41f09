package org.toydiff;

import static org.toydiff.Rule.readsInputAndOutput;
import static org.toydiff.Rule.readsOutput;

import java.util.Arrays;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.launch.Shape;

/// The decompositions of [Linalg]. The factors of one are views of one block, the output of one node: its gradient has
/// a place for that of each factor, so that one rule serves all.
final class DecompositionOps {
    /// The most rows or columns: LAPACK's pivots and reflectors fit into scratch memory.
    private static final long MAX_SIDE = Scratch.BYTES / Double.BYTES;

    /// The most singular values: `4·k² + 7·k` elements of work space, and LAPACK counts them in an int.
    private static final long MAX_SINGULAR_VALUES = 23_000;

    /// The most eigenvalues: `2·n² + 6·n + 1` elements of work space.
    private static final long MAX_EIGENVALUES = 32_000;

    private DecompositionOps() {}

    static Tensor cholesky(Tensor a) {
        requireSquare("cholesky", a, MAX_SIDE);
        boolean recorded = Tensor.recorded(a);
        Tensor y = copy("cholesky", a, a.shape);
        LinalgLaunch.cholesky(y);
        return recorded ? y.record("cholesky", null, readsOutput(DecompositionOps::choleskyGradient), a) : y;
    }

    /// `l⁻ᵀ·s·l⁻¹`, where s is symmetric and has the lower triangle of ½·lᵀ·g, its diagonal halved again.
    ///
    /// Source: I. Murray, "Differentiation of the Cholesky decomposition", 2016, and `cholesky_backward` in PyTorch
    /// 2.13's FunctionsManual.cpp.
    private static Tensor choleskyGradient(Tensor g, Tensor l) {
        Tensor lower = l.transposeLast().matmul(g).tril(0);
        Tensor symmetric = lower.add(lower.tril(-1).transposeLast()).multiply(0.5);
        Tensor left = LinearSystemOps.triangularSolve(l.transposeLast(), symmetric, true);
        return LinearSystemOps.triangularSolve(l.transposeLast(), left.transposeLast(), true)
                .transposeLast();
    }

    static Linalg.Qr qr(Tensor a) {
        requireMatrices("qr", a);
        long m = a.shape[a.rank() - 2];
        long n = a.shape[a.rank() - 1];
        requireSide("qr", a, Math.min(m, n), MAX_SIDE);
        boolean recorded = Tensor.recorded(a);
        Tensor columns = a.matrixTranspose().contiguousCopy("qr");
        long[] shape = a.shape.clone();
        shape[a.rank() - 2] = Math.min(m, n);
        shape[a.rank() - 1] = m + n;
        Tensor y = Tensor.make("qr", a.dtype, shape, recorded);
        LinalgLaunch.qr(columns, y);
        columns.freeScratch("qr");
        if (recorded) {
            y.record("qr", null, readsOutput((g, factors) -> qrGradient(m, g, factors)), a);
        }
        return factors(m, y);
    }

    /// Row i of y has column i of q, of m elements, and row i of r.
    private static Linalg.Qr factors(long m, Tensor y) {
        return new Linalg.Qr(y.slice(-1, 0, m).transposeLast(), y.slice(-1, m, y.shape[y.rank() - 1]));
    }

    /// `(q·s + g_q)·r⁻ᵀ`, where s is symmetric and has the upper triangle of `g_r·rᵀ − qᵀ·g_q`. Columns of a beyond a
    /// square are `q` times columns of r, and add to g_q by those.
    ///
    /// Source: H.-J. Liao, J.-G. Liu, L. Wang, T. Xiang, "Differentiable programming tensor networks", 2019; for the
    /// columns beyond, S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions", 2018.
    private static Tensor qrGradient(long m, Tensor g, Tensor y) {
        Linalg.Qr to = factors(m, g);
        Linalg.Qr of = factors(m, y);
        Tensor q = of.q();
        long k = y.shape[y.rank() - 2];
        long n = y.shape[y.rank() - 1] - m;
        Tensor r = of.r().slice(-1, 0, k);
        Tensor toBeyond = to.r().slice(-1, k, n);
        Tensor toQ =
                n == k ? to.q() : to.q().add(q.matmul(of.r().slice(-1, k, n).matmul(toBeyond.transposeLast())));
        Tensor upper = to.r()
                .slice(-1, 0, k)
                .matmul(r.transposeLast())
                .subtract(q.transposeLast().matmul(toQ))
                .triu(0);
        Tensor symmetric = upper.add(upper.triu(1).transposeLast());
        Tensor product = q.matmul(symmetric).add(toQ);
        Tensor square = LinearSystemOps.triangularSolve(r, product.transposeLast(), true)
                .transposeLast();
        return n == k ? square : Tensor.concat(-1, square, q.matmul(toBeyond));
    }

    static Linalg.Svd svd(Tensor a) {
        requireMatrices("svd", a);
        int rank = a.rank();
        long m = a.shape[rank - 2];
        long n = a.shape[rank - 1];
        long k = Math.min(m, n);
        requireSide("svd", a, k, MAX_SINGULAR_VALUES);
        boolean recorded = Tensor.recorded(a);
        long[] shape = Arrays.copyOf(a.shape, rank - 1);
        shape[rank - 2] = k * (m + 1 + n);
        Tensor matrices = a.contiguousCopy("svd");
        Tensor y = Tensor.make("svd", a.dtype, shape, true);
        try {
            LinalgLaunch.svd(matrices, y);
        } finally {
            matrices.freeScratch("svd");
        }
        if (recorded) {
            y.record("svd", null, readsOutput((g, factors) -> svdGradient(m, n, g, factors)), a);
        }
        return factors(m, n, y);
    }

    /// The last axis of y has u, the singular values and vᵗ.
    private static Linalg.Svd factors(long m, long n, Tensor y) {
        long k = Math.min(m, n);
        long[] u = Arrays.copyOf(y.shape, y.rank() + 1);
        u[y.rank() - 1] = m;
        u[y.rank()] = k;
        long[] v = u.clone();
        v[y.rank() - 1] = k;
        v[y.rank()] = n;
        return new Linalg.Svd(
                y.slice(-1, 0, m * k).reshape(u),
                y.slice(-1, m * k, m * k + k),
                y.slice(-1, m * k + k, k * (m + 1 + n)).reshape(v));
    }

    /// Source: J. Townsend, "Differentiating the singular value decomposition", 2016, and `svd_backward` in PyTorch
    /// 2.13's FunctionsManual.cpp.
    private static Tensor svdGradient(long m, long n, Tensor g, Tensor y) {
        Linalg.Svd to = factors(m, n, g);
        Linalg.Svd of = factors(m, n, y);
        Tensor u = of.u();
        Tensor vt = of.vt();
        Tensor row = of.s().unsqueeze(-2);
        Tensor column = of.s().unsqueeze(-1);
        Tensor differences = row.multiply(row).subtract(column.multiply(column));
        Tensor turnOfU = quotient(skew(u.transposeLast().matmul(to.u())), differences);
        Tensor turnOfV = quotient(skew(vt.matmul(to.vt().transposeLast())), differences);
        Tensor inner = turnOfU.multiply(row).add(column.multiply(turnOfV));
        Tensor left = u.matmul(inner).add(u.multiply(to.s().unsqueeze(-2)));
        if (m > n) {
            Tensor outside = quotient(to.u(), row);
            left = left.add(outside.subtract(u.matmul(u.transposeLast().matmul(outside))));
        }
        Tensor whole = left.matmul(vt);
        if (n > m) {
            Tensor outside = quotient(to.vt(), column);
            Tensor within = outside.matmul(vt.transposeLast()).matmul(vt);
            whole = whole.add(u.matmul(outside.subtract(within)));
        }
        return whole;
    }

    private static Tensor skew(Tensor x) {
        return x.subtract(x.transposeLast());
    }

    /// `x / y`, and 0 for 0 / 0: vectors of equal values on which a result does not depend have no part in its
    /// gradient.
    private static Tensor quotient(Tensor x, Tensor y) {
        return x.divide(y.oneWhere(x.equalTo(0).logicalAnd(y.equalTo(0))));
    }

    static Linalg.Eigh eigh(Tensor a) {
        requireSquare("eigh", a, MAX_EIGENVALUES);
        boolean recorded = Tensor.recorded(a);
        int rows = a.rank() - 2;
        long n = a.shape[rows];
        long[] shape = a.shape.clone();
        shape[rows] = n == 0 ? 0 : n + 1;
        Tensor y = Tensor.make("eigh", a.dtype, shape, true);
        if (n > 0) {
            Launch.unary(Families.copy(a.dtype), a, Families.part(y, rows, 1, n + 1));
            LinalgLaunch.eigh(y);
        }
        if (recorded) {
            y.record("eigh", null, readsOutput(DecompositionOps::eighGradient), a);
        }
        return eigen(y);
    }

    /// The first row of y has the eigenvalues, the others have an eigenvector each.
    private static Linalg.Eigh eigen(Tensor y) {
        long n = y.shape[y.rank() - 1];
        Tensor values = n == 0 ? y.sum(-2) : y.slice(-2, 0, 1).squeeze(-2);
        return new Linalg.Eigh(
                values, y.slice(-2, Math.min(1, n), y.shape[y.rank() - 2]).transposeLast());
    }

    /// `v·(f + diag(g_w))·vᵀ`, where f is `½·(vᵀ·g_v − g_vᵀ·v)` over the differences of eigenvalues: the symmetric part
    /// of PyTorch's gradient.
    ///
    /// Source: M. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    /// differentiation", 2008, section 3.1.
    private static Tensor eighGradient(Tensor g, Tensor y) {
        Linalg.Eigh to = eigen(g);
        Linalg.Eigh of = eigen(y);
        Tensor v = of.vectors();
        Tensor differences = of.values().unsqueeze(-2).subtract(of.values().unsqueeze(-1));
        Tensor turn = quotient(skew(v.transposeLast().matmul(to.vectors())), differences)
                .multiply(0.5);
        Tensor left = v.matmul(turn).add(v.multiply(to.values().unsqueeze(-2)));
        return left.matmul(v.transposeLast());
    }

    static Tensor pinv(Tensor a) {
        requireMatrices("pinv", a);
        boolean recorded = Tensor.recorded(a);
        Tensor y = Tensor.make("pinv", a.dtype, Shape.transposeLast(a.shape), recorded);
        if (y.size() > 0) {
            try (var off = Autograd.noGradient();
                    var wide = Autocast.disabled();
                    var scratch = TensorArena.ofConfined()) {
                Linalg.Svd of = svd(a);
                Tensor kept = of.s().greater(cutoff(a, of.s()));
                Tensor inverses = Tensor.where(kept, of.s().reciprocal(), of.s().zero());
                Tensor v = of.vt().transposeLast().multiply(inverses.unsqueeze(-2));
                Products.multiply(v, of.u().transposeLast(), 0, y);
            }
        }
        return recorded ? y.record("pinv", null, readsInputAndOutput(DecompositionOps::pinvGradient), a) : y;
    }

    /// The singular value up to which one counts as 0, of each matrix: NumPy's and PyTorch's, for which rounding errors
    /// of the largest are less than one per row or column.
    static Tensor cutoff(Tensor a, Tensor s) {
        long sides = Math.max(a.shape[a.rank() - 2], a.shape[a.rank() - 1]);
        return s.slice(-1, 0, 1).multiply(sides * (a.isWide() ? Math.ulp(1.0) : Math.ulp(1f)));
    }

    /// Source: G. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
    /// variables separate", 1973, and `pinv_backward` in PyTorch 2.13's FunctionsManual.cpp. The rank counts as
    /// constant.
    private static Tensor pinvGradient(Tensor g, Tensor a, Tensor y) {
        Tensor turned = g.transposeLast();
        Tensor yt = y.transposeLast();
        if (a.shape[a.rank() - 2] <= a.shape[a.rank() - 1]) {
            Tensor k = turned.matmul(y);
            Tensor ky = k.matmul(yt);
            return ky.subtract(y.matmul(k).transposeLast())
                    .subtract(a.matmul(y).matmul(ky))
                    .add(yt.matmul(y).matmul(turned.subtract(k.matmul(a))));
        }
        Tensor k = y.matmul(turned);
        Tensor yk = yt.matmul(k);
        return yk.subtract(k.matmul(y).transposeLast())
                .add(turned.subtract(a.matmul(k)).matmul(y).matmul(yt))
                .subtract(yk.matmul(y).matmul(a));
    }

    /// A contiguous tensor with the elements of x, broadcast to a shape. It can be freed before its arena closes, as it
    /// is where a matrix has no decomposition: callers may try again with another.
    static Tensor copy(String op, Tensor x, long[] shape) {
        Tensor y = Tensor.make(op, x.dtype, shape, true);
        Launch.unary(Families.copy(x.dtype), x, y);
        return y;
    }

    static void requireMatrices(String op, Tensor a) {
        a.requireFloating(op);
        if (a.dtype == DType.BFLOAT16) {
            throw new IllegalArgumentException(op + ": takes FLOAT32 or FLOAT64, and " + Shape.text(a.shape)
                    + " is BFLOAT16; cast(DType.FLOAT32) first");
        }
        if (a.rank() < 2) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(a.shape) + " has no rows and columns; reshape it to [..., m, n]");
        }
        for (int axis = a.rank() - 2; axis < a.rank(); axis++) {
            requireSide(op, a, a.shape[axis], Integer.MAX_VALUE);
        }
    }

    static void requireSquare(String op, Tensor a) {
        requireSquare(op, a, MAX_SIDE);
    }

    private static void requireSquare(String op, Tensor a, long most) {
        requireMatrices(op, a);
        long n = a.shape[a.rank() - 1];
        if (a.shape[a.rank() - 2] != n) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(a.shape) + " is not square; it takes [..., n, n]");
        }
        requireSide(op, a, n, most);
    }

    private static void requireSide(String op, Tensor a, long n, long most) {
        if (n > most) {
            throw new IllegalArgumentException(op + ": " + Shape.text(a.shape) + " has " + n
                    + " rows or columns, and LAPACK, which counts in ints, takes " + most + " here; use blocks of it");
        }
    }
}
