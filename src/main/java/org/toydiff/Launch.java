package org.toydiff;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.toydiff.CommandFusion.Streamed;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.UpdateKernel;
import org.toydiff.internal.launch.Counting;
import org.toydiff.internal.launch.DistinctElements;
import org.toydiff.internal.launch.DropoutWork;
import org.toydiff.internal.launch.ElementKind;
import org.toydiff.internal.launch.ElementSink;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.MaskedElements;
import org.toydiff.internal.launch.PositionWork;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.ReductionWork;
import org.toydiff.internal.launch.RowStream;
import org.toydiff.internal.launch.RowWork;
import org.toydiff.internal.launch.ScanWork;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.launch.SortWork;
import org.toydiff.internal.launch.TopKWork;
import org.toydiff.internal.launch.UpdateWork;
import org.toydiff.internal.random.DropoutMask;

/// The one place where kernels and products start. Shapes are already checked and outputs made; a tensor
/// without memory (in a prediction) launches nothing.
///
/// Small work stays on the calling thread; large work is cut into parts for [org.toydiff.internal.workers.Workers].
final class Launch {
    private Launch() {}

    /// Whether nothing is to be computed into y: it has no memory, or this thread predicts, and then changes
    /// nothing.
    static boolean skips(Tensor y) {
        return skips(y, Scope.current());
    }

    /// As [#skips(Tensor)], of a thread's scope that the caller has already.
    static boolean skips(Tensor y, Scope scope) {
        return y.storage.isAbstract() || scope.predicts();
    }

