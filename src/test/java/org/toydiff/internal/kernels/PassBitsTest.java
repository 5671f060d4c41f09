package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.toydiff.internal.arithmetic.Interpreter;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.kernels.PassDescription.Fold;
import org.toydiff.internal.kernels.PassDescription.Output;

/// Passes, scalar and over vectors of each width that the machine has, against their expressions interpreted and
/// folded in the documented order: the same bits at every length.
class PassBitsTest {
    private static final int COUNT = 1100;
    private static final double[] PARAMETERS = {0.3, 0, -1.75};

    private static List<PassDescription> passes(Precision p) {
        Precision wide = Precision.FLOAT64;
        Real x = p.input(0);
        Real deviation = wide.input(0).subtract(wide.parameter(2));
        Real moment = x.multiply(p.parameter(0)).add(p.input(2).multiply(p.parameter(2)));
        return List.of(
                PassDescription.map("scale", p, new Output(1, x.multiply(p.parameter(0)))),
                PassDescription.map(
                        "two", p, new Output(2, moment), new Output(0, x.subtract(moment.divide(p.input(3))))),
                PassDescription.map("wider", p, new Output(1, deviation.multiply(wide.parameter(0)))),
                PassDescription.fold("sum", p, Fold.SUM, wide.input(0)),
                PassDescription.fold("squares", p, Fold.SUM, deviation.multiply(deviation)),
                PassDescription.sums("moments", p, deviation, deviation.multiply(deviation), wide.input(1)),
                PassDescription.fold("dot", p, Fold.SUM, wide.input(0).multiply(wide.input(1))),
                PassDescription.fold("max", p, Fold.MAX, x),
                PassDescription.fold("min", p, Fold.MIN, x),
                PassDescription.fold(
                        "sumAndWrite",
                        p,
                        Fold.SUM,
                        x.multiply(x),
                        new Output(3, x.abs().sqrt())),
                PassDescription.fold(
                        "long",
                        p,
                        Fold.SUM,
                        x.multiply(x).add(x).divide(x.abs().add(p.constant(1))).subtract(x)));
    }

    static Stream<Arguments> passes() {
        return Stream.of(Precision.values())
                .flatMap(p -> passes(p).stream().map(pass -> Arguments.of(pass.name() + " of " + p, pass)));
    }

    private static Map<String, Kernel.Pass> kernels(PassDescription pass) {
        Map<String, Kernel.Pass> kernels = new LinkedHashMap<>();
        kernels.put("scalar", ScalarPass.of(pass));
        Stream.of(VectorShape.S_128_BIT, VectorShape.S_256_BIT, VectorShape.S_512_BIT)
                .filter(shape -> shape.vectorBitSize() <= FloatVector.SPECIES_PREFERRED.vectorBitSize())
                .forEach(shape -> kernels.put(shape + "", VectorPass.of(pass, shape, ScalarPass.of(pass))));
        return kernels;
    }

    /// Memory for operands a to d.
    private static final class Operands {
        private final boolean wide;
        private final MemorySegment[] memory = new MemorySegment[5];

        Operands(Arena arena, Precision storage) {
            wide = storage == Precision.FLOAT64;
            var random = new SplittableRandom(5);
            for (int k = 0; k < memory.length; k++) {
                memory[k] = arena.allocate(8L * COUNT, 64);
                for (int i = 0; i < COUNT; i++) {
                    set(k, i, random.nextDouble(-2, 2) * Math.pow(2, random.nextInt(-20, 20)));
                }
            }
        }

        void set(int k, long i, double value) {
            if (wide) {
                memory[k].setAtIndex(JAVA_DOUBLE, i, value);
            } else {
                memory[k].setAtIndex(JAVA_FLOAT, i, (float) value);
            }
        }

        double get(int k, long i) {
            return wide ? memory[k].getAtIndex(JAVA_DOUBLE, i) : memory[k].getAtIndex(JAVA_FLOAT, i);
        }
    }

