package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One reduction in progress. One object per thread, like [ElementWork].
///
/// The input's layout determines one of three ways: one long run is divided into pieces whose results are combined
/// in order; many runs are distributed among parts; reduced rows of kept columns are processed by columns. Other
/// layouts are copied first.
public final class ReductionWork extends Work implements RowStream.Rows {
    /// Elements per part.
    private static final long PART = 1 << 15;

    private static final int MAX_PIECES = 32;

    /// Columns per part: four vectors of floats, a few cache lines of each row.
    private static final long COLUMNS = 64;

    /// Elements of columns of BFLOAT16 that are widened at a time: their floats fit into a first-level cache.
    private static final long WIDENED = 1 << 13;

    private ContiguousKernels kernels;
    private ReductionKind reduction;
    private ElementKind kind;
    private int ddof;
    private MemorySegment x;
    private MemorySegment y;

    /// Computes the elements of x, or is null.
    private ElementSource source;

    private final RowStream stream = new RowStream();

    private enum Way {
        PIECES,
        SQUARES,
        UNITS,
        FINITE,
        RUNS,
        COLUMNS
    }

    private Way way;
    private long x0;
    private long y0;

    /// The number of elements of a run, or of rows.
    private long n;

    /// The stride between runs, or rows.
    private long xi;

    /// The number of runs, or columns.
    private long outputs;

    private long blocks;
    private long blockStride;

    /// The first row of the current block.
    private long firstRow;

    private long perPart;
    private double mean;
    private final double[] pieces = new double[MAX_PIECES];

    /// Receives the squares of units, the first at `firstSquare`.
    private double[] squares;

    private int firstSquare;
    private double[] ownSquares = new double[16];

    // The axes merged into groups, innermost first: whether each is reduced, its size and its stride.
    private static final int MAX_GROUPS = 3;
    private final boolean[] isReduced = new boolean[MAX_GROUPS + 1];
    private final long[] count = new long[MAX_GROUPS + 1];
    private final long[] stride = new long[MAX_GROUPS + 1];
    private int groups;

    /// Determines how a tensor of this shape and these strides can be reduced to the shape `to`, which broadcasts to
    /// its own: the axes that broadcasting would stretch are reduced.
    ///
    /// @return whether it can be reduced without a copy
    public boolean plan(ReductionKind reduction, long[] shape, long[] strides, long[] to) {
        merge(shape, strides, to);
        blocks = 1;
        blockStride = 0;
        if (groups > MAX_GROUPS) {
            return false;
        }
        boolean innerReduced = groups > 0 && isReduced[0];
        boolean innerRuns = groups == 0 || stride[0] == 1;
        if (groups == 0 || (groups == 1 && !innerReduced)) {
            return asRuns(1, groups == 0 ? 1 : count[0], groups == 0 ? 1 : stride[0]);
        }
        if (groups == 1) {
            return innerRuns && asRuns(count[0], 1, 0);
        }
        if (!keptAndReducedAlternate()) {
            return false;
        }
        int outer = groups == 2 && !innerRuns && stride[1] == 1 ? 0 : 1;
        int inner = 1 - outer;
        if (stride[inner] != 1) {
            return false;
        }
        if (isReduced[inner]) {
            return groups == 2 && asRuns(count[inner], count[outer], stride[outer]);
        }
        blocks = groups == 3 ? count[2] : 1;
        blockStride = groups == 3 ? stride[2] : 0;
        return reduction.byColumns() && asColumns(count[outer], stride[outer], count[inner]);
    }

    /// {@return whether kept and reduced groups alternate} Two adjacent groups of a kind are axes that cannot be
    /// merged.
    private boolean keptAndReducedAlternate() {
        for (int i = 1; i < groups; i++) {
            if (isReduced[i] == isReduced[i - 1]) {
                return false;
            }
        }
        return true;
    }

    private void merge(long[] shape, long[] strides, long[] to) {
        groups = 0;
        int missing = shape.length - to.length;
        for (int axis = shape.length - 1; axis >= 0 && groups <= MAX_GROUPS; axis--) {
            if (shape[axis] == 1) {
                continue;
            }
            boolean reduced = axis < missing || to[axis - missing] == 1;
            int last = groups - 1;
            if (groups > 0 && isReduced[last] == reduced && strides[axis] == count[last] * stride[last]) {
                count[last] *= shape[axis];
            } else {
                isReduced[groups] = reduced;
                count[groups] = shape[axis];
                stride[groups++] = strides[axis];
            }
        }
    }

