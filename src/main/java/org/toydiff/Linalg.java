package org.toydiff;

import java.util.Arrays;
import org.toydiff.internal.launch.Shape;

/// Linear algebra, as NumPy's and PyTorch's `linalg`: systems of equations, decompositions, determinants and norms of
/// matrices, by LAPACK.
///
/// ```java
/// Tensor a = Tensor.randn(DType.FLOAT64, 8, 3, 3);
/// Tensor x = Linalg.solve(a, Tensor.ones(DType.FLOAT64, 3, 1));   // eight systems
/// Linalg.Svd svd = Linalg.svd(a);
/// ```
///
/// **Shapes** A matrix is the last two axes of a tensor, `[…, m, n]`; the axes before them are a batch. Each matrix of
/// a batch is computed on one thread, so that results are the same bits for any number of threads.
/// **Dtypes** FLOAT32 and FLOAT64, results of the dtype of their operands; BFLOAT16 is cast by the caller. Autocast
/// does not change them.
/// **Gradients** of everything but [#matrixRank] and signs, of any order.
/// **Memory** The results are new tensors in the innermost arena, besides views that are named; operands are copied for
/// LAPACK, which overwrites them. Its own workspaces, of a few matrices, are malloc'd for the length of a call.
/// **NaN** in a matrix gives NaN, or the exception of a decomposition that does not exist.
///
/// An operand of fewer than two axes, of another dtype, or too long for LAPACK's ints throws IllegalArgumentException,
/// and so does a matrix that is singular, not positive definite or does not converge, with its place in the batch, also
/// in a replay of a [CompiledFunction]. A BLAS library without LAPACKE throws UnsatisfiedLinkError: see [Blas].
public final class Linalg {
    private Linalg() {}

    /// The factors of a matrix, `a = q·r`.
    ///
    /// @param q orthonormal columns, `[…, m, k]`, with k the smaller of m and n
    /// @param r an upper triangle, `[…, k, n]`
    public record Qr(Tensor q, Tensor r) {}

    /// The singular value decomposition of a matrix, `a = u·diag(s)·vt`.
    ///
    /// @param u orthonormal columns, `[…, m, k]`, with k the smaller of m and n
    /// @param s the singular values in descending order, `[…, k]`
    /// @param vt orthonormal rows, `[…, k, n]`
    public record Svd(Tensor u, Tensor s, Tensor vt) {}

    /// The eigendecomposition of a symmetric matrix, `a = vectors·diag(values)·vectorsᵀ`.
    ///
    /// @param values the eigenvalues in ascending order, `[…, n]`
    /// @param vectors orthonormal columns, `[…, n, n]`
    public record Eigh(Tensor values, Tensor vectors) {}

    /// A determinant, `sign·exp(logAbsDet)`.
    ///
    /// @param sign −1, 0 or 1, outside of the graph
    /// @param logAbsDet the natural logarithm of its absolute value, −∞ of a singular matrix
    public record LogDet(Tensor sign, Tensor logAbsDet) {}

    /// Returns the solution x of `a·x = b`, by LU factors with partial pivoting.
    ///
    /// **Shapes** `[…, n, n]` and `[…, n, k]` give `[…, n, k]`, leading axes broadcast; a vector `[n]` is one column of
    /// which the axis is dropped.
    /// **Gradient** `a⁻ᵀ·g` to b, by the factors of forward, and `−(a⁻ᵀ·g)·xᵀ` to a.
    ///
    /// @param a the matrices
    /// @param b the right-hand sides, of the same dtype
    /// @return a new tensor
    /// @throws IllegalArgumentException if a is not square, the shapes do not fit, or a matrix is singular
    public static Tensor solve(Tensor a, Tensor b) {
        return LinearSystemOps.solve(a, b);
    }

