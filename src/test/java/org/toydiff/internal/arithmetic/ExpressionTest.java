package org.toydiff.internal.arithmetic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ExpressionTest {
    private static final Precision FLOAT32 = Precision.FLOAT32;
    private static final Precision FLOAT64 = Precision.FLOAT64;

    @Test
    void anExpressionPrintsAsPseudoCodeWithSharedNodesNamed() {
        Real x = FLOAT32.input(0);
        Real square = x.multiply(x);
        Real y = square.less(FLOAT32.constant(0.5)).select(square.fma(x, FLOAT32.parameter(1)), x.negative());
        assertEquals("t1 = (input0 * input0)\n((t1 < 0.5) ? fma(t1, input0, parameter1) : negative(input0))", y + "");
    }

    @Test
    void constantsAreRoundedToThePrecision() {
        assertEquals(0.1f, Interpreter.evaluate(FLOAT32.constant(0.1), new float[0]));
        assertEquals(0.1, Interpreter.evaluate(FLOAT64.constant(0.1), new double[0]));
    }

    @Test
    void copySignTakesTheSignOfZerosToo() {
        Real y = FLOAT64.input(0).copySign(FLOAT64.input(1));
        assertEquals(-3.0, Interpreter.evaluate(y, 3.0, -0.0));
        assertEquals(3.0, Interpreter.evaluate(y, -3.0, 0.0));
        assertEquals(Double.NEGATIVE_INFINITY, Interpreter.evaluate(y, Double.POSITIVE_INFINITY, -1.0));
    }

    @Test
    void greaterIsFalseOfNaN() {
        Real one = FLOAT32.constant(1);
        Real y = FLOAT32.input(0).greater(one).select(one, one.negative());
        assertEquals(-1, Interpreter.evaluate(y, Float.NaN));
        assertEquals(-1, Interpreter.evaluate(y, 1f));
        assertEquals(1, Interpreter.evaluate(y, 2f));
    }

    @Test
    void illegalOperandsAreNamed() {
        var mixed = assertThrows(
                IllegalArgumentException.class, () -> FLOAT32.input(0).add(FLOAT64.input(0)));
        assertEquals("ADD of FLOAT32 and FLOAT64: operands must be of one precision", mixed.getMessage());
        var shift = assertThrows(
                IllegalArgumentException.class, () -> FLOAT32.bits(1).shiftLeft(32));
        assertEquals("SHIFT_LEFT by 32 of 32 bits", shift.getMessage());
        var wide = assertThrows(IllegalArgumentException.class, () -> FLOAT32.bits(1L << 32));
        assertEquals("0x100000000 does not fit 32 bits", wide.getMessage());
        var missing = assertThrows(IllegalArgumentException.class, () -> FLOAT32.input(0)
                .rarely(
                        FLOAT32.input(0).isNaN(),
                        new ScalarFunction(ExpressionTest.class, "missing"),
                        FLOAT32.input(0)));
        assertEquals(
                "no static method float org.toydiff.internal.arithmetic.ExpressionTest.missing(float)",
                missing.getMessage());
    }
}
