package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A state fits, or the error names every difference.
class StatefulTest extends ArenaTest {
    @Test
    void aStateOfTheSameNamesShapesAndDTypesFits() {
        Stateful.requireFits("op", Map.of(), Map.of());
        Stateful.requireFits("op", Map.of("a", Tensor.zeros(2, 3)), Map.of("a", Tensor.ones(2, 3)));
    }

    @Test
    void everyDifferenceIsNamed() {
        Map<String, Tensor> current = new LinkedHashMap<>();
        current.put("missing", Tensor.zeros(1));
        current.put("shape", Tensor.zeros(2, 3));
        current.put("dtype", Tensor.zeros(DType.INT64));
        current.put("same", Tensor.zeros(0));
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("unknown", Tensor.zeros(1));
        state.put("same", Tensor.zeros(0));
        state.put("dtype", Tensor.zeros(DType.BOOL));
        state.put("shape", Tensor.zeros(3, 2));
        var e = assertThrows(
                IllegalArgumentException.class, () -> Stateful.requireFits("SGD: loadStateDict", current, state));
        assertEquals(
                "SGD: loadStateDict: missing is missing; shape is [3, 2] float32 and not [2, 3] float32;"
                        + " dtype is [] bool and not [] int64; unknown is unknown",
                e.getMessage());
    }
}
