package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

class LayoutTest {
    private static List<Tensor> parameters() {
        return List.of(
                Tensor.zeros(784, 512).trackGradient(),
                Tensor.zeros(512).trackGradient(),
                Tensor.zeros(DType.FLOAT64, 100, 100).trackGradient(),
                Tensor.zeros(10, 512).trackGradient(),
                Tensor.zeros(0).trackGradient(),
                Tensor.zeros(DType.BFLOAT16, 3).trackGradient());
    }

    @Test
    void ranksDivideEveryParameterInWholeUnits() {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> parameters = parameters();
            for (int ranks = 1; ranks <= 9; ranks++) {
                var layout = new Layout(parameters, ranks, 9);
                for (int i = 0; i < parameters.size(); i++) {
                    long at = 0;
                    for (int rank = 0; rank < ranks; rank++) {
                        assertEquals(at, layout.from(i, rank));
                        at = layout.to(i, rank);
                        assertTrue(at == parameters.get(i).size() || at % Updates.UNIT == 0, "a part ends at " + at);
                    }
                    assertEquals(parameters.get(i).size(), at);
                }
            }
        }
    }

    @Test
    void noRankHasAUnitMoreThanAnotherPerTurn() {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> parameters = java.util.stream.IntStream.range(0, 40)
                    .mapToObj(i -> Tensor.zeros(Updates.UNIT + i))
                    .toList();
            int ranks = 7;
            var layout = new Layout(parameters, ranks, ranks);
            long least = Long.MAX_VALUE;
            long most = 0;
            for (int rank = 0; rank < ranks; rank++) {
                long own = 0;
                for (int i = 0; i < parameters.size(); i++) {
                    own += Math.ceilDiv(layout.to(i, rank) - layout.from(i, rank), (long) Updates.UNIT);
                }
                least = Math.min(least, own);
                most = Math.max(most, own);
            }
            assertTrue(most - least <= 1, "units from " + least + " to " + most);
        }
    }

    @Test
    void bucketsHaveOneDTypeAndAreInReverseOrder() {
        try (var arena = TensorArena.ofConfined()) {
            var layout = new Layout(parameters(), 2, 2);
            assertEquals(
                    List.of("bfloat16 5 to 5", "float32 4 to 3", "float64 2 to 2", "float32 1 to 0"),
                    layout.buckets.stream()
                            .map(bucket -> bucket.dtype() + " " + bucket.last() + " to " + bucket.first())
                            .toList());
        }
    }

    @Test
    void everyProcessNeedsAShard() {
        try (var arena = TensorArena.ofConfined()) {
            var e = assertThrows(IllegalArgumentException.class, () -> new Layout(parameters(), 3, 2));
            assertEquals(
                    "DataParallel: 2 shards are too few for 3 processes, each of which needs one at least; use a multiple"
                            + " of 3",
                    e.getMessage());
        }
    }
}
