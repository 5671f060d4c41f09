package org.toydiff;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Ops of the user's own, by the public API alone.
class CustomOpTest {
    /// The example of the documentation: `y = x·|x|`.
    record SignedSquare() implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            MemorySegment x = inputs[0].segment();
            for (long i = 0; i < y.size(); i++) {
                float v = x.getAtIndex(JAVA_FLOAT, i);
                y.segment().setAtIndex(JAVA_FLOAT, i, v * Math.abs(v));
            }
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            return g.multiply(inputs[0].abs().multiply(2));
        }
    }

    /// Two inputs, a shape and a gradient of its own: the outer product, FLOAT64.
    record Outer() implements CustomOp {
        @Override
        public String name() {
            return "outer";
        }

        @Override
        public long[] shape(Tensor... inputs) {
            if (inputs[0].rank() != 1 || inputs[1].rank() != 1) {
                throw new IllegalArgumentException("outer: both operands must be vectors");
            }
            return new long[] {inputs[0].size(), inputs[1].size()};
        }

        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            double[] a = inputs[0].toDoubleArray();
            double[] b = inputs[1].toDoubleArray();
            for (int i = 0; i < a.length * b.length; i++) {
                y.segment().setAtIndex(java.lang.foreign.ValueLayout.JAVA_DOUBLE, i, a[i / b.length] * b[i % b.length]);
            }
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            return input == 0 ? g.matmul(inputs[1]) : g.transpose().matmul(inputs[0]);
        }
    }

    private static CustomOp wrong(Tensor[] held) {
        return new CustomOp() {
            private final Tensor[] kept = held;

            @Override
            public void compute(Tensor[] inputs, Tensor y) {
                y.copyFrom(kept[0]);
            }

            @Override
            public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
                return g;
            }
        };
    }

    @Test
    void valuesAndGradientsAreTheOps() {
        for (Release release : Release.values()) {
            long before = Memory.liveBytes();
            try (var arena = TensorArena.ofConfined()) {
                Tensor x = Tensor.of(new float[] {-2, 0, 3, 5}, 2, 2).trackGradient();
                // A view whose rows are spaced: the kernel is given a copy that is not.
                Tensor y = Tensor.custom(new SignedSquare(), x.transpose());
                assertArrayEquals(new float[] {-4, 9, 0, 25}, y.toFloatArray());
                assertEquals(
                        "Tensor([[-4.,  9.],\n        [ 0., 25.]], dtype=float32, backward=SignedSquare)",
                        y.toString());
                y.sum().backward(release);
                assertArrayEquals(new float[] {4, 0, 6, 10}, x.gradient().toFloatArray());
            }
            assertEquals(before, Memory.liveBytes());
        }
    }

    @Test
    void gradientsCanBeCheckedAndDifferentiatedAgain() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.of(new double[] {1, -2, 3});
            Tensor b = Tensor.of(new double[] {0.5, 4});
            GradientCheck.check(
                    xs -> Tensor.custom(new Outer(), xs.get(0), xs.get(1)).exp(), a, b);
            UnaryOperator<Tensor> square = x -> Tensor.custom(new Outer(), x, x).exp();
            GradientCheck.check(x -> Oracles.gradientOf(square, x), a);
        }
    }

    @Test
    void whatIsWrongIsSaidAndNothingIsLost() {
        long before = Memory.liveBytes();
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(3).trackGradient();
            long live = arena.liveBytes();
            var shapes = assertThrows(
                    IllegalArgumentException.class, () -> Tensor.custom(new Outer(), Tensor.ones(2, 2), x));
            assertEquals("outer: both operands must be vectors", shapes.getMessage());
            var held = assertThrows(IllegalArgumentException.class, () -> Tensor.custom(wrong(new Tensor[] {x}), x));
            assertEquals(
                    ": its field kept holds a tensor, whose lifetime nobody would know; make it an input",
                    held.getMessage());
            assertThrows(IllegalArgumentException.class, () -> Tensor.custom(new SignedSquare()));
            assertThrows(
                    IllegalArgumentException.class, () -> Tensor.custom(new SignedSquare(), Tensor.of(new int[] {1})));
            // A kernel that reads beyond its input's end.
            Tensor wide = Tensor.ones(DType.FLOAT64, 3);
            assertThrows(IndexOutOfBoundsException.class, () -> Tensor.custom(new Outer(), x.detach(), wide)
                    .get(9));
            assertEquals(live, arena.liveBytes() - 3 * 64 - 64);
        }
        assertEquals(before, Memory.liveBytes());
    }

    @Test
    void aGradientOfAnotherShapeIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(DType.FLOAT64, 3).trackGradient();
            CustomOp op = new CustomOp() {
                @Override
                public String name() {
                    return "crooked";
                }

                @Override
                public void compute(Tensor[] inputs, Tensor y) {
                    y.copyFrom(inputs[0]);
                }

                @Override
                public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
                    return g.sum();
                }
            };
            Tensor y = Tensor.custom(op, x);
            var failure =
                    assertThrows(IllegalStateException.class, () -> y.sum().backward());
            assertEquals(
                    "crooked: its gradient to input 0 is [] float64 and must be [3] float64", failure.getMessage());
        }
    }
}
