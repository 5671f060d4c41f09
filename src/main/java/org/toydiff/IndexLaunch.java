package org.toydiff;

import static org.toydiff.Launch.memory;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.IndexKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.ElementWork;

/// The part of [Launch] where elements are read from, and added at, the positions that an index gives. The positions
/// are already checked.
final class IndexLaunch {
    private IndexLaunch() {}

    /// `y = x[index]` along an axis; y has the index's shape.
    static void gather(Tensor x, int along, Tensor index, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() > 0 && !Launch.skips(y, scope)) {
            Kernel.Binary kernel =
                    IndexKernels.gather(x.dtype.kind.element, index.dtype.kind.element, x.strides[along]);
            long[] xs = stoppedAlong(x, along);
            scope.elements.run(
                    kernel,
                    memory(x),
                    x.offset,
                    xs,
                    memory(index),
                    index.offset,
                    index.strides,
                    memory(y),
                    y.offset,
                    y.strides,
                    y.shape);
            if (scope.recorder != null) {
                scope.recorder.binary(kernel, x, xs, index, index.strides, y);
            }
        }
    }

    /// `y[index] += x` along an axis, in the order of x; x has the index's shape.
    static void scatterAdd(Tensor x, int along, Tensor index, Tensor y) {
        Scope scope = Scope.current();
        if (x.size() > 0 && !Launch.skips(y, scope)) {
            Kernel.Binary kernel =
                    IndexKernels.scatterAdd(x.dtype.kind.element, index.dtype.kind.element, y.strides[along]);
            long[] ys = stoppedAlong(y, along);
            inOrder(kernel, x, index, y, ys);
            if (scope.recorder != null) {
                scope.recorder.keep("scatterAdd", x, index, y, (from, at, to) -> inOrder(kernel, from, at, to, ys));
            }
        }
    }

    private static void inOrder(Kernel.Binary kernel, Tensor x, Tensor index, Tensor y, long[] ys) {
        Scope.current()
                .elements
                .runInOrder(
                        kernel,
                        memory(x),
                        x.offset,
                        x.strides,
                        memory(index),
                        index.offset,
                        index.strides,
                        memory(y),
                        y.offset,
                        ys,
                        x.shape);
    }

    /// The strides of a tensor, 0 along an axis whose positions an index gives.
    private static long[] stoppedAlong(Tensor t, int along) {
        long[] strides = t.strides.clone();
        strides[along] = 0;
        return strides;
    }

    /// `y` = the entries of x along an axis at the positions in a vector.
    static void indexSelect(Tensor x, int along, Tensor index, Tensor y) {
        if (y.size() > 0 && !Launch.skips(y)) {
            long[] entry = entry(x, along);
            select(x, along, index, y, entry);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                recorder.keep("indexSelect", x, index, y, (from, at, to) -> select(from, along, at, to, entry));
            }
        }
    }

    private static void select(Tensor x, int along, Tensor index, Tensor y, long[] entry) {
        ElementWork work = Scope.current().elements;
        Kernel.Unary copy = Families.copy(x.dtype);
        for (long i = 0; i < index.size(); i++) {
            long from = x.offset + position(index, i) * x.strides[along];
            work.run(copy, memory(x), from, x.strides, memory(y), y.offset + i * y.strides[along], y.strides, entry);
        }
    }

    /// Adds the entries of x along an axis to those of y at the positions in a vector, in their order.
    static void indexAdd(Tensor x, int along, Tensor index, Tensor y) {
        if (x.size() > 0 && !Launch.skips(y)) {
            long[] entry = entry(x, along);
            add(x, along, index, y, entry);
            Recorder recorder = Recorder.current();
            if (recorder != null) {
                recorder.keep("indexAdd", x, index, y, (from, at, to) -> add(from, along, at, to, entry));
            }
        }
    }

    private static void add(Tensor x, int along, Tensor index, Tensor y, long[] entry) {
        ElementWork work = Scope.current().elements;
        Kernel.Binary add = y.dtype.kind.of(BinaryKernel.ADD);
        for (long i = 0; i < index.size(); i++) {
            long into = y.offset + position(index, i) * y.strides[along];
            long from = x.offset + i * x.strides[along];
            work.run(add, memory(y), into, y.strides, memory(x), from, x.strides, memory(y), into, y.strides, entry);
        }
    }

    /// Returns the shape of an entry along an axis, which stays with size 1.
    private static long[] entry(Tensor x, int along) {
        long[] shape = x.shape.clone();
        shape[along] = 1;
        return shape;
    }

    private static long position(Tensor index, long i) {
        return index.dtype.getLong(memory(index), index.offset + i * index.strides[0]);
    }
}