    /// Returns the solution x of `a·x = b`, where a is a triangle. Elements of a beyond it are not read, and their
    /// gradient is 0.
    ///
    /// **Shapes** as of [#solve].
    /// **Gradient** `a⁻ᵀ·g` to b, and the triangle of `−(a⁻ᵀ·g)·xᵀ` to a.
    ///
    /// @param a the triangles
    /// @param b the right-hand sides, of the same dtype
    /// @param upper whether the triangles are the upper ones
    /// @return a new tensor
    /// @throws IllegalArgumentException if a is not square, the shapes do not fit, or an element of the diagonal is 0
    public static Tensor triangularSolve(Tensor a, Tensor b, boolean upper) {
        return LinearSystemOps.triangularSolve(a, b, upper);
    }

    /// Returns the x for which `‖a·x − b‖` is least, and of several the one of least norm: `pinv(a)·b`.
    ///
    /// **Shapes** `[…, m, n]` and `[…, m, k]` give `[…, n, k]`, leading axes broadcast; a vector `[m]` gives `[…, n]`.
    /// **Gradient** as of [#pinv] and [Tensor#matmul].
    ///
    /// @param a the matrices, of any rank
    /// @param b the right-hand sides, of the same dtype
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit, or a matrix has no singular value decomposition
    public static Tensor lstsq(Tensor a, Tensor b) {
        DecompositionOps.requireMatrices("lstsq", a);
        a.requireOperand("lstsq", b);
        int rows = Math.max(0, b.rank() - 2);
        if (b.rank() == 0 || b.shape[rows] != a.shape[a.rank() - 2]) {
            throw new IllegalArgumentException("lstsq: " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                    + " do not have the same number of rows; a right-hand side is [m] or [..., m, k]");
        }
        try (var wide = Autocast.disabled()) {
            return pinv(a).matmul(b);
        }
    }

    /// Returns the inverse; gradient `−yᵀ·g·yᵀ`. [#solve] is faster and more accurate where the inverse is multiplied.
    ///
    /// @param a square matrices
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if a is not square, or a matrix is singular
    public static Tensor inverse(Tensor a) {
        return LinearSystemOps.inverse(a);
    }

    /// Returns the Moore-Penrose inverse, by [#svd]: singular values up to `max(m, n)·ε·s[0]` count as 0, where ε is
    /// the distance from 1 to the next larger number of the dtype. Gradient as if their number did not change.
    ///
    /// @param a matrices `[…, m, n]`
    /// @return a new tensor `[…, n, m]`
    /// @throws IllegalArgumentException if a matrix has no singular value decomposition
    public static Tensor pinv(Tensor a) {
        return DecompositionOps.pinv(a);
    }

    /// Returns the rank: the number of singular values that [#pinv] does not count as 0. Not differentiable.
    ///
    /// @param a matrices `[…, m, n]`
    /// @return a new INT64 tensor of the leading axes
    /// @throws IllegalArgumentException if a matrix has no singular value decomposition
    public static Tensor matrixRank(Tensor a) {
        DecompositionOps.requireMatrices("matrixRank", a);
        long[] leading = Arrays.copyOf(a.shape, a.rank() - 2);
        if (Math.min(a.shape[a.rank() - 2], a.shape[a.rank() - 1]) == 0) {
            return Tensor.zeros(DType.INT64, leading);
        }
        try (var off = Autograd.noGradient()) {
            Tensor s = svd(a).s();
            return s.greater(DecompositionOps.cutoff(a, s)).countNonzero(-1);
        }
    }

    /// Returns the determinant; gradient `g` times the cofactors, which a singular matrix has too. A second derivative
    /// throws where a matrix is singular.
    ///
    /// @param a square matrices
    /// @return a new tensor of the leading axes; 1 for matrices `[0, 0]`
    /// @throws IllegalArgumentException if a is not square
    public static Tensor det(Tensor a) {
        return LinearSystemOps.det(a);
    }

