package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.nn.Flatten;

/// Calls of what moves elements: views, and tensors put together or picked out.
final class ViewCalls {
    private ViewCalls() {}

    static List<Row> rows() {
        return List.of(
                Row.of("reshape", ViewCalls::reshape),
                Row.of("squeeze", ViewCalls::squeeze),
                Row.of("unsqueeze", ViewCalls::unsqueeze),
                Row.of("transpose", ViewCalls::transpose),
                new Row("slice", 8, ViewCalls::slice),
                new Row("get", 6, ViewCalls::get),
                Row.of("broadcastTo", ViewCalls::broadcastTo),
                Row.of("Flatten", ViewCalls::flatten),
                Row.of("detach", ViewCalls::detach),
                Row.of("concat", ViewCalls::join),
                Row.of("stack", ViewCalls::join),
                Row.of("gather", ViewCalls::gather),
                Row.of("indexSelect", ViewCalls::indexSelect));
    }

    private static void reshape(Machine m, Choice c) {
        Held x = m.any(c);
        long[] shape = c.oneIn(20) ? c.shape() : c.reshaped(x.shape());
        long[] given = shape.clone();
        if (given.length > 0 && x.size() > 0 && c.oneIn(3)) {
            given[c.below(given.length)] = -1;
        }
        new Attempt(m, c, x + ".reshape(" + GraphMaker.list(given) + ")")
                .reads(x)
                .expects(() -> Reference.reshape(x.known, worked(given, x.size())))
                .views(x, known -> Reference.reshape(known, worked(given, x.size())), () -> x.tensor.reshape(given));
    }

    /// The shape with its −1 worked out.
    private static long[] worked(long[] shape, long size) {
        long[] worked = shape.clone();
        for (int i = 0; i < worked.length; i++) {
            if (worked[i] == -1) {
                long rest = Math.abs(Dense.size(shape));
                Dense.require(rest > 0 && size % rest == 0);
                worked[i] = size / rest;
            }
        }
        return worked;
    }

    private static void squeeze(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.below(2 * x.rank() + 3) - x.rank() - 1;
        new Attempt(m, c, x + ".squeeze(" + axis + ")")
                .reads(x)
                .expects(() -> Reference.reshape(x.known, squeezed(x.shape(), axis)))
                .views(x, known -> Reference.reshape(known, squeezed(x.shape(), axis)), () -> x.tensor.squeeze(axis));
    }

    private static long[] squeezed(long[] shape, int axis) {
        int at = axis < 0 ? axis + shape.length : axis;
        Dense.require(at >= 0 && at < shape.length);
        if (shape[at] != 1) {
            return shape;
        }
        return LongStream.concat(Arrays.stream(shape, 0, at), Arrays.stream(shape, at + 1, shape.length))
                .toArray();
    }

    private static void unsqueeze(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.below(2 * x.rank() + 5) - x.rank() - 2;
        new Attempt(m, c, x + ".unsqueeze(" + axis + ")")
                .reads(x)
                .expects(() -> Reference.reshape(x.known, unsqueezed(x.shape(), axis)))
                .views(
                        x,
                        known -> Reference.reshape(known, unsqueezed(x.shape(), axis)),
                        () -> x.tensor.unsqueeze(axis));
    }

    private static long[] unsqueezed(long[] shape, int axis) {
        int at = axis < 0 ? axis + shape.length + 1 : axis;
        Dense.require(at >= 0 && at <= shape.length);
        return LongStream.concat(
                        LongStream.concat(Arrays.stream(shape, 0, at), LongStream.of(1)),
                        Arrays.stream(shape, at, shape.length))
                .toArray();
    }

    private static void flatten(Machine m, Choice c) {
        Held x = m.any(c);
        long[] shape = Arrays.copyOf(x.shape(), Math.min(2, x.rank()));
        if (shape.length == 2) {
            shape[1] = Dense.size(Arrays.copyOfRange(x.shape(), 1, x.rank()));
        }
        new Attempt(m, c, "new Flatten().forward(" + x + ")")
                .reads(x)
                .expects(() -> {
                    Dense.require(x.rank() >= 2);
                    return Reference.reshape(x.known, shape);
                })
                .views(x, known -> Reference.reshape(known, shape), () -> new Flatten().forward(x.tensor));
    }

    private static void transpose(Machine m, Choice c) {
        Held x = m.any(c);
        if (c.oneIn(3)) {
            int[] axes = new int[x.rank()];
            Arrays.setAll(axes, i -> axes.length - 1 - i);
            new Attempt(m, c, x + ".transpose()")
                    .reads(x)
                    .views(x, known -> Reference.transpose(known, axes), () -> x.tensor.transpose());
            return;
        }
        int[] axes = c.oneIn(20) ? c.permutation(c.below(5)) : c.permutation(x.rank());
        for (int i = 0; i < axes.length; i++) {
            axes[i] -= c.oneIn(4) ? axes.length : 0;
        }
        if (axes.length > 0) {
            transpose(m, c, x, axes);
        }
    }

    static Held transpose(Machine m, Choice c, Held x, int... axes) {
        return axes.length == 0
                ? x
                : new Attempt(m, c, x + ".transpose(" + GraphMaker.list(axes) + ")")
                        .reads(x)
                        .views(x, known -> Reference.transpose(known, axes), () -> x.tensor.transpose(axes));
    }

    private static void slice(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean inside = axis >= -x.rank() && axis < x.rank();
        int n = inside ? (int) x.shape()[axis < 0 ? axis + x.rank() : axis] : 3;
        int from = c.below(n + 1);
        int to = from + c.below(n + 1 - from) + (c.oneIn(20) ? 1 : 0);
        slice(m, c, x, axis, from < n && c.oneIn(4) ? from - n : from, to < n && c.oneIn(4) ? to - n : to);
    }

