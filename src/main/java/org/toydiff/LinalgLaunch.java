package org.toydiff;

import static org.toydiff.Launch.memory;

import java.util.Arrays;
import java.util.function.IntFunction;
import org.toydiff.internal.blas.Lapack;
import org.toydiff.internal.launch.MatrixLayout;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.linalg.CholeskyWork;
import org.toydiff.internal.linalg.CofactorWork;
import org.toydiff.internal.linalg.DeterminantWork;
import org.toydiff.internal.linalg.EighWork;
import org.toydiff.internal.linalg.InverseWork;
import org.toydiff.internal.linalg.LuSolveWork;
import org.toydiff.internal.linalg.LuWork;
import org.toydiff.internal.linalg.MatrixWork;
import org.toydiff.internal.linalg.QrWork;
import org.toydiff.internal.linalg.SvdWork;
import org.toydiff.internal.linalg.TriangularSolveWork;

/// The part of [Launch] where LAPACK's functions start. Shapes are already checked and outputs made, contiguous; what
/// depends on the elements, such as a matrix that has no inverse, is an exception here, and in each replay.
final class LinalgLaunch {
    private LinalgLaunch() {}

    /// The lower triangles of y, in place.
    static void cholesky(Tensor y) {
        inPlace("cholesky", y, () -> {
            var work = new CholeskyWork(y.isWide(), side(y));
            return to -> require(
                    "cholesky",
                    to.shape,
                    work.run(memory(to), to.offset, batch(to)),
                    place -> "is not"
                            + " positive definite: its leading minor of order " + place + ", at row " + (place - 1)
                            + ", is not positive; add to its diagonal, or use eigh");
        });
    }

    /// The matrices of y, in place.
    static void inverse(Tensor y) {
        inPlace("inverse", y, () -> {
            var work = new InverseWork(y.isWide(), side(y));
            return to -> require(
                    "inverse",
                    to.shape,
                    work.run(memory(to), to.offset, batch(to)),
                    place -> singular(place) + "; use pinv");
        });
    }

    /// The matrices of y become the transposes of their cofactors.
    static void cofactors(Tensor y) {
        inPlace("det", y, () -> {
            var work = new CofactorWork(y.isWide(), side(y));
            return to -> work.run(memory(to), to.offset, batch(to));
        });
    }

    /// The symmetric matrices below the first rows of y become their eigenvectors, and those rows the eigenvalues.
    static void eigh(Tensor y) {
        inPlace("eigh", y, () -> {
            var work = new EighWork(y.isWide(), side(y));
            return to -> {
                long failure = work.run(memory(to), to.offset, batch(to));
                if (failure != MatrixWork.SUCCESS) {
                    long[] shape = to.shape.clone();
                    shape[shape.length - 2]--;
                    throw failed("eigh", shape, failure, LinalgLaunch::unconverged);
                }
            };
        });
    }

