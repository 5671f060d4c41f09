package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// States that fit a layer wholly, in part, or not at all.
class StateDictTest extends ArenaTest {
    private static Sequential net(int classes) {
        return new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, classes));
    }

    private static Map<String, Tensor> ones(Layer layer) {
        Map<String, Tensor> ones = new LinkedHashMap<>();
        layer.stateDict().forEach((path, tensor) -> ones.put(path, Tensor.full(tensor.dtype(), 7, tensor.shape())));
        return ones;
    }

    private static void requireAll(double value, Tensor tensor) {
        for (double element : tensor.toDoubleArray()) {
            assertEquals(value, element);
        }
    }

    @Test
    void aStateOfTheSamePathsIsLoadedWhole() {
        Sequential net = net(2);
        IncompatibleKeys keys = net.loadMatching(ones(net));
        assertTrue(keys.isEmpty());
        assertEquals(new IncompatibleKeys(List.of(), List.of()), keys);
        net.stateDict().values().forEach(tensor -> requireAll(7, tensor));
    }

    @Test
    void pathsThatOneSideLacksAreReturnedAndTheOthersAreLoaded() {
        Sequential net = net(2);
        float[] before = net.stateDict().get("3.weight").toFloatArray();
        Map<String, Tensor> state = ones(net);
        state.remove("3.weight");
        state.remove("1.num_batches_tracked");
        state.put("head.weight", Tensor.ones(2));
        state.put("0", Tensor.ones(1));
        IncompatibleKeys keys = net.loadMatching(state);
        assertEquals(List.of("3.weight", "1.num_batches_tracked"), keys.missing(), "in the order of the layer");
        assertEquals(List.of("head.weight", "0"), keys.unexpected(), "in the order of the state");
        assertFalse(keys.isEmpty());
        assertArrayEquals(before, net.stateDict().get("3.weight").toFloatArray());
        assertEquals(0, net.stateDict().get("1.num_batches_tracked").item());
        requireAll(7, net.stateDict().get("3.bias"));
        requireAll(7, net.stateDict().get("1.running_var"));
        assertTrue(state.containsKey("head.weight"), "the state is the caller's");
        rejected(
                "Sequential: loadStateDict: 3.weight is missing; 1.num_batches_tracked is missing; head.weight is"
                        + " unknown; 0 is unknown",
                () -> net.loadStateDict(state));
    }

    @Test
    void anotherShapeOrDtypeIsAlwaysAnError() {
        Sequential net = net(2);
        Map<String, Tensor> state = ones(net(5));
        state.remove("0.bias");
        state.put("more", Tensor.ones(1));
        state.put("1.running_mean", Tensor.zeros(DType.FLOAT64, 4));
        Map<String, Tensor> before = new LinkedHashMap<>();
        net.stateDict().forEach((path, tensor) -> before.put(path, tensor.copyTo(arena)));
        String message = assertThrows(IllegalArgumentException.class, () -> net.loadMatching(state))
                .getMessage();
        assertEquals(
                "Sequential: loadMatching: 3.weight is [5, 4] float32 and not [2, 4] float32; 3.bias is [5] float32 and"
                        + " not [2] float32; 1.running_mean is [4] float64 and not [4] float32",
                message);
        net.stateDict()
                .forEach((path, tensor) ->
                        assertArrayEquals(before.get(path).toDoubleArray(), tensor.toDoubleArray(), path));
    }

    @Test
    void theListsOfPathsDoNotChange() {
        List<String> paths = new ArrayList<>(List.of("a"));
        var keys = new IncompatibleKeys(paths, paths);
        paths.add("b");
        assertEquals(List.of("a"), keys.missing());
        assertThrows(
                UnsupportedOperationException.class, () -> keys.unexpected().add("c"));
    }

    @Test
    void theNumberOfBatchesIsAScalarAsInPyTorch() {
        var norm = new BatchNorm1d(2);
        norm.forward(Tensor.randn(8, 2));
        norm.forward(Tensor.randn(8, 2));
        Tensor batches = norm.stateDict().get("num_batches_tracked");
        assertArrayEquals(new long[0], batches.shape());
        assertEquals(DType.INT64, batches.dtype());
        assertEquals(2, batches.item());
    }
}
