package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.toydiff.internal.linalg.ContractionOrder;
import org.toydiff.internal.linalg.EinsumEquation;

/// The steps of [Tensor#einsum]: views, sums, and products of two operands, each of which has its own gradient.
final class EinsumOps {
    private EinsumOps() {}

    /// A tensor, and the index of each of its axes, all of them different.
    private record Term(Tensor tensor, int[] indices) {
        long mask() {
            return EinsumEquation.mask(indices);
        }

        int axis(int index) {
            int axis = 0;
            while (indices[axis] != index) {
                axis++;
            }
            return axis;
        }

        boolean has(int index) {
            return (mask() >> index & 1) != 0;
        }

        /// Its indices among some, in the order in which they lie in memory, so that axes can be seen as one.
        int[] inMemoryOrder(long mask) {
            return IntStream.of(indices)
                    .filter(index -> (mask >> index & 1) != 0)
                    .boxed()
                    .sorted(Comparator.comparingLong(index -> -tensor.strides[axis(index)]))
                    .mapToInt(Integer::intValue)
                    .toArray();
        }

        /// With its axes in the order of some indices, which are all of its own.
        Term ordered(int... order) {
            if (Arrays.equals(order, indices)) {
                return this;
            }
            return new Term(tensor.transpose(IntStream.of(order).map(this::axis).toArray()), order);
        }

        /// Without the indices outside of a set: their sum.
        Term summedTo(long kept) {
            IntPredicate stays = index -> (kept >> index & 1) != 0;
            int[] rest = IntStream.of(indices).filter(stays).toArray();
            if (rest.length == indices.length) {
                return this;
            }
            int[] axes =
                    IntStream.of(indices).filter(stays.negate()).map(this::axis).toArray();
            return new Term(tensor.sum(axes), rest);
        }
    }

    static Tensor einsum(String equation, Tensor... operands) {
        if (operands.length == 0) {
            throw new IllegalArgumentException("einsum: '" + equation + "' has no tensors; give one for each term");
        }
        long[][] shapes = new long[operands.length][];
        for (int i = 0; i < operands.length; i++) {
            operands[i].requireFloating("einsum");
            operands[0].requireCommonDType("einsum", operands[i]);
            shapes[i] = operands[i].shape;
        }
        var parsed = EinsumEquation.of(equation, shapes);
        List<Term> terms = new ArrayList<>();
        List<Long> masks = new ArrayList<>();
        for (int i = 0; i < operands.length; i++) {
            terms.add(term(operands[i], parsed.indices(i), parsed.sizes()));
            masks.add(terms.getLast().mask());
        }
        long output = EinsumEquation.mask(parsed.output());
        for (ContractionOrder.Pair pair : ContractionOrder.of(masks, output, parsed.sizes())) {
            long needed = ContractionOrder.needed(masks, output, pair.first(), pair.second());
            Term second = terms.remove(pair.second());
            Term first = terms.remove(pair.first());
            masks.remove(pair.second());
            masks.remove(pair.first());
            terms.add(contract(first, second, needed));
            masks.add(terms.getLast().mask());
        }
        return terms.getFirst().summedTo(output).ordered(parsed.output()).tensor;
    }

    /// The operand without repeated indices, of which it takes the diagonal, and without axes of size 1 that broadcast.
    private static Term term(Tensor operand, int[] indices, long[] sizes) {
        Tensor tensor = operand;
        List<Integer> left = new ArrayList<>(IntStream.of(indices).boxed().toList());
        for (int axis = 0; axis < left.size(); axis++) {
            int again = left.subList(axis + 1, left.size()).indexOf(left.get(axis));
            if (again >= 0) {
                tensor = Families.diagonal(tensor, axis, axis + 1 + again);
                left.remove(axis + 1 + again);
                left.add(left.remove(axis));
                axis--;
            }
        }
        for (int axis = left.size() - 1; axis >= 0; axis--) {
            if (tensor.shape[axis] == 1 && sizes[left.get(axis)] != 1) {
                tensor = tensor.squeeze(axis);
                left.remove(axis);
            }
        }
        return new Term(tensor, left.stream().mapToInt(Integer::intValue).toArray());
    }

    /// The product of two operands, summed over the indices that nobody needs afterwards.
    private static Term contract(Term first, Term second, long needed) {
        Term a = first.summedTo(needed | second.mask());
        Term b = second.summedTo(needed | first.mask());
        long shared = a.mask() & b.mask();
        int[] batch = a.inMemoryOrder(shared & needed);
        int[] rows = a.inMemoryOrder(~shared);
        int[] columns = b.inMemoryOrder(~shared);
        int[] inner = (a.tensor.size() < b.tensor.size() ? b : a).inMemoryOrder(shared & ~needed);
        int[] result = joined(batch, rows, columns);
        if (inner.length == 0) {
            return new Term(aligned(a, result).multiply(aligned(b, result)), result);
        }
        Tensor left = matrices(a.ordered(joined(batch, rows, inner)).tensor, batch.length, rows.length);
        Tensor right = matrices(b.ordered(joined(batch, inner, columns)).tensor, batch.length, inner.length);
        Tensor product = left.matmul(right);
        long[] shape = new long[result.length];
        for (int i = 0; i < shape.length; i++) {
            Term from = a.has(result[i]) ? a : b;
            shape[i] = from.tensor.shape[from.axis(result[i])];
        }
        return new Term(Arrays.equals(shape, product.shape) ? product : product.reshape(shape), result);
    }

    /// A view with the axes of some indices, of size 1 where the term lacks one.
    private static Tensor aligned(Term term, int[] indices) {
        Term sorted = term.ordered(IntStream.of(indices).filter(term::has).toArray());
        Tensor aligned = sorted.tensor;
        for (int axis = 0; axis < indices.length; axis++) {
            if (!term.has(indices[axis])) {
                aligned = aligned.unsqueeze(axis);
            }
        }
        return aligned;
    }

    /// The axes after the batch as two: some as one of rows, the others as one of columns. A view where they lie one
    /// inside the other in memory.
    private static Tensor matrices(Tensor x, int batch, int rows) {
        long[] shape = Arrays.copyOf(x.shape, batch + 2);
        shape[batch] = 1;
        shape[batch + 1] = 1;
        for (int axis = batch; axis < x.rank(); axis++) {
            shape[axis < batch + rows ? batch : batch + 1] *= x.shape[axis];
        }
        return Arrays.equals(shape, x.shape) ? x : x.reshape(shape);
    }

    private static int[] joined(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }
}
