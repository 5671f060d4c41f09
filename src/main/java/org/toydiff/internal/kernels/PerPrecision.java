package org.toydiff.internal.kernels;

import java.util.function.Function;
import org.toydiff.internal.arithmetic.Precision;

/// One kernel per precision, created on first use.
final class PerPrecision<K> {
    private final Function<Precision, K> make;
    private volatile K float32;
    private volatile K float64;

    PerPrecision(Function<Precision, K> make) {
        this.make = make;
    }

    /// {@return the kernel for FLOAT32 or FLOAT64 (`wide`)}
    K of(boolean wide) {
        K kernel = wide ? float64 : float32;
        return kernel != null ? kernel : made(wide);
    }

    private synchronized K made(boolean wide) {
        if (wide) {
            float64 = float64 != null ? float64 : make.apply(Precision.FLOAT64);
            return float64;
        }
        float32 = float32 != null ? float32 : make.apply(Precision.FLOAT32);
        return float32;
    }
}
