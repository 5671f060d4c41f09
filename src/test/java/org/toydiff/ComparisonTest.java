package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.math.BigDecimal;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Comparisons with a number are exact, whether the dtype has the number or not: decimals are the oracle.
class ComparisonTest extends ArenaTest {
    private interface WithNumber {
        Tensor apply(Tensor x, double b);
    }

    private record Row(String name, WithNumber op, IntPredicate holds) {}

    private static final List<Row> ROWS = List.of(
            new Row("greater", Tensor::greater, sign -> sign > 0),
            new Row("greaterOrEqual", Tensor::greaterOrEqual, sign -> sign >= 0),
            new Row("less", Tensor::less, sign -> sign < 0),
            new Row("lessOrEqual", Tensor::lessOrEqual, sign -> sign <= 0),
            new Row("equalTo", Tensor::equalTo, sign -> sign == 0),
            new Row("notEqualTo", Tensor::notEqualTo, sign -> sign != 0));

    /// In place of the sign where there is none, for NaN: of the comparisons, only "not equal" holds.
    private static final int UNORDERED = Integer.MIN_VALUE;

    private static final long BEYOND_DOUBLE = (1L << 53) + 1;

    private static final double[] NUMBERS = {
        0.0,
        -0.0,
        1,
        -1,
        0.1,
        0.5,
        -0.5,
        1.5,
        2,
        1e-300,
        -1e-300,
        1e300,
        -1e300,
        (float) 0.1,
        Math.nextUp((double) Float.MAX_VALUE),
        -Float.MAX_VALUE,
        Float.MIN_VALUE / 2.0,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        Integer.MAX_VALUE + 0.5,
        Integer.MIN_VALUE - 0.5,
        0x1p31,
        -0x1p31 - 1,
        0x1p53,
        0x1p63,
        Math.nextDown(0x1p63),
        -0x1p63,
        Math.nextDown(-0x1p63),
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.NaN
    };

    /// Elements of each dtype, its extremes among them.
    private static Tensor elements(DType dtype) {
        float most = Float.MAX_VALUE;
        float infinity = Float.POSITIVE_INFINITY;
        return switch (dtype) {
            case FLOAT32 ->
                Tensor.of(0f, -0f, 1, -1, 0.1f, Math.nextDown(0.1f), most, -most, infinity, -infinity, Float.NaN, 0.5f);
            case FLOAT64 ->
                Tensor.of(new double[] {0.0, -0.0, 1, 0.1, (float) 0.1, 1e300, infinity, -infinity, Double.NaN});
            case BFLOAT16 ->
                Tensor.of(dtype, 0f, -0f, 1, -1, 0.1f, 0x1.fep127f, infinity, -infinity, Float.NaN, 0x1p-133f);
            case INT32 -> Tensor.of(new int[] {0, 1, -1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE});
            case INT64 ->
                Tensor.of(new long[] {
                    0, 1, -1, 2, Integer.MAX_VALUE, 1L << 53, BEYOND_DOUBLE, Long.MAX_VALUE, Long.MIN_VALUE
                });
            case BOOL -> Tensor.of(DType.BOOL, new int[] {0, 1}, 2);
        };
    }

    /// The sign of x − b, or [#UNORDERED] where one of them is NaN.
    private static int sign(DType dtype, Tensor x, int i, double b) {
        if (dtype.isFloating() || !Double.isFinite(b)) {
            double a = x.toDoubleArray()[i];
            return Double.isNaN(a) || Double.isNaN(b) ? UNORDERED : a == b ? 0 : a > b ? 1 : -1;
        }
        return BigDecimal.valueOf(x.toLongArray()[i]).compareTo(new BigDecimal(b));
    }

    @TestFactory
    Stream<DynamicTest> numbers() {
        return ROWS.stream().flatMap(row -> Stream.of(DType.values())
                .map(dtype -> dynamicTest(row.name + " " + dtype, () -> {
                    try (var step = TensorArena.ofConfined()) {
                        Tensor x = elements(dtype);
                        for (double b : NUMBERS) {
                            long[] expected = new long[(int) x.size()];
                            for (int i = 0; i < expected.length; i++) {
                                int sign = sign(dtype, x, i, b);
                                boolean holds =
                                        sign == UNORDERED ? row.name.equals("notEqualTo") : row.holds.test(sign);
                                expected[i] = holds ? 1 : 0;
                            }
                            Tensor y = row.op.apply(x, b);
                            assertEquals(DType.BOOL, y.dtype());
                            assertArrayEquals(expected, y.toLongArray(), row.name + " " + dtype + " " + b);
                            Tensor column =
                                    x.unsqueeze(1).broadcastTo(x.size(), 2).transpose();
                            assertArrayEquals(
                                    expected,
                                    row.op.apply(column, b).get(1).toLongArray(),
                                    row.name + " of a view " + dtype + " " + b);
                        }
                    }
                })));
    }

    @Test
    void nothingAndAScalarKeepTheirShapes() {
        assertArrayEquals(new long[] {2, 0}, Tensor.zeros(2, 0).greater(1).shape());
        assertArrayEquals(new long[0], Tensor.scalar(3).less(4).shape());
    }

    @Test
    void aFreedTensorIsNamed() {
        Tensor x;
        try (var step = TensorArena.ofConfined()) {
            x = Tensor.ones(2);
        }
        for (Row row : ROWS) {
            String message = assertThrows(IllegalStateException.class, () -> row.op.apply(x, 1))
                    .getMessage();
            assertEquals(row.name + ":", message.substring(0, row.name.length() + 1));
        }
    }
}
