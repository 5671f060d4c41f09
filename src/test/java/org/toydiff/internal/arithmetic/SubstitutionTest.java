package org.toydiff.internal.arithmetic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Expressions put in place of the operands of others, and what code for them needs.
class SubstitutionTest {
    private static final Precision P = Precision.FLOAT32;
    private static final Real A = P.input(0);
    private static final Real B = P.input(1);

    @Test
    void operandsAreReplacedEverywhere() {
        Expression square = A.multiply(A).substitute(List.of(A.add(B)));
        assertEquals("t1 = (input0 + input1)\n(t1 * t1)", square.toString());
        assertEquals(49f, Interpreter.evaluate((Real) square, 3f, 4f));
    }

    @Test
    void integersStayIntegersFromOneExpressionToTheNext() {
        Expression sum = P.integer(0).add(P.bits(1)).real();
        Expression twice = sum.substitute(List.of(sum));
        assertEquals("real(((bits(input0) + 0x1) + 0x1))", twice.toString());
    }

    @Test
    void truthValuesTakeThePrecisionOfTheirOperands() {
        Condition and = Precision.FLOAT32.mask(0).and(Precision.FLOAT32.mask(1));
        Precision wide = Precision.FLOAT64;
        Expression result = and.substitute(List.of(wide.mask(0), wide.input(1).isNaN()));
        assertEquals(wide, result.precision());
        assertThrows(IllegalArgumentException.class, () -> and.substitute(List.of(wide.mask(0), wide.input(1))));
    }

    @Test
    void arithmeticOnConstantsIsAConstantUnlessItIsNaN() {
        Real third = (Real) A.divide(B).substitute(List.of(P.constant(1), P.constant(3)));
        assertTrue(third.isConstant());
        assertEquals(Float.toString(1f / 3f), third.toString());
        Expression root = A.sqrt().negative().subtract(B.abs()).multiply(A.add(B));
        assertEquals(
                "-35.0", root.substitute(List.of(P.constant(9), P.constant(-4))).toString());
        Precision wide = Precision.FLOAT64;
        Expression tenth = wide.input(0).divide(wide.input(1));
        assertEquals(
                "0.1",
                tenth.substitute(List.of(wide.constant(1), wide.constant(10))).toString());
        assertFalse(
                A.divide(B).substitute(List.of(P.constant(0), P.constant(0))).isConstant());
        assertFalse(A.add(B).substitute(List.of(P.constant(0), B)).isConstant());
        assertFalse(
                A.fma(B, B).substitute(List.of(P.constant(1), P.constant(1))).isConstant());
        assertTrue(P.bits(3).real().isConstant());
    }

    @Test
    void arithmeticOnFloatsIsRoundedAsThatOfFloats() {
        for (float a : new float[] {0.1f, 1e-42f, 3e38f, 16777215f, Float.MIN_VALUE}) {
            for (float b : new float[] {0.3f, -7e-45f, 1e10f, 1.0000001f, 5e-39f}) {
                List<Real> both = List.of(P.constant(a), P.constant(b));
                assertEquals(
                        P.constant(a + b).toString(), A.add(B).substitute(both).toString());
                assertEquals(
                        P.constant(a - b).toString(),
                        A.subtract(B).substitute(both).toString());
                assertEquals(
                        P.constant(a * b).toString(),
                        A.multiply(B).substitute(both).toString());
                assertEquals(
                        P.constant(a / b).toString(),
                        A.divide(B).substitute(both).toString());
                assertEquals(
                        P.constant((float) Math.sqrt(a)).toString(),
                        A.sqrt().substitute(both).toString());
            }
        }
    }

    @Test
    void rareElementsAndShiftsKeepTheirFunctionsAndDistances() {
        Real sine = Trigonometry.sin(A);
        assertEquals(sine.toString(), sine.substitute(List.of(A)).toString());
        Real shifted = A.bits().shiftRight(3).real();
        assertEquals(shifted.toString(), shifted.substitute(List.of(A)).toString());
    }

    @Test
    void graphsWithEqualKeysComputeTheSame() {
        assertEquals(key(A.add(B)), key(A.add(B)));
        assertNotEquals(key(A.add(B)), key(B.add(A)));
        assertNotEquals(key(A.add(B)), key(A.subtract(B)));
        assertNotEquals(key(A.add(P.constant(0))), key(A.add(P.constant(-0.0))));
        assertNotEquals(key(A.add(B)), key(A.add(B), A));
        assertNotEquals(key(A.add(B), A.subtract(B)), key(A.subtract(B), A.add(B)));
    }

    private static List<Object> key(Expression... results) {
        return Graph.of(List.of(results)).key();
    }

    private static int live(Expression... results) {
        return Graph.of(List.of(results)).liveValues();
    }

    @Test
    void aValueIsAliveUntilItIsReadForTheLastTime() {
        assertEquals(1, live(A));
        assertEquals(1, live(A.negative().negative().abs()));
        assertEquals(2, live(A.add(B)));
        assertEquals(2, live(A.add(P.constant(1)).multiply(B)));
        Real sum = A.add(B);
        // While the difference is computed, the sum waits.
        assertEquals(3, live(sum.multiply(A.subtract(B))));
        assertEquals(2, live(sum.multiply(sum.abs())));
        assertEquals(3, live(sum, A, B));
    }
}