    private boolean asRuns(long elements, long runs, long between) {
        way = Way.RUNS;
        n = elements;
        outputs = runs;
        xi = between;
        return true;
    }

    private boolean asColumns(long rows, long between, long columns) {
        way = Way.COLUMNS;
        n = rows;
        xi = between;
        outputs = columns;
        return true;
    }

    /// {@return the number of columns of the matrix as which x, which is contiguous, comes from an [ElementSource] in
    /// the planned reduction, or 0 if its pieces would be too large}
    public long sourceColumns(ReductionKind reduction, boolean wide) {
        if (way == Way.COLUMNS) {
            return RowStream.fits(n * Math.min(outputs, columnsPerPart()), wide) ? outputs : 0;
        }
        boolean twice = reduction == ReductionKind.STD || reduction == ReductionKind.VAR;
        boolean fits = isPieced(reduction) ? !twice && RowStream.fits(pieceSize(), wide) : RowStream.fits(n, wide);
        return fits ? n : 0;
    }

    /// Sets the source of x in the next [#run], or null if x is in memory.
    public void pass(ElementSource source) {
        this.source = source;
    }

    /// Computes `y = reduction(x)` as planned by [#plan]; y is contiguous and has `results` elements, and neither is
    /// empty. Offsets are in elements.
    public void run(
            ReductionKind reduction,
            int ddof,
            ElementKind kind,
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt,
            long results) {
        assert blocks * outputs == results : "a reduction must write exactly the elements of its result";
        this.reduction = reduction;
        this.ddof = ddof;
        of(kind);
        this.x = x;
        this.y = y;
        x0 = xAt;
        y0 = yAt;
        try {
            reduce();
        } finally {
            source = null;
            stream.forget();
            this.x = null;
            this.y = null;
        }
    }

    private void reduce() {
        if (way == Way.COLUMNS) {
            columns();
        } else if (isPieced(reduction)) {
            mean = 0;
            store(
                    0,
                    switch (reduction) {
                        case STD, VAR -> spread();
                        case NORM -> Math.sqrt(inPieces(Way.SQUARES));
                        default -> finish(inPieces(Way.PIECES));
                    });
        } else {
            stream.pass(source, null);
            stream.x(x, x0, xi);
            inParts(outputs, Math.max(1, PART / n));
        }
    }

    /// {@return the Euclidean norm of `n` contiguous elements of x from `xAt` on, in double: the root of the total of
    /// their [#squares]}
    public double norm(ElementKind kind, MemorySegment x, long xAt, long n) {
        int units = Math.toIntExact(parts(n, UpdateWork.UNIT));
        if (units > ownSquares.length) {
            ownSquares = new double[units];
        }
        squares(kind, x, xAt, n, ownSquares, 0);
        return Math.sqrt(UpdateWork.total(ownSquares, 0, units));
    }

    /// Sums the squares of each [UpdateWork#UNIT] of `n` contiguous elements of x from `xAt` on; the first goes to
    /// `sums[at]`.
    public void squares(ElementKind kind, MemorySegment x, long xAt, long n, double[] sums, int at) {
        of(kind);
        this.n = n;
        this.x = x;
        x0 = xAt;
        mean = 0;
        squares = sums;
        firstSquare = at;
        way = Way.UNITS;
        perPart = PART;
        Workers.run(this, parts(n, PART));
        squares = null;
        this.x = null;
    }

    private void units(long from, long to) {
        for (long at = from; at < to; at += UpdateWork.UNIT) {
            long count = Math.min(UpdateWork.UNIT, to - at);
            squares[firstSquare + (int) (at / UpdateWork.UNIT)] = fold(Fold.SQUARES, x, x0 + at, count, 0);
        }
    }

    /// {@return whether none of `n` contiguous elements of x from `xAt` on is NaN or infinite}
    public boolean allFinite(ElementKind kind, MemorySegment x, long xAt, long n) {
        return inPieces(Way.FINITE, kind, x, xAt, n) == 0;
    }

