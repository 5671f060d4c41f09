package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.Autocast;
import org.toydiff.Autograd;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.GradientCheck;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Batch normalization by the statistics of this process's rows and those of others, which an operator adds in this
/// process, against that of all rows in one batch. Several processes are in `MpiTest`.
class SynchronizedBatchNormTest {
    private static final long CHANNELS = 3;

    /// The rows of another process: it adds its count and sums, and then the squares of its distances from the mean.
    private static final class OtherRows implements UnaryOperator<Tensor> {
        private final Tensor rows;
        private Tensor mean;

        OtherRows(Tensor rows) {
            this.rows = rows.cast(DType.FLOAT64);
        }

        @Override
        public Tensor apply(Tensor own) {
            int[] axes = rows.rank() == 2 ? new int[] {0} : new int[] {0, 2};
            if (mean == null) {
                Tensor count = Tensor.full(DType.FLOAT64, (double) rows.size() / CHANNELS, 1);
                Tensor sums = own.add(Tensor.concat(0, count, rows.sum(axes)));
                mean = sums.slice(0, 1, CHANNELS + 1).divide(sums.slice(0, 0, 1));
                return sums;
            }
            Tensor deviation = rows.subtract(rows.rank() == 2 ? mean : mean.reshape(CHANNELS, 1));
            mean = null;
            return own.add(deviation.multiply(deviation).sum(axes));
        }
    }

    private static BatchNorm1d norm(DType dtype) {
        var norm = new BatchNorm1d(dtype, CHANNELS).momentum(0.3).epsilon(0.01);
        norm.namedParameters().get("weight").copyFrom(Tensor.of(dtype, 1, -2, 0.5f));
        norm.namedParameters().get("bias").copyFrom(Tensor.of(dtype, 0.5f, 0, -1));
        return norm;
    }

    private static Tensor rows(DType dtype, long... shape) {
        return Tensor.randn(dtype, new Random(Arrays.hashCode(shape)), shape)
                .multiply(2)
                .add(30);
    }

    /// A loss of some rows of the output, which depends on every element.
    private static Tensor loss(Tensor y, long rows) {
        Tensor own = y.slice(0, 0, rows);
        return own.multiply(own).multiply(own).add(own).mean();
    }

    private static void assertClose(Tensor expected, Tensor actual, double tolerance) {
        assertEquals(expected.dtype(), actual.dtype());
        assertArrayEquals(expected.shape(), actual.shape());
        double[] values = expected.cast(DType.FLOAT64).toDoubleArray();
        double[] others = actual.cast(DType.FLOAT64).toDoubleArray();
        for (int i = 0; i < values.length; i++) {
            assertEquals(values[i], others[i], tolerance * Math.max(1, Math.abs(values[i])));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
    void rowsOfTwoProcessesAreNormalizedAsOneBatch(DType dtype) {
        double tolerance =
                switch (dtype) {
                    case FLOAT64 -> 1e-12;
                    case FLOAT32 -> 1e-5;
                    default -> 0.02;
                };
        for (long[] shape : new long[][] {{5, CHANNELS}, {5, CHANNELS, 4}, {1, CHANNELS}, {2, CHANNELS, 20}}) {
            try (var arena = TensorArena.ofConfined()) {
                long n = shape[0];
                long[] otherShape = shape.clone();
                otherShape[0] = 4;
                Tensor own = rows(dtype, shape).trackGradient();
                Tensor others = rows(dtype, otherShape).trackGradient();
                BatchNorm1d whole = norm(dtype);
                Tensor all = whole.forward(Tensor.concat(0, own, others));
                List<Tensor> expected = Autograd.gradients(loss(all, n), operands(whole, own, others));

                BatchNorm1d parts = norm(dtype);
                try (var region = parts.synchronizeBatchNorm(new OtherRows(others))) {
                    Tensor y = parts.forward(own);
                    assertClose(all.slice(0, 0, n), y, tolerance);
                    List<Tensor> actual = Autograd.gradients(loss(y, n), operands(parts, own, others));
                    for (int i = 0; i < expected.size(); i++) {
                        assertClose(expected.get(i), actual.get(i), tolerance);
                    }
                }
                whole.namedBuffers()
                        .forEach((name, buffer) ->
                                assertClose(buffer, parts.namedBuffers().get(name), tolerance));
            }
        }
    }

    private static List<Tensor> operands(Layer norm, Tensor own, Tensor others) {
        return List.of(
                own,
                others,
                norm.namedParameters().get("weight"),
                norm.namedParameters().get("bias"));
    }

    @Test
    void gradientsAreThoseOfDifferences() {
        try (var arena = TensorArena.ofConfined()) {
            BatchNorm1d norm = norm(DType.FLOAT64);
            Tensor own = rows(DType.FLOAT64, 4, CHANNELS);
            Tensor others = rows(DType.FLOAT64, 3, CHANNELS);
            GradientCheck.check(
                    xs -> {
                        try (var region = norm.synchronizeBatchNorm(new OtherRows(xs.get(1)))) {
                            return norm.forward(xs.get(0)).sin();
                        }
                    },
                    own,
                    others);
        }
    }

    @Test
    void aLargeMeanCostsNoDigitsOfTheVariance() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(DType.FLOAT64, 1, 2, 4).reshape(3, 1).add(1e9);
            var norm = new BatchNorm1d(DType.FLOAT64, 1).momentum(1);
            try (var region = norm.synchronizeBatchNorm(UnaryOperator.identity())) {
                norm.forward(x);
            }
            assertEquals(7.0 / 3, norm.namedBuffers().get("running_var").item(), 1e-6);
        }
    }

