package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.toydiff.Checks.rejected;

import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;

class OneHotTest extends ArenaTest {
    /// `torch.nn.functional.one_hot(torch.tensor([[0, 2], [1, 0]]), 4)`.
    @Test
    void eachIndexIsAVectorWithOneOne() {
        for (DType dtype : new DType[] {DType.INT32, DType.INT64}) {
            Tensor index = Tensor.of(dtype, new int[] {0, 1, 2, 0}, 2, 2).transpose();
            Tensor y = Functional.oneHot(index, 4);
            assertEquals(DType.INT64, y.dtype());
            assertArrayEquals(new long[] {2, 2, 4}, y.shape());
            assertArrayEquals(new long[] {1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0}, y.toLongArray());
            assertArrayEquals(new long[] {2, 2, 3}, Functional.oneHot(index).shape());
            assertArrayEquals(y.argmax(-1).toLongArray(), index.toLongArray());
        }
    }

    @Test
    void aScalarIsAVectorAndNothingIsNothing() {
        assertArrayEquals(
                new long[] {0, 0, 1, 0},
                Functional.oneHot(Tensor.scalar(DType.INT64, 2), 4).toLongArray());
        assertArrayEquals(
                new long[] {1}, Functional.oneHot(Tensor.scalar(DType.INT32, 0)).toLongArray());
        Tensor nothing = Tensor.zeros(DType.INT64, 2, 0);
        assertArrayEquals(new long[] {2, 0, 3}, Functional.oneHot(nothing, 3).shape());
        rejected(
                "oneHot: the index [2, 0] is empty and names no classes; give their number",
                () -> Functional.oneHot(nothing));
    }

    @Test
    void whatIsNoClassIsRefusedWithItsPosition() {
        Tensor index = Tensor.of(new long[] {0, 2, 3, 1}, 2, 2);
        rejected(
                "oneHot: index 3 at [1, 0] of [2, 2] is none of 3 classes; give 0 to 2, or the number of classes that"
                        + " there are",
                () -> Functional.oneHot(index, 3));
        rejected(
                "oneHot: index -1 at [] of [] is none of 1 classes; give 0 to 0, or the number of classes that there"
                        + " are",
                () -> Functional.oneHot(Tensor.scalar(DType.INT32, -1)));
        rejected("oneHot: 0 classes; give 1 or more", () -> Functional.oneHot(index, 0));
        rejected(
                "oneHot: the index [2] is float32; cast it: index.cast(DType.INT64)",
                () -> Functional.oneHot(Tensor.zeros(2), 3));
        rejected(
                "oneHot: the index [2] is bool; cast it: index.cast(DType.INT64)",
                () -> Functional.oneHot(Tensor.zeros(DType.BOOL, 2)));
        long live = arena.liveBytes();
        rejected(
                "oneHot: 9223372036854774785 classes for each element of [] are more bytes than a long can count; give"
                        + " smaller indices",
                () -> Functional.oneHot(Tensor.scalar(DType.INT64, Math.nextDown(0x1p63))));
        assertEquals(live + 64, arena.liveBytes(), "the scalar");
    }

    @Test
    void aDryRunPredictsItsMemory() {
        Tensor index = Tensor.of(new int[] {0, 2, 1});
        long live = arena.liveBytes();
        MemoryPlan.dryRun(() -> Functional.oneHot(index.add(1), 1000));
        assertEquals(live, arena.liveBytes());
        assertThrows(IllegalStateException.class, () -> MemoryPlan.dryRun(() -> Functional.oneHot(index)));
        Functional.oneHot(index, 1000);
        assertEquals(live + 24_000, arena.liveBytes(), "the result alone");
    }
}
