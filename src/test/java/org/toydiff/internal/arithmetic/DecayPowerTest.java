package org.toydiff.internal.arithmetic;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class DecayPowerTest {
    private static void requireSameBits(double rate, long step) {
        assertEquals(
                Double.doubleToRawLongBits(StrictMath.pow(rate, step)),
                Double.doubleToRawLongBits(DecayPower.of(rate, step)),
                () -> rate + " to the power of " + step);
    }

    @Test
    void hasTheBitsOfStrictMath() {
        var random = new Random(1);
        for (double rate : new double[] {0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.75, Math.sqrt(0.75), Double.MIN_NORMAL}) {
            for (long step = 1; step < 100_000; step += step < 3_000 ? 1 : 97) {
                requireSameBits(rate, step);
            }
        }
        for (int i = 0; i < 500_000; i++) {
            requireSameBits(random.nextDouble(), 1 + random.nextInt(3_000));
            requireSameBits(1 - random.nextDouble() * 1e-6, 1 + random.nextLong(1L << 32));
            requireSameBits(Double.MIN_NORMAL + random.nextDouble() * 1e-300, 1 + random.nextInt(4));
        }
    }
}
