package org.toydiff.nn;

import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The angles of positions, `position·base^(−2i/columns)`, computed in double.
final class PositionTables {
    private PositionTables() {}

    /// An elementwise function of angles.
    @FunctionalInterface
    interface Wave {
        Tensor of(Tensor angles);
    }

    /// Returns a table of a function of the angles, `[positions, columns / 2]`, in the innermost arena.
    static Tensor of(Wave wave, DType dtype, long positions, long columns, double base) {
        Tensor table = Tensor.empty(dtype, positions, columns / 2);
        try (var scratch = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            Tensor exponents = Tensor.arange(DType.FLOAT64, 0, columns / 2, 1).multiply(-2.0 / columns);
            Tensor frequencies = Tensor.full(DType.FLOAT64, base).power(exponents);
            Tensor angles = Tensor.arange(DType.FLOAT64, 0, positions, 1).outer(frequencies);
            return table.copyFrom(wave.of(angles).cast(dtype));
        }
    }

    /// Throws unless positions and columns are positive, the latter even.
    static void require(String layer, long positions, long columns) {
        if (positions <= 0 || columns <= 0 || columns % 2 != 0) {
            throw new IllegalArgumentException(layer + ": " + positions + " positions and " + columns
                    + " columns must be positive, and the columns even");
        }
    }
}