    static Held slice(Machine m, Choice c, Held x, int axis, long from, long to) {
        return new Attempt(m, c, x + ".slice(" + axis + ", " + from + ", " + to + ")")
                .reads(x)
                .views(x, known -> Reference.slice(known, axis, from, to), () -> x.tensor.slice(axis, from, to));
    }

    private static void get(Machine m, Choice c) {
        Held x = m.any(c);
        int n = x.rank() == 0 ? 2 : (int) x.shape()[0];
        get(m, c, x, n == 0 || c.oneIn(20) ? c.below(4) : c.below(2 * n) - n);
    }

    static Held get(Machine m, Choice c, Held x, long index) {
        return new Attempt(m, c, x + ".get(" + index + ")")
                .reads(x)
                .views(x, known -> Reference.get(known, index), () -> x.tensor.get(index));
    }

    private static void broadcastTo(Machine m, Choice c) {
        Held x = m.any(c);
        int more = x.rank() < 5 ? c.below(2) : 0;
        long[] shape = new long[x.rank() + more];
        for (int i = 0; i < shape.length; i++) {
            long size = i < more ? 1 : x.shape()[i - more];
            shape[i] = size == 1 ? c.below(4) : c.oneIn(40) ? size + 1 : size;
        }
        if (Dense.size(shape) <= Machine.MAX_ELEMENTS) {
            broadcastTo(m, c, x, shape);
        }
    }

    static Held broadcastTo(Machine m, Choice c, Held x, long... shape) {
        return new Attempt(m, c, x + ".broadcastTo(" + GraphMaker.list(shape) + ")")
                .reads(x)
                .views(x, known -> Reference.broadcastTo(known, shape), () -> x.tensor.broadcastTo(shape));
    }

    private static void detach(Machine m, Choice c) {
        Held x = m.any(c);
        if (x != null) {
            Held view = new Attempt(m, c, x + ".detach()").reads(x).views(x, known -> known, x.tensor::detach);
            if (view != null && view.tensor.tracksGradient()) {
                throw new Finding("a detached tensor tracks its gradient");
            }
        }
    }

    /// concat along an axis, or stack.
    private static void join(Machine m, Choice c) {
        Held first = m.any(c);
        if (first.size() > 500) {
            return;
        }
        boolean stacked = c.coin();
        int axis = c.axis(first.rank() + (stacked ? 1 : 0));
        Held[] parts = new Held[1 + c.below(3)];
        parts[0] = first;
        for (int i = 1; i < parts.length; i++) {
            long[] shape = first.shape().clone();
            if (!stacked && axis >= 0 && axis < shape.length) {
                shape[axis] = c.below(4);
            }
            parts[i] = c.oneIn(4) ? first : c.oneIn(20) ? m.any(c) : m.fresh(c, first.dtype(), shape);
        }
        Tensor[] tensors = Arrays.stream(parts).map(part -> part.tensor).toArray(Tensor[]::new);
        String list = Arrays.toString(parts);
        String op = stacked ? "stack" : "concat";
        new Attempt(m, c, "Tensor." + op + "(" + axis + ", " + list.substring(1, list.length() - 1) + ")")
                .reads(parts)
                .expects(() -> {
                    Dense[] known = Arrays.stream(parts).map(part -> part.known).toArray(Dense[]::new);
                    Dense.require(Arrays.stream(parts).allMatch(part -> part.dtype() == first.dtype()));
                    return stacked ? Reference.stack(axis, known) : Reference.concat(axis, known);
                })
                .gives(() -> stacked ? Tensor.stack(axis, tensors) : Tensor.concat(axis, tensors));
    }

    /// Positions up to `n`, now and then one beyond them.
    private static Held positions(Machine m, Choice c, long n, long... shape) {
        double[] positions = new double[(int) Dense.size(shape)];
        boolean beyond = n == 0 || c.oneIn(20);
        Arrays.setAll(positions, i -> c.below((int) n + (beyond ? 1 : 0)));
        return m.of(c, c.of(c.oneIn(20) ? DType.FLOAT32 : DType.INT32, DType.INT64), positions, shape);
    }

    private static void requireIndex(Held index) {
        Dense.require(index.dtype() == DType.INT32 || index.dtype() == DType.INT64);
    }

    private static void gather(Machine m, Choice c) {
        Held x = m.any(c);
        if (x.rank() == 0) {
            return;
        }
        int axis = c.axisWithin(x.rank());
        long[] shape = x.shape().clone();
        for (int i = 0; i < shape.length; i++) {
            shape[i] = i == axis || c.oneIn(20) ? c.below(4) : c.below((int) shape[i] + 1);
        }
        Held index = positions(m, c, x.shape()[axis], shape);
        new Attempt(m, c, x + ".gather(" + axis + ", " + index + ")")
                .reads(x, index)
                .expects(() -> {
                    requireIndex(index);
                    return Reference.gather(x.known, axis, index.known);
                })
                .gives(() -> x.tensor.gather(axis, index.tensor));
    }

    private static void indexSelect(Machine m, Choice c) {
        Held x = m.any(c);
        if (x.rank() == 0) {
            return;
        }
        int axis = c.axisWithin(x.rank());
        Held index = positions(m, c, x.shape()[axis], c.below(4));
        new Attempt(m, c, x + ".indexSelect(" + axis + ", " + index + ")")
                .reads(x, index)
                .expects(() -> {
                    requireIndex(index);
                    return Reference.indexSelect(x.known, axis, index.known);
                })
                .gives(() -> x.tensor.indexSelect(axis, index.tensor));
    }
}