    private static double evaluate(Real value, Operands x, long i) {
        Object[] inputs = new Object[5];
        Number[] parameters = new Number[PARAMETERS.length];
        boolean wide = value.precision() == Precision.FLOAT64;
        for (int k = 0; k < inputs.length; k++) {
            inputs[k] = number(wide, x.get(k, k + i));
        }
        for (int k = 0; k < parameters.length; k++) {
            parameters[k] = number(wide, PARAMETERS[k]);
        }
        return ((Number) Interpreter.evaluate(value, inputs, parameters)).doubleValue();
    }

    private static Number number(boolean wide, double value) {
        return wide ? (Number) value : (Number) (float) value;
    }

    /// {@return the fold that [Fold] documents}
    private static double fold(PassDescription pass, double[] values) {
        DoubleBinaryOperator two =
                switch (pass.fold()) {
                    case SUM -> pass.precision() == Precision.FLOAT64 ? Double::sum : (a, b) -> (float) a + (float) b;
                    case MAX -> Math::max;
                    case MIN -> Math::min;
                };
        int lanes = pass.virtualLanes();
        int whole = values.length / lanes * lanes;
        int quarter = pass.inQuarters() && values.length >= 16 * lanes ? whole / 4 / lanes * lanes : 0;
        double total = part(pass, values, 4 * quarter, whole, two);
        if (pass.inQuarters()) {
            double first = two.applyAsDouble(
                    part(pass, values, 0, quarter, two), part(pass, values, quarter, 2 * quarter, two));
            double second = two.applyAsDouble(
                    part(pass, values, 2 * quarter, 3 * quarter, two),
                    part(pass, values, 3 * quarter, 4 * quarter, two));
            total = two.applyAsDouble(total, two.applyAsDouble(first, second));
        }
        for (int i = whole; i < values.length; i++) {
            total = two.applyAsDouble(total, values[i]);
        }
        return total;
    }

