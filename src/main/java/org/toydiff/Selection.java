package org.toydiff;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.launch.Shape;

/// Ops that choose between elements.
final class Selection {
    private Selection() {}

    static Tensor where(Tensor condition, Tensor a, Tensor b) {
        condition.requireReadable("where");
        a.requireReadable("where");
        b.requireReadable("where");
        a.requireSameDType("where", b);
        if (condition.dtype != DType.BOOL) {
            throw new IllegalArgumentException("where: the condition " + Shape.text(condition.shape) + " is "
                    + condition.dtype + "; compare it, or cast it to BOOL");
        }
        long[] shape = Shape.broadcast("where", condition.shape, Shape.broadcast("where", a.shape, b.shape));
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("where", a.dtype, shape, recorded);
        Launch.unary(Families.copy(y.dtype), b, y);
        Launch.binary(Families.put(y.dtype), a, condition, y);
        return recorded ? y.record("where", null, WHERE, condition, a, b) : y;
    }

    private static final Rule[] WHERE = {null, new Branch(true), new Branch(false)};

    /// The gradient where a branch was taken.
    private record Branch(boolean first) implements Rule {
        @Override
        public int reads(int own) {
            return 1;
        }

        @Override
        public Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            Tensor zero = Tensor.full(g.dtype, 0);
            return first ? where(inputs[0], g, zero) : where(inputs[0], zero, g);
        }
    }

    static Tensor clamp(Tensor x, double min, double max) {
        x.requireFloating("clamp");
        if (!(min <= max)) {
            throw new IllegalArgumentException("clamp: " + min + " to " + max + " is no range; give min ≤ max");
        }
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("clamp", x.dtype, x.shape, recorded);
        Launch.binary(BinaryKernel.MAXIMUM.of(x.isWide()), x, Tensor.full(x.dtype, min), y);
        Launch.binary(BinaryKernel.MINIMUM.of(x.isWide()), y, Tensor.full(x.dtype, max), y);
        Rule rule = Rule.readsInput((g, in) -> {
            Tensor above = where(in.greaterOrEqual(Tensor.full(in.dtype, min)), g, g.zero());
            return where(in.lessOrEqual(Tensor.full(in.dtype, max)), above, g.zero());
        });
        return recorded ? y.record("clamp", null, new Rule[] {rule}, x) : y;
    }

    /// The candidates are in an array on the heap.
    private static final int MOST_CANDIDATES = Integer.MAX_VALUE - 8;

    static TopK topk(Tensor x, long k, int axis) {
        x.requireFloating("topk");
        int at = Shape.axis("topk", axis, x.rank());
        if (k < 0 || k > x.shape[at]) {
            throw new IllegalArgumentException("topk: there are no " + k + " along axis " + axis + " of "
                    + Shape.text(x.shape) + "; give 0 to " + x.shape[at]);
        }
        if (k > MOST_CANDIDATES) {
            throw new IllegalArgumentException(
                    "topk: " + k + " are more than can be looked for at once; give at most " + MOST_CANDIDATES);
        }
        long[] shape = x.shape.clone();
        shape[at] = k;
        Tensor indices = Tensor.make("topk", DType.INT64, shape, false);
        if (!x.storage.shapeOnly() && indices.size() > 0) {
            new Largest(x, at, (int) k).write(indices);
        }
        return new TopK(x.gather(at, indices), indices);
    }

    /// The positions of the k largest elements of each run along an axis: a heap of k candidates, the least on top.
    private static final class Largest {
        private final Tensor x;
        private final int axis;
        private final long[] heap;
        private long at;

        Largest(Tensor x, int axis, int k) {
            this.x = x;
            this.axis = axis;
            this.heap = new long[k];
        }

        void write(Tensor indices) {
            write(indices, 0, x.offset, indices.offset);
        }

        private void write(Tensor indices, int first, long x0, long y0) {
            int level = Shape.pastOnes(x.shape, first);
            if (level == x.rank()) {
                at = x0;
                select();
                for (int i = 0; i < heap.length; i++) {
                    indices.dtype.setLong(indices.storage.segment(), y0 + i * indices.strides[axis], heap[i]);
                }
                return;
            }
            long n = level == axis ? 1 : x.shape[level];
            for (long i = 0; i < n; i++) {
                write(indices, level + 1, x0 + i * x.strides[level], y0 + i * indices.strides[level]);
            }
        }

        private void select() {
            int k = heap.length;
            for (int i = 0; i < k; i++) {
                heap[i] = i;
            }
            for (int i = k / 2 - 1; i >= 0; i--) {
                sink(i, k);
            }
            for (long i = k; i < x.shape[axis]; i++) {
                if (before(i, heap[0])) {
                    heap[0] = i;
                    sink(0, k);
                }
            }
            // Taking the least away again and again leaves them in descending order.
            for (int size = k - 1; size > 0; size--) {
                long least = heap[0];
                heap[0] = heap[size];
                heap[size] = least;
                sink(0, size);
            }
        }

        private void sink(int from, int size) {
            int parent = from;
            for (int child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
                if (child + 1 < size && before(heap[child], heap[child + 1])) {
                    child++;
                }
                if (!before(heap[parent], heap[child])) {
                    return;
                }
                long moved = heap[parent];
                heap[parent] = heap[child];
                heap[child] = moved;
                parent = child;
            }
        }

        /// Whether position i comes before j: the larger element, NaN being largest, and the first of equal ones.
        private boolean before(long i, long j) {
            double a = element(i);
            double b = element(j);
            if (a == b || (Double.isNaN(a) && Double.isNaN(b))) {
                return i < j;
            }
            return Double.isNaN(a) || a > b;
        }

        private double element(long i) {
            return x.dtype.get(x.storage.segment(), at + i * x.strides[axis]);
        }
    }
}
