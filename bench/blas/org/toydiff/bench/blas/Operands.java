package org.toydiff.bench.blas;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/// The operands of one problem. `native/blas.c` gives them the same layout and values.
final class Operands implements AutoCloseable {
    private static final int PAGE = 4096;

    /// So small that off-diagonal elements of this size leave every solution unchanged, while no product with them
    /// is denormal.
    private static final double NOTHING = 1e-20;

    final Problem problem;

    /// The result of a routine that returns a number.
    double scalar;

    /// LAPACK's report of the last call: 0 if it succeeded.
    int info;

    /// The packed form of B, of the routines that make or use it.
    MemorySegment packed;

    private final Arena arena = Arena.ofConfined();
    private final List<Routine.Shape> shapes;
    private final MemorySegment[] segments;

    /// The first contents of the operands that a call destroys.
    private final MemorySegment[] originals;

    /// Allocates the operands and fills them for the check.
    Operands(Problem problem) {
        this.problem = problem;
        shapes = problem.routine().operands(problem);
        segments = IntStream.range(0, shapes.size()).mapToObj(this::allocate).toArray(MemorySegment[]::new);
        originals = IntStream.range(0, problem.routine().consumed())
                .mapToObj(this::allocate)
                .toArray(MemorySegment[]::new);
        fill(false);
        for (int operand = 0; operand < originals.length; operand++) {
            originals[operand].copyFrom(segments[operand]);
        }
    }

    private MemorySegment allocate(int operand) {
        Routine.Shape shape = shapes.get(operand);
        return allocate((long) shape.count() * shape.rows() * ld(operand) * problem.precision(operand).bytes);
    }

    /// Allocates memory at the layout's offset from the start of a page, so that it has no greater alignment.
    MemorySegment allocate(long bytes) {
        return arena.allocate(bytes + PAGE, PAGE).asSlice(problem.layout().alignment() % PAGE, bytes);
    }

    /// Restores the operands that a call destroys.
    void restore() {
        for (int operand = 0; operand < originals.length; operand++) {
            segments[operand].copyFrom(originals[operand]);
        }
    }

    /// Returns an operand's memory.
    MemorySegment segment(int operand) {
        return segments[operand];
    }

    /// Returns an operand's leading dimension.
    int ld(int operand) {
        return (int) problem.leading(shapes.get(operand));
    }

    /// Returns the distance from one matrix of a batch to the next, in elements.
    int stride(int operand) {
        return ld(operand) * shapes.get(operand).rows();
    }

    /// Returns one matrix of an operand.
    Matrix matrix(int operand, int index) {
        return matrix(segments[operand], operand, index);
    }

    /// Returns an operand as LAPACK reads it, column-major.
    Matrix columnMajor(int operand) {
        return matrix(operand, 0).transposed();
    }

    /// Returns the first contents of an operand that a call destroys, column-major.
    Matrix original(int operand) {
        return matrix(originals[operand], operand, 0).transposed();
    }

    private Matrix matrix(MemorySegment segment, int operand, int index) {
        Routine.Shape shape = shapes.get(operand);
        return new Matrix(
                segment,
                problem.precision(operand),
                shape.rows(),
                shape.columns(),
                (long) index * stride(operand),
                ld(operand),
                1);
    }

    /// Refills the triangular matrix, so that any number of solutions leaves the other operand in range.
    void fillForTiming() {
        if (problem.routine() == Routine.TRSM) {
            fill(true);
        }
    }

    private void fill(boolean forTiming) {
        for (int operand = 0; operand < segments.length; operand++) {
            for (int index = 0; index < shapes.get(operand).count(); index++) {
                Matrix matrix = matrix(operand, index);
                for (long i = 0; i < matrix.rows(); i++) {
                    for (long j = 0; j < matrix.columns(); j++) {
                        matrix.set(i, j, element(operand, index, i, j, forTiming));
                    }
                }
            }
        }
    }

    private double element(int operand, int index, long i, long j, boolean forTiming) {
        double value = initial(operand, index, i, j);
        if (operand > 0) {
            return value;
        }
        long order = shapes.get(operand).rows();
        return switch (problem.routine()) {
            case TRSM -> triangle(value, i == j, order, forTiming);
            // Well conditioned, and its pivots are on the other diagonal, so that rows are exchanged.
            case GESV -> dominated(value, i + j == order - 1, order);
            // Symmetric, and positive definite by Gershgorin's circles.
            case POTRF -> dominated(i < j ? initial(operand, index, j, i) : value, i == j, order);
            case SYEVD -> i < j ? initial(operand, index, j, i) : value;
            default -> value;
        };
    }

    private static double triangle(double value, boolean diagonal, long order, boolean forTiming) {
        if (forTiming) {
            return diagonal ? 1 : NOTHING * value;
        }
        return dominated(value, diagonal, order);
    }

    /// Returns an element of a matrix with one element per row that exceeds the sum of all others.
    private static double dominated(double value, boolean dominant, long order) {
        return dominant ? 2 + value : value / order;
    }

    /// Returns the initial value of an element, in [-½, ½) and rounded to the operand's format; those of special
    /// matrices are derived from it.
    double initial(int operand, int index, long row, long column) {
        Routine.Shape shape = shapes.get(operand);
        long position = ((long) index * shape.rows() + row) * shape.columns() + column;
        int mixed = mixed((int) position + operand * 668265263);
        return problem.precision(operand).round((mixed & 0xFFFFFFFFL) / 0x1p32 - 0.5);
    }

    /// The last step of MurmurHash3 (Appleby, https://github.com/aappleby/smhasher): neighbours get unrelated values,
    /// so that matrices have the rank and the spectrum of random ones.
    private static int mixed(int x) {
        int h = (x ^ x >>> 16) * 0x85ebca6b;
        h = (h ^ h >>> 13) * 0xc2b2ae35;
        return h ^ h >>> 16;
    }

    /// Returns the number of elements of the result that are NaN or infinite.
    long countNotFinite() {
        return count(false);
    }

    /// Returns the number of elements of the result that are denormal.
    long countDenormal() {
        return count(true);
    }

    private long count(boolean denormal) {
        long found = 0;
        for (int operand : problem.routine().results()) {
            NumberFormat precision = problem.precision(operand);
            long elements = segments[operand].byteSize() / precision.bytes;
            for (long i = 0; i < elements; i++) {
                double x = precision.get(segments[operand], i);
                boolean isDenormal = x != 0 && Math.abs(x) < precision.smallestNormal;
                found += (denormal ? isDenormal : !Double.isFinite(x)) ? 1 : 0;
            }
        }
        return found;
    }

    @Override
    public void close() {
        arena.close();
    }
}