    @Test
    void autocastLeavesItInFloat32() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = rows(DType.FLOAT32, 4, CHANNELS);
            Tensor others = rows(DType.FLOAT32, 3, CHANNELS);
            BatchNorm1d norm = norm(DType.FLOAT32);
            try (var region = norm.synchronizeBatchNorm(new OtherRows(others))) {
                float[] expected = norm.forward(x).toFloatArray();
                try (var casts = Autocast.bfloat16()) {
                    assertArrayEquals(expected, norm.forward(x).toFloatArray());
                    Tensor narrow = x.cast(DType.BFLOAT16);
                    Tensor y = norm.forward(narrow);
                    assertClose(norm.forward(narrow.cast(DType.FLOAT32)).cast(DType.BFLOAT16), y, 0);
                }
            }
        }
    }

    @Test
    void evaluationSumsNothing() {
        try (var arena = TensorArena.ofConfined()) {
            BatchNorm1d norm = norm(DType.FLOAT32);
            norm.eval();
            Tensor x = rows(DType.FLOAT32, 4, CHANNELS);
            float[] expected = norm.forward(x).toFloatArray();
            try (var region = norm.synchronizeBatchNorm(own -> {
                throw new AssertionError("nothing is to be added up");
            })) {
                assertArrayEquals(expected, norm.forward(x).toFloatArray());
            }
        }
    }

    @Test
    void theEndOfTheRegionRestoresTheStatisticsOfTheBatch() {
        try (var arena = TensorArena.ofConfined()) {
            var norm = new BatchNorm2d(2);
            // Registered twice.
            var net = new Sequential(norm, new Sequential(norm));
            Tensor x = rows(DType.FLOAT32, 2, 2, 3, 3);
            float[] before = norm.forward(x).toFloatArray();
            var region = net.synchronizeBatchNorm(own -> own.multiply(2));
            var e = assertThrows(
                    IllegalStateException.class, () -> norm.synchronizeBatchNorm(UnaryOperator.identity()));
            assertEquals(
                    "synchronizeBatchNorm: a layer of BatchNorm2d is synchronized already; close that first",
                    e.getMessage());
            region.close();
            assertArrayEquals(before, norm.forward(x).toFloatArray());
            var next =
                    net.synchronizeBatchNorm(own -> own.slice(0, 0, own.size()).multiply(Double.NaN));
            // The first region has ended, and this one has not.
            region.close();
            assertTrue(Float.isNaN(norm.forward(x).toFloatArray()[0]));
            next.close();
            assertArrayEquals(before, norm.forward(x).toFloatArray());
        }
    }

    @Test
    void aProcessWithoutValuesIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            BatchNorm1d norm = norm(DType.FLOAT32);
            try (var region = norm.synchronizeBatchNorm(UnaryOperator.identity())) {
                var e = assertThrows(IllegalArgumentException.class, () -> norm.forward(Tensor.zeros(0, CHANNELS)));
                assertTrue(
                        e.getMessage()
                                .contains("BatchNorm1d: [0, 3] has no values for each channel, and every process"
                                        + " needs one"),
                        e.getMessage());
            }
        }
    }

    @Test
    void aCompiledFunctionIsRecordedAgainAndHasTheSameBits() {
        try (var arena = TensorArena.ofConfined()) {
            BatchNorm1d eager = norm(DType.FLOAT32);
            BatchNorm1d compiled = norm(DType.FLOAT32);
            Tensor others = rows(DType.FLOAT32, 3, CHANNELS);
            try (var function = CompiledFunction.of(x -> compiled.forward(x))) {
                for (int step = 0; step < 3; step++) {
                    function.run(rows(DType.FLOAT32, 4, CHANNELS));
                    eager.forward(rows(DType.FLOAT32, 4, CHANNELS));
                }
                try (var a = eager.synchronizeBatchNorm(new OtherRows(others));
                        var b = compiled.synchronizeBatchNorm(new OtherRows(others))) {
                    for (int step = 0; step < 3; step++) {
                        Tensor x = rows(DType.FLOAT32, 4, CHANNELS).add(step);
                        assertArrayEquals(
                                eager.forward(x).toFloatArray(), function.run(x).toFloatArray());
                    }
                }
                assertEquals(2, function.recordings());
                assertArrayEquals(
                        eager.namedBuffers().get("running_var").toFloatArray(),
                        compiled.namedBuffers().get("running_var").toFloatArray());
            }
        }
    }
}