    /// Returns the sign and the logarithm of the determinant, which itself may be too large or too small for the dtype
    /// (`slogdet` in NumPy and PyTorch). Gradient `g·a⁻ᵀ`; backward throws where a matrix is singular.
    ///
    /// @param a square matrices
    /// @return new tensors of the leading axes
    /// @throws IllegalArgumentException if a is not square
    public static LogDet logDet(Tensor a) {
        return LinearSystemOps.logDet(a);
    }

    /// Returns the lower triangle l of `a = l·lᵀ`, where a is symmetric and positive definite. The lower triangle alone
    /// is read; the gradient is symmetric.
    ///
    /// @param a square matrices
    /// @return a new tensor of this shape, with zeros above the diagonals
    /// @throws IllegalArgumentException if a is not square, or a matrix is not positive definite
    public static Tensor cholesky(Tensor a) {
        return DecompositionOps.cholesky(a);
    }

    /// Returns the factors q and r, by Householder reflections: `reduced` in NumPy and PyTorch. The gradient needs an
    /// invertible r, or, of a matrix with more columns than rows, an invertible left square of r.
    ///
    /// @param a matrices `[…, m, n]`
    /// @return views of one new block; NaN if the matrix has one
    public static Qr qr(Tensor a) {
        return DecompositionOps.qr(a);
    }

    /// Returns the singular value decomposition, without the columns of u and the rows of vt beyond k.
    ///
    /// **Gradient** as PyTorch's: one that depends on vectors is of use where their values are apart and, unless a is
    /// square, not 0, and where it does not depend on the signs of the vectors. Vectors that get no gradient add none,
    /// also of equal values.
    ///
    /// @param a matrices `[…, m, n]`
    /// @return views of one new block
    /// @throws IllegalArgumentException if a matrix has an element that is not finite, or does not converge
    public static Svd svd(Tensor a) {
        return DecompositionOps.svd(a);
    }

    /// Returns the eigenvalues and eigenvectors of symmetric matrices, of which the lower triangle alone is read.
    ///
    /// **Gradient** symmetric; one that depends on vectors is of use where their values are apart. Vectors that get no
    /// gradient add none, also of equal values.
    ///
    /// @param a square matrices
    /// @return views of one new block
    /// @throws IllegalArgumentException if a is not square, or a matrix has an element that is not finite, or does not
    ///     converge
    public static Eigh eigh(Tensor a) {
        return DecompositionOps.eigh(a);
    }

    /// Returns the matrix to a power, by repeated squares; gradient as of [Tensor#matmul] and [#inverse].
    ///
    /// @param a square matrices
    /// @param power the exponent; of a negative one the inverse is raised, and 0 gives the identity
    /// @return a tensor of this shape: a itself for 1, a view of one identity for 0, else a new one
    /// @throws IllegalArgumentException if a is not square, or the power is negative and a matrix singular
    public static Tensor matrixPower(Tensor a, int power) {
        DecompositionOps.requireSquare("matrixPower", a);
        if (power == 0) {
            return Tensor.eye(a.dtype, a.shape[a.rank() - 1]).broadcastTo(a.shape);
        }
        try (var wide = Autocast.disabled()) {
            Tensor square = power < 0 ? inverse(a) : a;
            Tensor product = null;
            for (long rest = Math.abs((long) power); ; square = square.matmul(square)) {
                if (rest % 2 == 1) {
                    product = product == null ? square : product.matmul(square);
                }
                rest /= 2;
                if (rest == 0) {
                    return product;
                }
            }
        }
    }

    /// Returns the main diagonals; gradient `g` there and 0 elsewhere. [Tensor#diag] also makes a matrix of a vector.
    ///
    /// @param a matrices `[…, m, n]` of any dtype
    /// @return a view `[…, k]` of the same block, with k the smaller of m and n
    /// @throws IllegalArgumentException if a has fewer than two axes
    public static Tensor diagonal(Tensor a) {
        return diagonal("diagonal", a);
    }