    private static double part(PassDescription pass, double[] values, int from, int to, DoubleBinaryOperator two) {
        double[] lanes = new double[pass.virtualLanes()];
        Arrays.fill(lanes, pass.fold().identity);
        for (int i = from; i < to; i++) {
            int lane = (i - from) % lanes.length;
            lanes[lane] = two.applyAsDouble(lanes[lane], values[i]);
        }
        for (int half = lanes.length / 2; half > 0; half /= 2) {
            for (int k = 0; k < half; k++) {
                lanes[k] = two.applyAsDouble(lanes[k], lanes[k + half]);
            }
        }
        return lanes[0];
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("passes")
    void everyPassGivesTheInterpretersBits(String name, PassDescription pass) {
        int[] lengths = IntStream.concat(IntStream.rangeClosed(0, 70), IntStream.of(255, 256, 300, 1021))
                .toArray();
        try (var arena = Arena.ofShared()) {
            kernels(pass).forEach((kind, kernel) -> {
                for (int n : lengths) {
                    check(arena, pass, kind, kernel, n);
                }
            });
        }
    }

    private static List<PassDescription> passesOverRows(Precision p) {
        Real x = p.input(0);
        Real factor = p.parameter(0).add(p.parameter(1));
        return List.of(
                PassDescription.map("two", p, new Output(0, x.add(factor)), new Output(1, x.multiply(p.input(1)))),
                PassDescription.fold("max", p, Fold.MAX, x),
                PassDescription.fold(
                        "dot", p, Fold.SUM, Precision.FLOAT64.input(0).multiply(Precision.FLOAT64.input(1))),
                PassDescription.fold("write", p, Fold.SUM, x.subtract(factor), new Output(2, x.multiply(factor))));
    }

    static Stream<Arguments> passesOverRows() {
        return Stream.of(Precision.values())
                .flatMap(p -> passesOverRows(p).stream().map(pass -> Arguments.of(pass.name() + " of " + p, pass)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("passesOverRows")
    void rowsHaveTheBitsOfOneAfterAnother(String name, PassDescription pass) {
        int rows = 5;
        try (var arena = Arena.ofShared()) {
            kernels(pass).forEach((kind, kernel) -> {
                for (int n : new int[] {1, 8, 16, 17, 32, 64, 128, 200}) {
                    var expected = new Operands(arena, pass.storage());
                    var actual = new Operands(arena, pass.storage());
                    List<Double> totals = oneAfterAnother(pass, expected.memory, rows, n);
                    assertEquals(totals, rows(pass, actual.memory, arena, rows, n, kernel), kind + " folds " + n);
                    for (int k = 0; k < expected.memory.length; k++) {
                        assertEquals(-1, expected.memory[k].mismatch(actual.memory[k]), kind + " writes " + n);
                    }
                }
            });
        }
    }

    /// {@return the totals of rows that are further apart than they are long} Their parameters are 0.1, 0.2 … and 0.6,
    /// 0.7 …
    private static List<Double> oneAfterAnother(PassDescription pass, MemorySegment[] x, int rows, int n) {
        List<Double> totals = new ArrayList<>();
        for (int i = 0; i < rows; i++) {
            double[] parameters = {0.1 * (i + 1), 0.1 * (i + 1 + rows)};
            long at = i * (n + 3L);
            totals.add(ScalarPass.of(pass)
                    .run(x[0], at, x[1], 1 + (long) i * n, x[2], 2 + at, null, 0, null, 0, n, parameters, null));
        }
        return totals;
    }

    /// Does the same with one call, whose totals replace the first parameters.
    private static List<Double> rows(
            PassDescription pass, MemorySegment[] x, Arena arena, int rows, int n, Kernel.Pass kernel) {
        MemorySegment numbers = arena.allocate(JAVA_DOUBLE, 2L * rows + 1);
        for (int i = 1; i <= 2 * rows; i++) {
            numbers.setAtIndex(JAVA_DOUBLE, i, 0.1 * i);
        }
        kernel.rows(x[0], 0, x[1], 1, x[2], 2, n + 3, n, n + 3, rows, n, numbers, 1, 2, new double[2]);
        return IntStream.rangeClosed(1, rows)
                .mapToObj(i -> pass.fold() == null ? 0 : numbers.getAtIndex(JAVA_DOUBLE, i))
                .toList();
    }

    private static void check(Arena arena, PassDescription pass, String kind, Kernel.Pass kernel, int n) {
        var expected = new Operands(arena, pass.storage());
        var actual = new Operands(arena, pass.storage());
        List<double[]> written = new ArrayList<>();
        for (Output output : pass.outputs()) {
            written.add(IntStream.range(0, n)
                    .mapToDouble(i -> evaluate(output.value(), expected, i))
                    .toArray());
        }
        double[] totals = pass.folded().stream()
                .mapToDouble(value -> fold(
                        pass,
                        IntStream.range(0, n)
                                .mapToDouble(i -> evaluate(value, expected, i))
                                .toArray()))
                .toArray();
        for (int k = 0; k < written.size(); k++) {
            for (int i = 0; i < n; i++) {
                int operand = pass.outputs().get(k).operand();
                expected.set(operand, operand + i, written.get(k)[i]);
            }
        }
        MemorySegment[] x = actual.memory;
        double[] actualTotals = new double[totals.length];
        double result = kernel.run(
                x[0], 0, x[1], 1, x[2], 2, x[3], 3, x[4], 4, n, PARAMETERS, totals.length == 0 ? null : actualTotals);
        assertArrayEquals(bits(totals), bits(actualTotals), kind + " folds " + n);
        double first = totals.length == 0 ? 0 : totals[0];
        assertEquals(Double.doubleToLongBits(first), Double.doubleToLongBits(result), kind + " folds " + n);
        for (int k = 0; k < x.length; k++) {
            assertEquals(-1, expected.memory[k].mismatch(x[k]), kind + " writes " + n + " of operand " + k);
        }
    }

    private static long[] bits(double[] values) {
        return Arrays.stream(values).mapToLong(Double::doubleToLongBits).toArray();
    }
}