    /// The matrices of `lu`, in place, and their pivots; one whose pivot is 0 is refused if `regular`.
    static void lu(String op, Tensor lu, Tensor pivots, boolean regular) {
        if (lu.size() == 0 || Launch.skips(lu)) {
            return;
        }
        Lapack.require(op);
        var work = new LuWork(lu.isWide(), side(lu));
        freeingIfFailed(op, () -> lu(op, work, lu, pivots, regular), lu, pivots);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.reads(lu);
            Tensor factors = recorder.writes(lu);
            Tensor rows = recorder.writes(pivots);
            recorder.keep(op, () -> lu(op, work, factors, rows, regular), factors);
        }
    }

    private static void lu(String op, LuWork work, Tensor lu, Tensor pivots, boolean regular) {
        long failure = work.run(memory(lu), lu.offset, memory(pivots), pivots.offset, batch(lu));
        if (regular) {
            require(op, lu.shape, failure, place -> singular(place) + "; use lstsq");
        }
    }

    /// Replaces b, in y, by the solution of systems whose factors [#lu] has made; of transposed ones, if asked for.
    static void luSolve(Tensor lu, Tensor pivots, boolean transposed, Tensor y) {
        String op = y.storage.op;
        long[] axes = Arrays.copyOf(y.shape, y.rank() - 2);
        long[] matrices = Arrays.copyOf(lu.shape, lu.rank() - 2);
        long[] strides = Shape.stretched(matrices, Shape.strides(matrices), axes);
        if (y.size() == 0 || Launch.skips(y)) {
            return;
        }
        Lapack.require(op);
        var work = new LuSolveWork(y.isWide(), side(lu), side(y), transposed, axes, strides);
        Recorder.Loop loop =
                (a, rows, x) -> work.run(memory(a), a.offset, memory(rows), rows.offset, memory(x), x.offset, batch(x));
        loop.run(lu, pivots, y);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.reads(y);
            recorder.keep(op, lu, pivots, y, loop);
        }
    }

    /// The determinants of matrices, or their signs, one element of y each, from the factors that [#lu] has made.
    static void determinant(Tensor lu, Tensor pivots, boolean signOnly, Tensor y) {
        if (y.size() == 0 || Launch.skips(y)) {
            return;
        }
        var work = new DeterminantWork(y.isWide(), side(lu), signOnly);
        Recorder.Loop loop = (a, rows, to) ->
                work.run(memory(a), a.offset, memory(rows), rows.offset, memory(to), to.offset, to.size());
        launch(y.storage.op, lu, pivots, y, loop);
    }

    /// The factors of matrices from their transposes, which are overwritten: `[…, n, m]` to `[…, k, m + n]`.
    static void qr(Tensor a, Tensor y) {
        if (y.size() == 0 || Launch.skips(y)) {
            return;
        }
        Lapack.require("qr");
        var work = new QrWork(y.isWide(), side(a), (int) a.shape[a.rank() - 2]);
        overwriting(a, y, (from, none, to) -> work.run(memory(from), from.offset, memory(to), to.offset, batch(to)));
    }

    /// The singular value decompositions of matrices, which are overwritten: `[…, m, n]` to `[…, k·(m + 1 + n)]`.
    static void svd(Tensor a, Tensor y) {
        if (y.size() == 0 || Launch.skips(y)) {
            return;
        }
        Lapack.require("svd");
        var work = new SvdWork(y.isWide(), (int) a.shape[a.rank() - 2], side(a));
        overwriting(
                a,
                y,
                (from, none, to) -> require(
                        "svd",
                        from.shape,
                        work.run(memory(from), from.offset, memory(to), to.offset, batch(from)),
                        LinalgLaunch::unconverged));
    }

    /// Replaces b, in y, by the solution of triangular systems. Their triangles have contiguous rows or columns.
    static void triangularSolve(Tensor a, boolean upper, Tensor y) {
        if (y.size() == 0 || Launch.skips(y)) {
            return;
        }
        Lapack.require("triangularSolve");
        int rank = a.rank();
        long[] matrix = Arrays.copyOfRange(a.shape, rank - 2, rank);
        long[] strides = Arrays.copyOfRange(a.strides, rank - 2, rank);
        boolean transposed = MatrixLayout.transposed(matrix, strides);
        long[] axes = Arrays.copyOf(y.shape, y.rank() - 2);
        var work = new TriangularSolveWork(
                y.isWide(),
                side(a),
                side(y),
                upper,
                transposed,
                MatrixLayout.leading(matrix, strides, transposed),
                axes,
                Shape.stretched(Arrays.copyOf(a.shape, rank - 2), Arrays.copyOf(a.strides, rank - 2), axes));
        long[] triangles = y.shape.clone();
        triangles[y.rank() - 1] = side(a);
        Recorder.Loop loop = (triangle, none, x) -> require(
                "triangularSolve",
                triangles,
                work.run(memory(triangle), triangle.offset, memory(x), x.offset, batch(x)),
                place -> "has a singular triangle: element " + (place - 1) + " of its diagonal is 0");
        freeingIfFailed("triangularSolve", () -> loop.run(a, null, y), y);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.reads(y);
            recorder.keep(y.storage.op, a, null, y, loop);
        }
    }

    private interface Body {
        void run(Tensor y);
    }

    private interface BodyOfShape {
        Body make();
    }

    private static void inPlace(String op, Tensor y, BodyOfShape shape) {
        if (y.size() == 0 || Launch.skips(y)) {
            return;
        }
        Lapack.require(op);
        Body body = shape.make();
        freeingIfFailed(op, () -> body.run(y), y);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.reads(y);
            recorder.keep(y.storage.op, null, null, y, (none, neither, to) -> body.run(to));
        }
    }

    /// Launches a loop that overwrites a, too.
    private static void overwriting(Tensor a, Tensor y, Recorder.Loop loop) {
        freeingIfFailed(y.storage.op, () -> loop.run(a, null, y), y);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.writes(a);
            recorder.keep(y.storage.op, a, null, y, loop);
        }
    }

    private static void launch(String op, Tensor a, Tensor b, Tensor y, Recorder.Loop loop) {
        loop.run(a, b, y);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.keep(op, a, b, y, loop);
        }
    }

    /// Frees tensors that nobody will see.
    private static void freeingIfFailed(String op, Runnable launch, Tensor... made) {
        boolean done = false;
        try {
            launch.run();
            done = true;
        } finally {
            for (Tensor t : made) {
                if (!done && t.storage.releasable()) {
                    t.storage.free(op, 0);
                }
            }
        }
    }

    private static String singular(int place) {
        return "is singular: pivot " + (place - 1) + " is 0";
    }

    private static String unconverged(int place) {
        return place == MatrixWork.NOT_FINITE
                ? "has an element that is NaN or infinite, and no decomposition"
                : "did not converge: " + place + " values are missing; scale it, or use FLOAT64";
    }

    /// Throws if there is a failure.
    private static void require(String op, long[] shape, long failure, IntFunction<String> reason) {
        if (failure != MatrixWork.SUCCESS) {
            throw failed(op, shape, failure, reason);
        }
    }

    /// Returns an exception that names the matrix of a batch of `shape` and the reason.
    private static IllegalArgumentException failed(String op, long[] shape, long failure, IntFunction<String> reason) {
        long[] leading = Arrays.copyOf(shape, shape.length - 2);
        long[] index = new long[leading.length];
        long rest = failure >> 32;
        for (int axis = leading.length - 1; axis >= 0; axis--) {
            index[axis] = rest % leading[axis];
            rest /= leading[axis];
        }
        String which = index.length == 0 ? "" : "matrix " + Shape.text(index) + " of ";
        return new IllegalArgumentException(op + ": " + which + Shape.text(shape) + " " + reason.apply((int) failure));
    }

    /// The size of the last axis, which is checked to be an int.
    private static int side(Tensor t) {
        return (int) t.shape[t.rank() - 1];
    }

    /// The number of matrices.
    private static long batch(Tensor t) {
        long batch = 1;
        for (int axis = 0; axis < t.rank() - 2; axis++) {
            batch *= t.shape[axis];
        }
        return batch;
    }
}