    private double inPieces(Way way, ElementKind kind, MemorySegment x, long xAt, long n) {
        reduction = ReductionKind.SUM;
        this.n = n;
        of(kind);
        this.x = x;
        x0 = xAt;
        double total = inPieces(way);
        this.x = null;
        return total;
    }

    private boolean isPieced(ReductionKind reduction) {
        return outputs == 1 && n > PART && !reduction.isPosition();
    }

    private void of(ElementKind kind) {
        this.kind = kind;
        kernels = ContiguousKernels.of(kind == ElementKind.FLOAT64);
    }

    private void columns() {
        firstRow = 0;
        for (long block = 0; block < blocks; block++) {
            inParts(outputs, columnsPerPart());
            x0 += blockStride;
            firstRow += n;
            y0 += outputs;
        }
    }

    private long columnsPerPart() {
        return n * outputs <= PART ? outputs : COLUMNS;
    }

    private void inParts(long all, long each) {
        perPart = Math.min(all, each);
        Workers.run(this, parts(all, perPart));
    }

    @Override
    protected void part(long index) {
        long from = index * perPart;
        switch (way) {
            case PIECES, SQUARES, FINITE -> piece(index, from, Math.min(perPart, n - from));
            case UNITS -> units(from, Math.min(from + perPart, n));
            case RUNS -> stream.run(from, Math.min(from + perPart, outputs), n, this);
            case COLUMNS -> column(from, Math.min(perPart, outputs - from));
        }
    }

    private void piece(long index, long from, long count) {
        if (source == null) {
            pieces[(int) index] = piece(x, x0 + from, count);
            return;
        }
        MemorySegment elements = source.compute(from, count);
        try {
            pieces[(int) index] = piece(elements, 0, count);
        } finally {
            Scratch.give(elements);
        }
    }

    private double piece(MemorySegment x, long at, long count) {
        return switch (way) {
            case SQUARES -> fold(Fold.SQUARES, x, at, count, mean);
            case FINITE -> fold(Fold.NOT_FINITE, x, at, count, 0);
            default -> fold(fold(), x, at, count, 0);
        };
    }

    @Override
    public void compute(long first, long count, MemorySegment x, long xAt, long xi, MemorySegment y, long yAt) {
        for (long i = 0; i < count; i++) {
            run(first + i, x, xAt + i * xi);
        }
    }

    private void run(long i, MemorySegment x, long at) {
        switch (reduction) {
            case ARGMAX, ARGMIN -> y.setAtIndex(JAVA_LONG, y0 + i, position(x, at));
            case STD, VAR -> store(i, spread(fold(Fold.SQUARES, x, at, n, fold(Fold.SUM, x, at, n, 0) / n)));
            case NORM -> store(i, Math.sqrt(fold(Fold.SQUARES, x, at, n, 0)));
            default -> store(i, finish(fold(fold(), x, at, n, 0)));
        }
    }

    /// The folds of runs that reductions are made of.
    private enum Fold {
        SUM,
        /// The sum of the squares of distances from a mean.
        SQUARES,
        MAX,
        MIN,
        /// 0 if all elements are finite.
        NOT_FINITE
    }

    private Fold fold() {
        return switch (reduction) {
            case MAX, ARGMAX -> Fold.MAX;
            case MIN, ARGMIN -> Fold.MIN;
            default -> Fold.SUM;
        };
    }

    /// {@return the fold of a run of x} That of BFLOAT16 is widened to floats, block by block.
    private double fold(Fold fold, MemorySegment x, long at, long count, double mean) {
        if (kind != ElementKind.BFLOAT16) {
            return foldNumbers(fold, x, at, count, mean);
        }
        MemorySegment scratch = Scratch.take();
        try {
            double total = 0;
            for (long i = 0; i < count; i += Widened.BLOCK) {
                long width = Math.min(Widened.BLOCK, count - i);
                Widened.widen(x, at + i, scratch, 0, width);
                double next = foldNumbers(fold, scratch, 0, width, mean);
                total = i == 0 ? next : join(fold, total, next);
            }
            return total;
        } finally {
            Scratch.give(scratch);
        }
    }

