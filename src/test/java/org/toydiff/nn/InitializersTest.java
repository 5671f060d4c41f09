package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.Autograd;
import org.toydiff.Tensor;

/// Initial values of parameters.
class InitializersTest extends ArenaTest {
    @Test
    void initializersStayWithinTheirBounds() {
        Tensor weight = Tensor.empty(100, 54);
        assertBound(Initializers.kaimingUniform(weight), Math.sqrt(6.0 / 54));
        assertBound(Initializers.xavierUniform(weight), Math.sqrt(6.0 / 154));
        assertEquals(0, Initializers.zeros(weight).abs().max().item());
        assertBound(new Linear(54, 100).parameters().getFirst(), 1 / Math.sqrt(54));
    }

    private static void assertBound(Tensor tensor, double bound) {
        try (var off = Autograd.noGradient()) {
            double largest = tensor.abs().max().item();
            assertTrue(largest <= bound && largest > 0.99 * bound, largest + " within " + bound);
            assertEquals(0, tensor.mean().item(), bound / 10);
        }
    }
}