    private static Tensor diagonal(String op, Tensor a) {
        a.requireReadable(op);
        if (a.rank() < 2) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(a.shape) + " has no rows and columns; reshape it to [..., m, n]");
        }
        return Families.diagonal(a, a.rank() - 2, a.rank() - 1);
    }

    /// Returns the sum of the main diagonal; gradient `g` there and 0 elsewhere.
    ///
    /// @param a matrices `[…, m, n]`; integers give INT64
    /// @return a new tensor of the leading axes
    /// @throws IllegalArgumentException if a has fewer than two axes
    public static Tensor trace(Tensor a) {
        return diagonal("trace", a).sum(-1);
    }

    /// Returns the Euclidean norm of all elements, as [Tensor#norm()]: of a matrix, the Frobenius norm.
    ///
    /// @param a a tensor
    /// @return a new scalar
    public static Tensor norm(Tensor a) {
        return a.norm();
    }

    /// Returns a norm of a vector, or of each matrix of a batch, by its order, as NumPy's `linalg.norm`. Gradient as
    /// PyTorch's: shared by equal largest or smallest elements.
    ///
    /// | order | vector | matrix |
    /// |---|---|---|
    /// | ∞, −∞ | the largest, the smallest absolute value | the largest, the smallest sum of a row's absolute values |
    /// | 1, −1 | as any p | the largest, the smallest sum of a column's absolute values |
    /// | 2, −2 | as any p | the largest, the smallest singular value |
    /// | 0 | the number of elements that are not 0 | none |
    /// | any other p | `(Σ \|x\|ᵖ)^(1/p)` | none |
    ///
    /// @param a a vector `[n]` or matrices `[…, m, n]`
    /// @param order the order
    /// @return a new tensor: a scalar, or one of the leading axes
    /// @throws IllegalArgumentException if there is no norm of that order, or none of an empty vector or matrix
    public static Tensor norm(Tensor a, double order) {
        a.requireFloating("norm");
        if (a.rank() == 1) {
            return vectorNorm(a, order);
        }
        DecompositionOps.requireMatrices("norm", a);
        double size = Math.abs(order);
        if (size == 2) {
            Tensor s = svd(a).s();
            long k = s.shape[s.rank() - 1];
            requireSome("singular values", k, a, order);
            long at = order > 0 ? 0 : k - 1;
            return s.slice(-1, at, at + 1).squeeze(-1);
        }
        if (size == 1 || size == Double.POSITIVE_INFINITY) {
            requireSome(size == 1 ? "columns" : "rows", a.shape[a.rank() - (size == 1 ? 1 : 2)], a, order);
            Tensor sums = a.abs().sum(size == 1 ? -2 : -1);
            return order > 0 ? sums.max(-1) : sums.min(-1);
        }
        throw new IllegalArgumentException("norm: matrices " + Shape.text(a.shape) + " have no norm of order " + order
                + "; give 1, 2, ∞ or one of these negative, or use nuclearNorm, or norm(a) of all elements");
    }

    private static void requireSome(String parts, long count, Tensor a, double order) {
        if (count == 0) {
            throw new IllegalArgumentException(
                    "norm: " + Shape.text(a.shape) + " has no " + parts + ", and no norm of order " + order);
        }
    }

    private static Tensor vectorNorm(Tensor a, double order) {
        if (Double.isInfinite(order)) {
            requireSome("elements", a.shape[0], a, order);
        }
        if (order == Double.NEGATIVE_INFINITY) {
            return a.abs().min();
        }
        if (order == 0) {
            return a.notEqualTo(0).countNonzero().cast(a.dtype);
        }
        if (order < 0) {
            return a.abs().power(order).sum().power(1 / order);
        }
        return a.norm(order, 0, false);
    }

    /// Returns the sum of the singular values.
    ///
    /// @param a matrices `[…, m, n]`
    /// @return a new tensor of the leading axes
    /// @throws IllegalArgumentException if a matrix has no singular value decomposition
    public static Tensor nuclearNorm(Tensor a) {
        return svd(a).s().sum(-1);
    }
}
