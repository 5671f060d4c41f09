package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of recurrent layers, with shapes that fit or do not. Their elements are not followed here.
final class RecurrenceCalls {
    private RecurrenceCalls() {}

    static List<Row> rows() {
        return List.of(
                new Row("rnn", 3, (m, c) -> call(m, c, "rnn", 1)),
                new Row("lstm", 3, (m, c) -> call(m, c, "lstm", 4)),
                new Row("gru", 3, (m, c) -> call(m, c, "gru", 3)));
    }

    private static void call(Machine m, Choice c, String op, int gates) {
        DType dtype = c.floating();
        Held x = m.fresh(c, dtype, c.shape(c.oneIn(15) ? 2 : 3));
        if (x.rank() < 2 || x.size() > 300) {
            return;
        }
        long steps = x.shape()[0];
        long batch = x.shape()[1];
        long in = x.shape()[x.rank() - 1];
        long units = c.below(5);
        boolean biased = c.coin();
        boolean projected = gates == 4 && c.coin();
        long width = projected ? c.below(4) : units;
        List<Held> operands = new ArrayList<>(List.of(
                x,
                m.fresh(c, dtype, gates * units, c.oneIn(15) ? c.size() : in),
                m.fresh(c, dtype, gates * units, width),
                m.fresh(c, dtype, batch, width)));
        if (gates == 4) {
            operands.add(m.fresh(c, dtype, batch, c.oneIn(15) ? c.size() : units));
        }
        if (biased) {
            operands.add(m.fresh(c, dtype, gates * units));
            operands.add(m.fresh(c, dtype, c.oneIn(15) ? c.size() : gates * units));
        }
        if (projected) {
            operands.add(m.fresh(c, dtype, width, c.oneIn(15) ? c.size() : units));
        }
        Held lengths = c.coin() ? null : lengths(m, c, steps, batch);
        boolean reverse = c.coin();
        Attempt attempt = new Attempt(m, c, "recurrent " + op + operands + ", " + lengths + ", " + reverse)
                .reads(operands.toArray(Held[]::new));
        if (lengths != null) {
            attempt.reads(lengths);
        }
        attempt.expects(() -> {
                    requireFits(dtype, gates, units, width, biased, operands);
                    requireLengths(lengths, steps);
                    return null;
                })
                .gives(() -> y(op, operands, biased, projected, lengths == null ? null : lengths.tensor, reverse));
    }

    private static Held lengths(Machine m, Choice c, long steps, long batch) {
        double[] lengths = new double[(int) batch];
        boolean beyond = c.oneIn(15);
        Arrays.setAll(lengths, i -> steps == 0 ? 0 : (beyond ? 0 : 1) + c.below((int) steps));
        return m.of(c, c.of(DType.INT32, DType.INT64), lengths, batch);
    }

    private static void requireLengths(Held lengths, long steps) {
        if (lengths != null) {
            for (double length : lengths.known.values()) {
                Dense.require(length >= 1 && length <= steps);
            }
        }
    }

    private static void requireFits(
            DType dtype, int gates, long units, long width, boolean biased, List<Held> operands) {
        Held x = operands.getFirst();
        Dense.require(dtype != DType.BFLOAT16 && x.rank() == 3 && x.shape()[0] > 0);
        long[] shape = x.shape();
        List<long[]> expected = new ArrayList<>(
                List.of(shape, new long[] {gates * units, shape[2]}, new long[] {gates * units, width}, new long[] {
                    shape[1], width
                }));
        if (gates == 4) {
            expected.add(new long[] {shape[1], units});
        }
        for (int i = 0; biased && i < 2; i++) {
            expected.add(new long[] {gates * units});
        }
        if (expected.size() < operands.size()) {
            Dense.require(width > 0 && units > 0);
            expected.add(new long[] {width, units});
        }
        for (int i = 1; i < operands.size(); i++) {
            Dense.require(Arrays.equals(expected.get(i), operands.get(i).shape()));
        }
    }

    private static Tensor y(
            String op, List<Held> operands, boolean biased, boolean projected, Tensor lengths, boolean reverse) {
        List<Tensor> in =
                new ArrayList<>(operands.stream().map(held -> held.tensor).toList());
        Tensor x = in.get(0);
        Tensor weightHr = projected ? in.removeLast() : null;
        Tensor biasIh = biased ? in.get(in.size() - 2) : null;
        Tensor biasHh = biased ? in.getLast() : null;
        List<Tensor> results =
                switch (op) {
                    case "lstm" ->
                        x.lstm(in.get(3), in.get(4), in.get(1), in.get(2), biasIh, biasHh, weightHr, lengths, reverse);
                    case "gru" -> x.gru(in.get(3), in.get(1), in.get(2), biasIh, biasHh, lengths, reverse);
                    default ->
                        x.rnn(in.get(3), in.get(1), in.get(2), biasIh, biasHh, lengths, reverse, Activation.TANH);
                };
        return results.getFirst();
    }
}
