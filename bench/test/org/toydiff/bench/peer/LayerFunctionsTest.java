package org.toydiff.bench.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every layer that is timed, at a small size.
class LayerFunctionsTest {
    /// The last result and the change are those of PyTorch 2.13, the answers of `bench/peers/torch_peer.py` to
    /// `check eager NAME SIZE`; the materialised attention computes that of the other.
    @ParameterizedTest
    @CsvSource({
        "conv2d, 1, 0.010541077842240818, 0.032559994608163834",
        "attention, 64, 0.25285503471329157, 0.0026043469551950693",
        "attention-materialised, 64, 0.25285503471329157, 0.0026043469551950693",
        "lstm, 2, 0.001421585859718955, 0.008852598257362843",
        "cnn, 4, 2.272675037384033, 1.3558858924511696e-08",
        "chargpt, 1, 4.369658470153809, 2.0035463066392367e-08"
    })
    void aLayerComputesThatOfPyTorchEagerAndCompiled(String name, String size, double result, double moved) {
        double[] numbers = numbers("eager", name, size);
        assertArrayEquals(numbers, numbers("compiled", name, size));
        assertEquals(result, numbers[2], 1e-4 * result);
        assertEquals(moved, numbers[3], 1e-3 * moved);
    }

    private static double[] numbers(String form, String name, String size) {
        return (double[]) ToydiffPrograms.check(form, name, size).get("numbers");
    }
}
