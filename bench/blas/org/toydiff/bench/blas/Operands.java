package org.toydiff.bench.blas;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// The operands of one problem. `native/blas.c` gives them the same layout and values.
final class Operands implements AutoCloseable {
    private static final int PAGE = 4096;

    /// So small that off-diagonal elements of this size leave every solution unchanged, while no product with them
    /// is denormal.
    private static final double NOTHING = 1e-20;

    final Problem problem;

    /// The result of a routine that returns a number.
    double scalar;

    private final Arena arena = Arena.ofConfined();
    private final List<Routine.Shape> shapes;
    private final MemorySegment[] segments;

    /// Allocates the operands and fills them for the check.
    Operands(Problem problem) {
        this.problem = problem;
        shapes = problem.routine().operands(problem);
        segments = shapes.stream().map(this::allocate).toArray(MemorySegment[]::new);
        fill(false);
    }

    /// Allocates an operand at the layout's offset from the start of a page, so that it has no greater alignment.
    private MemorySegment allocate(Routine.Shape shape) {
        long bytes = (long) shape.count() * shape.rows() * leading(shape) * problem.elementBytes();
        return arena.allocate(bytes + PAGE, PAGE).asSlice(problem.layout().alignment() % PAGE, bytes);
    }

    private long leading(Routine.Shape shape) {
        return shape.rows() == 1 && shape.count() == 1
                ? shape.columns()
                : problem.layout().leading(shape.columns());
    }

    /// Returns an operand's memory.
    MemorySegment segment(int operand) {
        return segments[operand];
    }

    /// Returns an operand's leading dimension.
    int ld(int operand) {
        return (int) leading(shapes.get(operand));
    }

    /// Returns the distance from one matrix of a batch to the next, in elements.
    int stride(int operand) {
        return ld(operand) * shapes.get(operand).rows();
    }

    /// Returns one matrix of an operand.
    Matrix matrix(int operand, int index) {
        Routine.Shape shape = shapes.get(operand);
        return new Matrix(
                segments[operand],
                problem.wide(),
                shape.rows(),
                shape.columns(),
                (long) index * stride(operand),
                ld(operand),
                1);
    }

    /// Returns the index of the operand that is written.
    int result() {
        return shapes.size() - 1;
    }

    /// Refills the triangular matrix, so that any number of solutions leaves the other operand in range.
    void fillForTiming() {
        if (problem.routine() == Routine.TRSM) {
            fill(true);
        }
    }

    private void fill(boolean forTiming) {
        for (int operand = 0; operand < segments.length; operand++) {
            boolean triangular = problem.routine() == Routine.TRSM && operand == 0;
            for (int index = 0; index < shapes.get(operand).count(); index++) {
                fill(operand, index, triangular, forTiming);
            }
        }
    }

    private void fill(int operand, int index, boolean triangular, boolean forTiming) {
        Matrix matrix = matrix(operand, index);
        for (long i = 0; i < matrix.rows(); i++) {
            for (long j = 0; j < matrix.columns(); j++) {
                double value = initial(operand, index, i, j);
                matrix.set(i, j, triangular ? triangle(value, i == j, matrix.rows(), forTiming) : value);
            }
        }
    }

    private static double triangle(double value, boolean diagonal, long order, boolean forTiming) {
        if (forTiming) {
            return diagonal ? 1 : NOTHING * value;
        }
        return diagonal ? 2 + value : value / order;
    }

    /// Returns the initial value of an element, in [-½, ½) and rounded to the dtype; elements of a triangular
    /// matrix are derived from it.
    double initial(int operand, int index, long row, long column) {
        Routine.Shape shape = shapes.get(operand);
        long position = ((long) index * shape.rows() + row) * shape.columns() + column;
        double value = (position * 2246822519L + operand * 668265263L & 0xFFFFFFFFL) / 0x1p32 - 0.5;
        return problem.wide() ? value : (float) value;
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
        if (problem.routine().isScalar()) {
            return 0;
        }
        long found = 0;
        MemorySegment result = segments[result()];
        long elements = result.byteSize() / problem.elementBytes();
        for (long i = 0; i < elements; i++) {
            double x = problem.wide()
                    ? result.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                    : result.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            double smallest = problem.wide() ? Double.MIN_NORMAL : Float.MIN_NORMAL;
            found += (denormal ? x != 0 && Math.abs(x) < smallest : !Double.isFinite(x)) ? 1 : 0;
        }
        return found;
    }

    @Override
    public void close() {
        arena.close();
    }
}