    /// `y = kernel(x)`, x broadcast to y's shape.
    static void unary(Kernel.Unary kernel, Tensor x, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() > 0 && !skips(y, scope)) {
            long[] xs = Shape.stretched(x.shape, x.strides, y.shape);
            scope.elements.run(kernel, memory(x), x.offset, xs, memory(y), y.offset, y.strides, y.shape);
            if (scope.recorder != null) {
                scope.recorder.unary(kernel, x, xs, y);
            }
        }
    }

    /// `y = kernel(a, b)`, a and b broadcast to y's shape.
    static void binary(Kernel.Binary kernel, Tensor a, Tensor b, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() > 0 && !skips(y, scope)) {
            long[] as = Shape.stretched(a.shape, a.strides, y.shape);
            long[] bs = Shape.stretched(b.shape, b.strides, y.shape);
            scope.elements.run(
                    kernel, memory(a), a.offset, as, memory(b), b.offset, bs, memory(y), y.offset, y.strides, y.shape);
            if (scope.recorder != null) {
                scope.recorder.binary(kernel, a, as, b, bs, y);
            }
        }
    }

    /// A recorded elementwise launch over operands stretched to the shape of y. One of the kernels is null, and b is
    /// null for a unary one.
    record Elementwise(Kernel.Unary unary, Kernel.Binary binary, Tensor a, Tensor b, Tensor y) implements Runnable {
        Object kernel() {
            return unary != null ? unary : binary;
        }

        List<Tensor> inputs() {
            return b == null ? List.of(a) : List.of(a, b);
        }

        @Override
        public void run() {
            if (unary != null) {
                Launch.unary(unary, a, y);
            } else {
                Launch.binary(binary, a, b, y);
            }
        }
    }

    /// `y = kernel(y, value)` in place, without a tensor for the value.
    static void inPlace(Kernel.Binary kernel, Tensor y, double value) {
        if (y.size() > 0) {
            Scope scope = Scope.current();
            MemorySegment operand = scope.operand();
            y.dtype.set(operand, 0, value);
            long[] stretched = scope.noStrides(y.rank());
            scope.elements.run(
                    kernel, memory(y), y.offset, y.strides, operand, 0, stretched, memory(y), y.offset, y.strides,
                    y.shape);
        }
    }

    /// `y = x·mask`, scaled; both are contiguous. x may be y.
    static void dropout(DropoutMask mask, Tensor x, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() > 0 && !skips(y, scope)) {
            dropout(mask, x, null, null, memory(y), y.offset);
            if (scope.recorder != null) {
                Tensor from = scope.recorder.reads(x);
                Tensor result = scope.recorder.writes(y);
                scope.recorder.keep(y.storage.op, new Dropout(mask, from, result), result);
            }
        }
    }

    private static void dropout(
            DropoutMask mask, Tensor x, ElementSource source, ElementSink sink, MemorySegment y, long yAt) {
        DropoutWork work = Scope.current().dropouts;
        work.pass(source, sink);
        work.run(mask, x.dtype.kind, x.size(), memory(x, source), x.offset, y, yAt);
    }

    /// A recorded dropout.
    private record Dropout(DropoutMask mask, Tensor x, Tensor y) implements Streamed {
        @Override
        public long columns() {
            return x.size();
        }

        @Override
        public Tensor result() {
            return y;
        }

        @Override
        public boolean isTaken() {
            return true;
        }

        @Override
        public List<Tensor> aligned() {
            return List.of(x);
        }

        @Override
        public void run(ElementSource source, ElementSink sink, MemorySegment y, long yAt) {
            dropout(mask, x, source, sink, y, yAt);
        }
    }

    /// Sets every element of a contiguous tensor to a number, which its dtype has.
    static void fill(Tensor y, double value) {
        if (y.dtype == DType.FLOAT32 || y.dtype == DType.FLOAT64) {
            ContiguousKernels.of(y.isWide()).fill(y.storage.segment(), y.offset, y.size(), value);
        } else {
            fillByCopies(y, value);
        }
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            Tensor result = recorder.writes(y);
            recorder.keep(y.storage.op, new Fill(value, result), result);
        }
    }

    /// A recorded fill.
    record Fill(double value, Tensor y) implements Runnable {
        @Override
        public void run() {
            fill(y, value);
        }
    }

    /// Copies the first element to the next, both to the next two, and so on.
    private static void fillByCopies(Tensor y, double value) {
        if (y.size() == 0) {
            return;
        }
        MemorySegment memory = y.storage.segment();
        y.dtype.set(memory, y.offset, value);
        long bytes = y.dtype.bytes();
        for (long done = 1; done < y.size(); done *= 2) {
            long more = Math.min(done, y.size() - done);
            MemorySegment.copy(memory, y.offset * bytes, memory, (y.offset + done) * bytes, more * bytes);
        }
    }

    /// Whether x can be reduced where it lies, over the axes that broadcasting would stretch from the shape `to`.
    static boolean reducible(ReductionKind reduction, Tensor x, long[] to) {
        return x.size() == 0 || Scope.current().reductions.plan(reduction, x.shape, x.strides, to);
    }

    /// `y = reduction(x)` of an x that is [#reducible] to the shape `to`; y is contiguous and has as many elements
    /// as that.
    static void reduction(ReductionKind reduction, int ddof, Tensor x, long[] to, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() == 0 || skips(y, scope)) {
            return;
        }
        if (x.size() == 0) {
            fill(y, reduction == ReductionKind.SUM || reduction == ReductionKind.NORM ? 0 : Double.NaN);
            return;
        }
        reduction(reduction, ddof, x, to, null, memory(y), y.offset, y.size());
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor from = recorder.reads(x);
            Tensor result = recorder.writes(y);
            recorder.keep(y.storage.op, new Reduction(reduction, ddof, from, to, result), result);
        }
    }

    private static void reduction(
            ReductionKind reduction,
            int ddof,
            Tensor x,
            long[] to,
            ElementSource source,
            MemorySegment y,
            long yAt,
            long results) {
        ReductionWork work = Scope.current().reductions;
        work.plan(reduction, x.shape, x.strides, to);
        work.pass(source);
        work.run(reduction, ddof, x.dtype.kind, memory(x, source), x.offset, y, yAt, results);
    }

    /// A recorded reduction.
    private record Reduction(ReductionKind kind, int ddof, Tensor x, long[] to, Tensor y) implements Streamed {
        @Override
        public long columns() {
            ReductionWork work = Scope.current().reductions;
            return x.dtype == DType.BFLOAT16 || !work.plan(kind, x.shape, x.strides, to)
                    ? 0
                    : work.sourceColumns(kind, x.isWide());
        }

        @Override
        public Tensor result() {
            return y;
        }

        @Override
        public void run(ElementSource source, ElementSink sink, MemorySegment y, long yAt) {
            reduction(kind, ddof, x, to, source, y, yAt, this.y.size());
        }
    }

    /// `y = reduction(x)` over the marked axes: a sum of integers or truth values, y being INT64, or the largest or
    /// smallest of integers, which are not empty; y is contiguous.
    static void integerReduction(ReductionKind reduction, Tensor x, boolean[] reduced, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() > 0 && !skips(y, scope)) {
            scope.integerReductions.run(
                    reduction,
                    x.dtype.kind.element,
                    memory(x),
                    x.offset,
                    x.shape,
                    x.strides,
                    reduced,
                    memory(y),
                    y.offset);
            if (scope.recorder != null) {
                scope.recorder.keep(
                        y.storage.op, x, null, y, (from, b, to) -> integerReduction(reduction, from, reduced, to));
            }
        }
    }

    /// `y` = the position of the largest or smallest of integers along an axis, which has size 1 in y.
    static void position(boolean largest, Tensor x, int axis, Tensor y) {
        if (y.size() > 0 && !skips(y)) {
            var work = new PositionWork(x.dtype.kind, largest, x.shape, axis);
            position(work, x, y);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                recorder.keep(y.storage.op, x, null, y, (from, b, to) -> position(work, from, to));
            }
        }
    }

    private static void position(PositionWork work, Tensor x, Tensor y) {
        work.run(memory(x), x.offset, x.strides, memory(y), y.offset, y.strides);
    }

    /// The Euclidean norm of a contiguous tensor; 0 for one without memory.
    static double norm(Tensor x) {
        return x.size() == 0 || x.storage.isAbstract()
                ? 0
                : Scope.current().reductions.norm(x.dtype.kind, memory(x), x.offset, x.size());
    }

    /// `sums` from `at` on = the sums of the squares of each [UpdateWork#UNIT] elements of a contiguous tensor.
    static void squares(Tensor x, double[] sums, int at) {
        if (x.size() > 0 && !x.storage.isAbstract()) {
            Scope.current().reductions.squares(x.dtype.kind, memory(x), x.offset, x.size(), sums, at);
        }
    }

    /// Whether no element of a contiguous tensor is NaN or infinite, as for one without memory.
    static boolean allFinite(Tensor x) {
        return x.size() == 0
                || x.storage.isAbstract()
                || Scope.current().reductions.allFinite(x.dtype.kind, memory(x), x.offset, x.size());
    }

    /// A pass of an optimizer's step over contiguous tensors of one shape; of gradient, first, second and third those
    /// may be null that the kernel does not read.
    ///
    /// @return the kernel's sum, or 0
    static double update(
            UpdateWork work,
            UpdateKernel kernel,
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            Tensor third) {
        return work.run(
                kernel,
                parameter.dtype.kind,
                parameter.size(),
                memory(parameter),
                parameter.offset,
                memory(gradient),
                offset(gradient),
                memory(first),
                offset(first),
                memory(second),
                offset(second),
                memory(third),
                offset(third));
    }

    /// `indices` = the positions of the largest elements of x along an axis, as many as `indices` is long there.
    static void topk(Tensor x, int axis, Tensor indices) {
        if (indices.size() > 0 && !skips(indices)) {
            var work = new TopKWork(x.dtype.kind, x.shape, axis, indices.shape[axis]);
            topk(work, x, indices);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                recorder.keep("topk", x, null, indices, (from, b, to) -> topk(work, from, to));
            }
        }
    }

    private static void topk(TopKWork work, Tensor x, Tensor indices) {
        work.run(memory(x), x.offset, x.strides, memory(indices), indices.offset, indices.strides);
    }

    /// The elements of x in order along an axis, and their positions; values may be null. `records` is memory of
    /// [SortWork#longs] longs, or null.
    static void sort(Tensor x, int axis, boolean descending, Tensor values, Tensor indices, Tensor records) {
        if (x.size() > 0 && !skips(indices)) {
            var work = new SortWork(x.dtype.kind, descending, x.shape, axis);
            sort(work, x, values, indices, records);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                Tensor from = recorder.reads(x);
                Tensor ordered = recorder.writes(values);
                Tensor order = recorder.writes(indices);
                Tensor scratch = recorder.writes(records);
                recorder.keep("sort", () -> sort(work, from, ordered, order, scratch), order);
            }
        }
    }

    private static void sort(SortWork work, Tensor x, Tensor values, Tensor indices, Tensor records) {
        work.records(memory(records), offset(records));
        if (values != null) {
            work.values(memory(values), values.offset);
        }
        work.run(memory(x), x.offset, x.strides, memory(indices), indices.offset, indices.strides);
    }

    /// Scans x along an axis, backward if `reverse`; a has the coefficients of a recurrence, else it is null. y has
    /// the shape of x, save a product's, whose axis has size 1.
    static void scan(ScanWork.Kind kind, boolean reverse, Tensor x, int axis, Tensor a, Tensor y) {
        if (y.size() == 0 || skips(y)) {
            return;
        }
        if (x.size() == 0) {
            y.fill(1);
            return;
        }
        var work = new ScanWork(kind, x.dtype.kind, reverse, x.shape, axis);
        scan(work, x, a, y);
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.keep(y.storage.op, x, a, y, (from, coefficients, to) -> scan(work, from, coefficients, to));
        }
    }

    private static void scan(ScanWork work, Tensor x, Tensor a, Tensor y) {
        if (a != null) {
            work.coefficients(memory(a), a.offset, a.strides);
        }
        work.run(memory(x), x.offset, x.strides, memory(y), y.offset, y.strides);
    }

    // Of the following, operands are contiguous. Whoever counts has seen that they have memory.

    /// The number of elements that are not zero.
    static long countNonzero(Tensor x) {
        return MaskedElements.count(x.dtype.kind, memory(x), x.offset, x.size());
    }

    /// `y` = the elements of x whose mask is set.
    static void select(Tensor x, Tensor mask, Tensor y) {
        if (y.size() > 0 && !skips(y)) {
            MaskedElements.select(
                    x.dtype.kind, memory(x), x.offset, memory(mask), mask.offset, x.size(), memory(y), y.offset);
        }
    }

    /// Those elements of y whose mask is set = the elements of x, in order.
    static void scatter(Tensor x, Tensor mask, Tensor y) {
        if (x.size() > 0 && !skips(y)) {
            MaskedElements.scatter(
                    x.dtype.kind, memory(x), x.offset, memory(mask), mask.offset, y.size(), memory(y), y.offset);
        }
    }

    /// `y` = the indices of the elements that are not zero.
    static void nonzero(Tensor x, Tensor y) {
        if (y.size() > 0 && !skips(y)) {
            MaskedElements.nonzero(x.dtype.kind, memory(x), x.offset, x.shape, memory(y), y.offset);
        }
    }

    /// The number of distinct elements of a sorted vector.
    static long countDistinct(Tensor sorted) {
        return DistinctElements.count(sorted.dtype.kind, memory(sorted), sorted.offset, sorted.size());
    }

    /// The distinct elements of a sorted vector, whose elements were at the positions `order`.
    static void distinct(Tensor sorted, Tensor order, Tensor values, Tensor inverse, Tensor counts) {
        if (sorted.size() > 0 && !skips(values)) {
            DistinctElements.find(
                    sorted.dtype.kind,
                    memory(sorted),
                    sorted.offset,
                    sorted.size(),
                    memory(order),
                    order.offset,
                    memory(values),
                    values.offset,
                    memory(inverse),
                    inverse.offset,
                    memory(counts),
                    counts.offset);
        }
    }

    /// `counts[i] +=` the number of elements of x that are i.
    static void bincount(Tensor x, Tensor counts) {
        if (x.size() > 0 && !skips(counts)) {
            Counting.integers(x.dtype.kind, memory(x), x.offset, x.size(), memory(counts), counts.offset);
        }
    }

    /// The smallest element of x, which is not empty; NaN if any is.
    static double smallest(Tensor x) {
        return Counting.smallest(x.dtype.kind, memory(x), x.offset, x.size());
    }

    /// The largest element of x, which is not empty; NaN if any is.
    static double largest(Tensor x) {
        return Counting.largest(x.dtype.kind, memory(x), x.offset, x.size());
    }

    /// `counts[i] +=` the number of elements of x between two edges.
    static void histogram(Tensor x, Tensor edges, Tensor counts) {
        if (x.size() > 0 && !skips(counts)) {
            Counting.bins(
                    x.dtype.kind,
                    memory(x),
                    x.offset,
                    x.size(),
                    counts.size(),
                    edges.dtype.kind,
                    memory(edges),
                    edges.offset,
                    memory(counts),
                    counts.offset);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                recorder.keep("histogram", x, edges, counts, (from, between, to) -> histogram(from, between, to));
            }
        }
    }

    /// Softmax, cross entropy or a gradient of theirs over the rows of a, whose last axis is contiguous; b (a tensor
    /// of a's shape, or with one element for each row) and labels may be null. Rows with the label `ignored` do not
    /// count; [RowWork#NONE] is no label. y is contiguous.
    static void rows(RowWork.Kind kind, Tensor a, Tensor b, Tensor labels, long ignored, Tensor y) {
        Scope scope = Scope.current();
        if (a.size() == 0 || skips(y, scope)) {
            return;
        }
        operands(scope.rows, kind, b, labels, ignored);
        rows(kind, a, null, null, y.dtype.kind, memory(y), y.offset);
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor first = recorder.reads(a);
            Tensor second = recorder.reads(b);
            Tensor classes = recorder.reads(labels);
            Tensor to = recorder.writes(y);
            recorder.keep(y.storage.op, new Rows(kind, first, second, classes, ignored, to), to);
        }
    }

    private static void rows(
            RowWork.Kind kind,
            Tensor a,
            ElementSource source,
            ElementSink sink,
            ElementKind typeOfY,
            MemorySegment y,
            long yAt) {
        RowWork work = Scope.current().rows;
        work.pass(source, sink);
        long n = rowLength(a);
        MemorySegment from = memory(a, source);
        work.run(kind, a.dtype.kind, a.size() / n, n, from, a.offset, betweenRows(a), typeOfY, y, yAt);
    }

    private static long rowLength(Tensor t) {
        return t.shape[t.rank() - 1];
    }

    /// A recorded launch over rows.
    private record Rows(RowWork.Kind kind, Tensor x, Tensor b, Tensor labels, long ignored, Tensor y)
            implements Streamed {
        @Override
        public long columns() {
            return x.dtype != DType.BFLOAT16 && fits() ? rowLength(x) : 0;
        }

        @Override
        public Tensor result() {
            return y;
        }

        @Override
        public boolean isTaken() {
            return kind != RowWork.Kind.CROSS_ENTROPY && fits();
        }

        @Override
        public List<Tensor> aligned() {
            return b == null || kind == RowWork.Kind.CROSS_ENTROPY_GRADIENT ? List.of(x) : List.of(x, b);
        }

        private boolean fits() {
            return RowStream.fits(rowLength(x), x.dtype == DType.FLOAT64);
        }

        @Override
        public void run(ElementSource source, ElementSink sink, MemorySegment y, long yAt) {
            operands(Scope.current().rows, kind, b, labels, ignored);
            rows(kind, x, source, sink, this.y.dtype.kind, y, yAt);
        }
    }

    /// Sets the operands besides the first.
    private static void operands(RowWork work, RowWork.Kind kind, Tensor b, Tensor labels, long ignored) {
        if (b != null) {
            boolean single = kind == RowWork.Kind.CROSS_ENTROPY_GRADIENT;
            work.second(b.dtype.kind, memory(b), b.offset, single ? b.strides[0] : betweenRows(b));
        }
        if (labels != null) {
            work.labels(memory(labels), labels.offset, labels.strides[0], labels.dtype == DType.INT64, ignored);
        }
    }

    /// The distance between rows; of a tensor of higher rank they follow each other.
    private static long betweenRows(Tensor t) {
        return t.rank() == 2 ? t.strides[0] : rowLength(t);
    }

    /// Returns the memory of an operand, null for null.
    static MemorySegment memory(Tensor t) {
        return t == null ? null : t.storage.segment();
    }

    /// Returns the memory of an operand unless a source computes it, which may be null.
    private static MemorySegment memory(Tensor x, ElementSource source) {
        return source == null ? memory(x) : null;
    }

    static long offset(Tensor t) {
        return t == null ? 0 : t.offset;
    }
}