    private double foldNumbers(Fold fold, MemorySegment run, long at, long count, double mean) {
        return switch (fold) {
            case SUM -> kernels.sum(run, at, count);
            case SQUARES -> kernels.squares(run, at, count, mean);
            case MAX -> kernels.max(run, at, count);
            case MIN -> kernels.min(run, at, count);
            case NOT_FINITE -> kernels.allFinite(run, at, count) ? 0 : 1;
        };
    }

    private static double join(Fold fold, double a, double b) {
        return switch (fold) {
            case SUM, SQUARES, NOT_FINITE -> a + b;
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
        };
    }

    private double finish(double total) {
        return reduction == ReductionKind.MEAN ? total / n : total;
    }

    private double inPieces(Way way) {
        this.way = way;
        perPart = pieceSize();
        long parts = parts(n, perPart);
        Workers.run(this, parts);
        double total = pieces[0];
        for (int i = 1; i < parts; i++) {
            total = join(fold(), total, pieces[i]);
        }
        return total;
    }

    /// {@return the number of elements of a piece} Long ones, so that each thread reads sequentially: memory is faster
    /// that way than with turns of 128 KB.
    private long pieceSize() {
        return Math.max(PART, parts(n, MAX_PIECES));
    }

    /// Takes two passes, so that a large mean costs no digits.
    private double spread() {
        mean = inPieces(Way.PIECES) / n;
        return spread(inPieces(Way.SQUARES));
    }

    private double spread(double squares) {
        // As in PyTorch: the divisor is 0 when ddof is n or more.
        double variance = squares / Math.max(0, n - ddof);
        return reduction == ReductionKind.STD ? Math.sqrt(variance) : variance;
    }

    /// {@return the position of the first of the largest or smallest elements of a run; the first NaN counts as
    /// such}
    private long position(MemorySegment x, long at) {
        double best = fold(fold(), x, at, n, 0);
        for (long j = 0; j < n; j++) {
            double v = kind.real(x, at + j);
            if (v == best || Double.isNaN(v)) {
                return j;
            }
        }
        throw new AssertionError("a run has its largest and its smallest element");
    }

    private void store(long i, double value) {
        kind.set(y, y0 + i, value);
    }

    private void column(long from, long width) {
        if (source == null) {
            column(x, x0 + from, xi, from, width);
            return;
        }
        MemorySegment elements = source.compute(firstRow, from, n, width);
        try {
            column(elements, 0, width, from, width);
        } finally {
            Scratch.give(elements);
        }
    }

    /// Reduces the columns of a matrix, of which the first element is at `at`, and the rows are `between` apart.
    private void column(MemorySegment x, long at, long between, long from, long width) {
        if (reduction == ReductionKind.MAX || reduction == ReductionKind.MIN) {
            var kernel = kind.of(reduction == ReductionKind.MAX ? BinaryKernel.MAXIMUM : BinaryKernel.MINIMUM);
            long bytes = kind.bytes;
            MemorySegment.copy(x, at * bytes, y, (y0 + from) * bytes, width * bytes);
            for (long i = 1; i < n; i++) {
                kernel.run(x, at + i * between, 0, 1, y, y0 + from, 0, 1, y, y0 + from, 0, 1, 1, width);
            }
            return;
        }
        double divisor = reduction == ReductionKind.MEAN ? n : 1;
        if (kind == ElementKind.BFLOAT16) {
            sumWidened(from, width, divisor);
        } else {
            kernels.sumColumns(x, at, between, n, y, y0 + from, width, divisor);
        }
    }

    /// Sums columns of BFLOAT16: some rows at a time follow the sums so far, which are a row of floats.
    private void sumWidened(long from, long width, double divisor) {
        MemorySegment scratch = Scratch.take();
        try {
            long most = Math.max(1, WIDENED / width);
            kernels.fill(scratch, 0, width, 0);
            for (long i = 0; i < n; i += most) {
                long rows = Math.min(most, n - i);
                Widened.WIDEN.run(x, x0 + i * xi + from, xi, 1, scratch, width, width, 1, rows, width);
                double last = i + rows == n ? divisor : 1;
                kernels.sumColumns(scratch, 0, width, rows + 1, scratch, 0, width, last);
            }
            Widened.round(scratch, 0, y, y0 + from, width);
        } finally {
            Scratch.give(scratch);
        }
    }
}
