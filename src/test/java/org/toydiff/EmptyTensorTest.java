package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.io.Npy;
import org.toydiff.io.SafeTensors;

/// Tensors without elements: wherever a view of them would begin, and however long their other axes are.
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EmptyTensorTest {
    private static final long HUGE = 1L << 40;

    @Test
    void aViewThatWouldBeginPastItsBlockIsEmpty(@TempDir Path folder) throws Exception {
        try (var arena = TensorArena.ofConfined()) {
            Tensor nothing = Tensor.zeros(6, 0);
            for (Tensor view : new Tensor[] {
                nothing.get(1),
                nothing.get(5).slice(0, 0, 0),
                nothing.slice(0, 2, 4),
                nothing.slice(0, 6, 6),
                nothing.transpose().slice(1, 3, 5),
                nothing.slice(0, 2, 3).broadcastTo(4, 0),
                Tensor.zeros(6).slice(0, 6, 6),
                Tensor.zeros(3, 6).get(2).slice(0, 6, 6).reshape(2, 0),
            }) {
                assertEquals(0, view.toFloatArray().length);
                assertEquals(0, view.toDoubleArray().length);
                assertEquals(0, view.segment().byteSize());
                assertEquals(0, view.add(1).exp().sum().item());
                assertEquals(0, view.copyTo(arena).size());
                assertEquals(0, view.cast(DType.INT64).toLongArray().length);
                Npy.save(folder.resolve("view.npy"), view);
                SafeTensors.save(folder.resolve("view.safetensors"), Map.of("view", view));
                assertArrayEquals(
                        view.shape(),
                        Npy.load(arena, folder.resolve("view.npy")).shape());
            }
            assertEquals(0, nothing.get(1).matmul(Tensor.zeros(0)).item());
            assertArrayEquals(
                    new float[] {0, 0},
                    nothing.slice(0, 2, 4).matmul(Tensor.zeros(0)).toFloatArray());
            assertArrayEquals(
                    new float[] {0, 0, 0, 0, 0, 0},
                    nothing.slice(0, 3, 5).matmul(Tensor.zeros(0, 3)).toFloatArray());
        }
    }

    @Test
    void aViewOfNothingSendsNothingBack() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(6, 0).trackGradient();
            x.get(1).sum().add(x.slice(0, 2, 4).exp().sum()).backward();
            assertArrayEquals(new long[] {6, 0}, x.gradient().shape());
        }
    }

    @Test
    void nothingIsWalkedAlongAnAxisOfAnyLength() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(HUGE, 0);
            Tensor index = Tensor.zeros(DType.INT64, HUGE, 0);
            assertEquals("Tensor([], shape=[1099511627776, 0], dtype=float32)", x.toString());
            assertEquals(0, x.toFloatArray().length);
            assertEquals(0, x.toDoubleArray().length);
            assertEquals(0, index.toLongArray().length);
            assertEquals(0, index.transpose().toLongArray().length);
            for (Tensor y : new Tensor[] {
                x.gather(0, index),
                x.gather(1, index),
                x.topk(0, 1).values(),
                x.topk(0, 1).indices(),
                x.cast(DType.FLOAT64),
                x.copyTo(arena),
                Tensor.zerosLike(x).copyFrom(x),
                x.transpose().copyTo(arena),
                x.exp().add(x.transpose().transpose()),
                x.softmax(0),
                x.logSoftmax(1),
                Tensor.zeros(0, HUGE / 1024, 3)
                        .scaledDotProductAttention(Tensor.zeros(0, 5, 3), Tensor.zeros(0, 5, 2), null, false),
                x.reshape(0, HUGE),
                x.unsqueeze(0).squeeze(0),
                Tensor.where(x.greater(1), x, x),
                Tensor.concat(1, x, x),
                Tensor.where(x.greater(x), x, x),
                x.indexSelect(1, Tensor.zeros(DType.INT64, 0)),
                x.clamp(0, 1),
                x.sum(0),
                x.norm(3, 0, true),
                x.logSumExp(0),
            }) {
                assertEquals(0, y.size());
            }
            assertEquals(0, x.sum().item());
        }
    }

    @Test
    void nothingIsWalkedOnTheWayBack() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(HUGE, 0).trackGradient();
            Tensor index = Tensor.zeros(DType.INT64, HUGE, 0);
            Tensor y = x.gather(0, index)
                    .add(x.softmax(1))
                    .add(x.slice(0, 0, HUGE))
                    .add(x.indexSelect(1, Tensor.zeros(DType.INT64, 0)))
                    .add(x.topk(0, 1).values());
            y.sum().backward(Release.EAGER);
            assertArrayEquals(new long[] {HUGE, 0}, x.gradient().shape());
        }
    }

    @Test
    void theShapeIsPrintedUnlessBracketsSayIt() {
        try (var arena = TensorArena.ofConfined()) {
            assertEquals("Tensor([], dtype=float32)", Tensor.zeros(0).toString());
            assertEquals(
                    "Tensor([], shape=[0, 3], dtype=float32)",
                    Tensor.zeros(0, 3).toString());
            assertEquals(
                    "Tensor([], shape=[2, 0, 3], dtype=int64)",
                    Tensor.zeros(DType.INT64, 2, 0, 3).toString());
            assertEquals(
                    "Tensor([], shape=[0, 3], dtype=float32, backward=Exp)",
                    Tensor.zeros(0, 3).trackGradient().exp().toString());
        }
    }

    @Test
    void besideASizeOf0OthersMayBeOfAnyLength() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.empty(1L << 62, 4, 0).trackGradient();
            assertEquals(0, x.size());
            assertEquals(0, x.toDoubleArray().length);
            assertEquals(0, x.transpose().copyTo(arena).sum().item());
            assertEquals(0, Tensor.zeros(0).reshape(1L << 62, 4, 0).toFloatArray().length);
            Tensor sum = Tensor.zeros(1L << 40, 1, 0).add(Tensor.zeros(1L << 40, 0));
            assertArrayEquals(new long[] {1L << 40, 1L << 40, 0}, sum.shape());
            assertEquals(0, Tensor.concat(2, x, x).exp().size());
            x.exp().multiply(2).sum().backward();
            assertEquals(0, x.gradient().size());
            String message =
                    assertThrows(IllegalArgumentException.class, () -> x.sum(2)).getMessage();
            assertEquals(
                    "sum: shape [4611686018427387904, 4] has more bytes than a long can count; check its sizes",
                    message);
        }
    }

    @Test
    void sizesThatOverflowBesideA0AreEmpty() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(1L << 62, 4, 0);
            assertEquals("Tensor([], shape=[4611686018427387904, 4, 0], dtype=float32)", x.toString());
            assertEquals(0, x.toDoubleArray().length);
            assertEquals(0, x.add(x.transpose(0, 1, 2)).sum().item());
            assertEquals(
                    0, x.slice(0, 1L << 61, 1L << 62).copyTo(arena).segment().byteSize());
            assertThrows(IllegalArgumentException.class, () -> x.sum(2));
        }
    }
}
