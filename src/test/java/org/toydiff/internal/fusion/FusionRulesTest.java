package org.toydiff.internal.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.CopyKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.LogicKernel;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.ElementKind;

/// Which launches become one loop. A list such as `[0, 1]→1 2` is a loop of launches 0 and 1 with one result, and then
/// launch 2.
class FusionRulesTest {
    private static final long[] N = {100};

    private final Chain chain = new Chain(false, 10);
    private final BlockView a = chain.contiguous(0, N);
    private final BlockView b = chain.contiguous(1, N);
    private final BlockView c = chain.contiguous(2, N);

    private void requireFused(String expected, Integer... kept) {
        assertEquals(expected, Chain.text(chain.fuse(kept)));
    }

    @Test
    void aChainIsOneLoopThatStoresItsResultOnly() {
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, a, b, N);
        BlockView u = chain.unary(UnaryKernel.TANH, t, N);
        BlockView y = chain.binary(BinaryKernel.ADD, u, c, N);
        requireFused("[0, 1, 2]→1", y.block());
        FusedLaunch.Loop loop = (FusedLaunch.Loop) chain.fuse(y.block()).getFirst();
        assertEquals(
                List.of(0, 1, 2, y.block()),
                loop.operands().stream().map(BlockView::block).toList());
        assertEquals("""
                t0 = multiply(x0, x1)
                t1 = tanh(t0)
                y0 = add(t1, x2)""", loop.program().toString());
    }

    @Test
    void bothBranchesOfATreeJoin() {
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, a, b, N);
        BlockView u = chain.unary(UnaryKernel.EXP, c, N);
        BlockView y = chain.binary(BinaryKernel.ADD, t, u, N);
        requireFused("[0, 1, 2]→1", y.block());
    }

    @Test
    void aResultThatIsKeptOrReadLaterIsStored() {
        BlockView t = chain.unary(UnaryKernel.EXP, a, N);
        BlockView u = chain.unary(UnaryKernel.TANH, t, N);
        BlockView y = chain.unary(UnaryKernel.SQRT, u, N);
        chain.other(Set.of(u.block()), Set.of(9));
        requireFused("[0, 1, 2]→2 3", y.block());
        requireFused("[0, 1, 2]→3 3", y.block(), t.block());
    }

    @Test
    void aWriteToAnOperandBetweenForbidsTheMove() {
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, a, b, N);
        chain.other(Set.of(5), Set.of(a.block(), c.block()));
        BlockView y = chain.binary(BinaryKernel.ADD, t, c, N);
        requireFused("0 1 2", y.block());
    }

    @Test
    void aLaunchMovesBackWhereOnlyTheEarlierOneIsInTheWay() {
        BlockView t = chain.unary(UnaryKernel.EXP, a, N);
        chain.other(Set.of(t.block()), Set.of(5));
        BlockView y = chain.binaryInto(b, BinaryKernel.ADD, t, b, N);
        requireFused("[0, 2]→2 1", y.block());
    }

    @Test
    void aWriteOfTheResultBetweenForbidsTheMove() {
        BlockView t = chain.unary(UnaryKernel.EXP, a, N);
        chain.other(Set.of(), Set.of(t.block()));
        BlockView y = chain.unary(UnaryKernel.TANH, t, N);
        requireFused("0 1 2", y.block());
    }

    @Test
    void noMoveKeepsMoreBlocksAlive() {
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, a, b, N);
        chain.other(Set.of(5), Set.of(6));
        BlockView y = chain.binary(BinaryKernel.ADD, t, c, N);
        chain.other(Set.of(t.block(), y.block()), Set.of(6));
        // Later, the first would keep two operands instead of its result; earlier, the last would free none.
        requireFused("0 1 2 3", c.block());
        requireFused("1 [0, 2]→2 3", a.block(), b.block(), c.block());
        requireFused("[0, 2]→2 1 3", y.block(), c.block());
    }

    @Test
    void operandsMayBeWrittenInPlace() {
        BlockView t = chain.binaryInto(a, BinaryKernel.MULTIPLY, a, b, N);
        BlockView y = chain.binaryInto(b, BinaryKernel.ADD, t, b, N);
        requireFused("[0, 1]→2", a.block(), y.block());
        requireFused("[0, 1]→1", y.block());
    }

    @Test
    void aBlockThatIsWrittenMustBeSeenInOneWay() {
        long[] square = {16, 16};
        BlockView t = chain.unary(UnaryKernel.EXP, chain.contiguous(0, square), square);
        BlockView y = chain.unary(UnaryKernel.TANH, chain.view(t.block(), 1, 16), square);
        requireFused("0 1", y.block());
    }

    @Test
    void aLaunchWithOneElementOfItsOwnResultStaysAlone() {
        BlockView t = chain.binaryInto(a, BinaryKernel.SUBTRACT, a, chain.view(a.block(), 0), N);
        BlockView y = chain.unary(UnaryKernel.EXP, t, N);
        requireFused("0 1", y.block());
    }

    @Test
    void shapesThatDifferInTheirAxesOnlyAreOne() {
        long[] matrix = {4, 25};
        BlockView t = chain.unary(UnaryKernel.EXP, a, N);
        BlockView y = chain.unary(UnaryKernel.TANH, chain.contiguous(t.block(), matrix), matrix);
        requireFused("[0, 1]→1", y.block());
    }

    @Test
    void anOperandOfAnotherSizeIsNoResultOfTheLoop() {
        BlockView t = chain.unary(UnaryKernel.EXP, chain.contiguous(0, 1), 1);
        BlockView y = chain.binary(BinaryKernel.ADD, a, chain.view(t.block(), 0), N);
        requireFused("0 1", y.block());
    }

    @Test
    void rowsAreNotMadeShortByABias() {
        long[] matrix = {50, 10};
        BlockView t = chain.unary(UnaryKernel.EXP, chain.contiguous(0, matrix), matrix);
        BlockView y = chain.binary(BinaryKernel.ADD, t, chain.view(1, 0, 1), matrix);
        requireFused("0 1", y.block());
        long[] wide = {5, 100};
        BlockView u = chain.unary(UnaryKernel.EXP, chain.contiguous(2, wide), wide);
        BlockView z = chain.binary(BinaryKernel.ADD, u, chain.view(3, 0, 1), wide);
        requireFused("0 1 [2, 3]→1", y.block(), z.block());
    }

    @Test
    void aLoopOverVectorsTakesNoStridedOperandIn() {
        BlockView t = chain.unary(UnaryKernel.EXP, chain.view(0, 2), N);
        BlockView y = chain.unary(UnaryKernel.TANH, t, N);
        requireFused("0 1", y.block());
        BlockView u = chain.binary(BinaryKernel.ADD, chain.view(1, 2), chain.view(1, 3), N);
        BlockView z = chain.binary(BinaryKernel.ADD, u, chain.view(1, 2), N);
        requireFused("0 1 [2, 3]→1", y.block(), z.block());
    }

    @Test
    void numbersOfTwoWidthsAreTwoLoopsAndTruthValuesGoWithBoth() {
        var truth = new BlockView(7, Element.BOOL, 0, new long[] {1});
        var both = new BlockView(8, Element.BOOL, 0, new long[] {1});
        var wide = new BlockView(9, Element.FLOAT64, 0, new long[] {1});
        chain.add(BinaryKernel.GREATER.of(false), List.of(a, b), truth, N);
        chain.add(LogicKernel.AND.kernel(), List.of(truth, truth), both, N);
        chain.add(CastKernels.of(Element.BOOL, Element.FLOAT64), List.of(both), wide, N);
        requireFused("[0, 1]→1 2", 9);
        chain.launches.removeFirst();
        requireFused("[0, 1]→1", 9);
    }

    @Test
    void aLoopReadsAndWritesBfloat16BesideFloat32() {
        var half = new BlockView(5, Element.BFLOAT16, 0, new long[] {1});
        var result = new BlockView(6, Element.BFLOAT16, 0, new long[] {1});
        chain.add(CastKernels.of(Element.FLOAT32, Element.BFLOAT16), List.of(a), half, N);
        chain.add(ElementKind.BFLOAT16.of(UnaryKernel.EXP), List.of(half), result, N);
        chain.add(CastKernels.of(Element.BFLOAT16, Element.FLOAT32), List.of(result), b, N);
        requireFused("[0, 1, 2]→1", b.block());
        requireFused("[0, 1, 2]→3", half.block(), result.block(), b.block());
    }

    @Test
    void aChangeOfWidthToIntegersIsNoExpression() {
        var kernel = CastKernels.of(Element.FLOAT64, Element.INT32);
        assertNull(RecordedLaunch.Elementwise.of(kernel, List.of(a), b, N));
    }

    @Test
    void aKernelThatNeedsMoreRegistersThanThereAreJoinsAFewOthers() {
        BlockView y = chain.unary(UnaryKernel.NEGATIVE, chain.binary(BinaryKernel.POWER, a, b, N), N);
        requireFused("[0, 1]→1", y.block());
        for (int extra = 0; extra < 6; extra++) {
            y = chain.binary(BinaryKernel.ADD, chain.unary(UnaryKernel.values()[extra], a, N), y, N);
        }
        List<FusedLaunch> fused = chain.fuse(y.block());
        assertTrue(fused.size() > 1, Chain.text(fused));
        for (FusedLaunch launch : fused) {
            assertTrue(((FusedLaunch.Loop) launch).program().fits());
        }
    }

    @Test
    void aLongChainIsSeveralLoops() {
        BlockView y = a;
        for (int i = 0; i < 30; i++) {
            y = chain.unary(i % 2 == 0 ? UnaryKernel.TANH : UnaryKernel.SIN, y, N);
        }
        List<FusedLaunch> fused = chain.fuse(y.block());
        assertTrue(fused.size() > 2 && fused.size() < 10, Chain.text(fused));
        for (FusedLaunch launch : fused) {
            assertTrue(((FusedLaunch.Loop) launch).program().fits());
        }
    }

    @Test
    void aLaunchWhoseResultNobodyReadsStillRuns() {
        BlockView t = chain.unary(UnaryKernel.EXP, a, N);
        var integer = new BlockView(7, Element.INT32, 0, new long[] {1});
        chain.add(CastKernels.of(Element.FLOAT32, Element.INT32), List.of(t), integer, N);
        BlockView y = chain.unary(UnaryKernel.TANH, t, N);
        requireFused("[0, 1, 2]→2", y.block());
    }

    @Test
    void aReductionReadsFromTheLoopUnlessOthersNeedItsOperand() {
        long[] matrix = {3, 100};
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, chain.contiguous(0, matrix), chain.view(1, 0, 1), matrix);
        chain.reader(t, matrix, 100, Set.of(9));
        requireFused("[0]→1", 9);
        requireFused("0 1", 9, t.block());
        chain.other(Set.of(t.block()), Set.of(8));
        requireFused("0 1 2", 9);
    }

    @Test
    void aLoopThatChangesItsOperandForAReductionStillReadsIt() {
        BlockView x = chain.contiguous(5, N);
        chain.other(Set.of(), Set.of(x.block()));
        chain.binaryInto(x, BinaryKernel.MULTIPLY, x, b, N);
        chain.reader(x, N, 100, Set.of(9));
        requireFused("0 [1]→2", 9);
    }

    /// Adds a launch that reads x and block 9 and writes a result and block 8, and returns the result.
    private BlockView writer(BlockView x, long... shape) {
        BlockView y = chain.contiguous(chain.newBlock(), shape);
        chain.writer(List.of(x), y, Set.of(9), Set.of(y.block(), 8), shape);
        return y;
    }

    private boolean keepsResult(Integer... kept) {
        return ((FusedLaunch.Streamed) chain.fuse(kept).getFirst()).keepsResult();
    }

    @Test
    void aLoopReadsTheResultOfALaunchWhichIsStoredIfOthersNeedIt() {
        BlockView t = writer(a, N);
        BlockView u = chain.binary(BinaryKernel.ADD, t, a, N);
        BlockView y = chain.binary(BinaryKernel.MULTIPLY, u, b, N);
        requireFused("0→[1, 2]→1", y.block(), a.block());
        assertFalse(keepsResult(y.block(), a.block()));
        assertTrue(keepsResult(y.block(), t.block(), a.block()));
        chain.other(Set.of(t.block()), Set.of(7));
        requireFused("0→[1, 2]→1 3", y.block(), a.block());
        assertTrue(keepsResult(y.block(), a.block()));
    }

    @Test
    void aLoopMovesBackToTheLaunchWhoseResultItReads() {
        BlockView t = writer(a, N);
        chain.other(Set.of(8), Set.of(7));
        BlockView y = chain.binary(BinaryKernel.ADD, t, b, N);
        requireFused("0→[2]→1 1", y.block());
        chain.launches.set(1, new RecordedLaunch.Other(Set.of(8), Set.of(b.block())));
        requireFused("0 1 2", y.block());
    }

    @Test
    void aLoopReadsTheResultInAnyShapeButInItsOrder() {
        long[] cube = {2, 5, 10};
        BlockView t = writer(a, N);
        BlockView repeated = chain.view(1, 0, 10, 1);
        BlockView y = chain.binary(BinaryKernel.ADD, chain.contiguous(t.block(), cube), repeated, cube);
        requireFused("0→[1]→1", y.block());
        chain.launches.removeLast();
        BlockView square = chain.view(t.block(), 1, 10);
        BlockView z = chain.binary(BinaryKernel.ADD, square, chain.contiguous(1, 10, 10), 10, 10);
        requireFused("0 1", z.block());
        chain.launches.removeLast();
        BlockView half = chain.unary(UnaryKernel.EXP, chain.contiguous(t.block(), 50), 50);
        requireFused("0 1", half.block());
    }

    @Test
    void operandsThatAlignWithTheResultMayChangeOthersNot() {
        BlockView t = writer(a, N);
        chain.binaryInto(a, BinaryKernel.ADD, t, a, N);
        requireFused("0→[1]→1", a.block());
        chain.launches.removeLast();
        BlockView weight = chain.contiguous(9, N);
        chain.binaryInto(weight, BinaryKernel.ADD, t, weight, N);
        requireFused("0 1", 9);
        chain.launches.removeLast();
        BlockView shifted = new BlockView(a.block(), a.element(), 1, a.strides());
        chain.binaryInto(shifted, BinaryKernel.ADD, t, shifted, N);
        requireFused("0 1", a.block());
    }

    @Test
    void aLoopThatUsesAnotherResultOfTheLaunchComesAfterIt() {
        BlockView t = writer(a, N);
        BlockView y = chain.binary(BinaryKernel.ADD, t, chain.contiguous(8, N), N);
        requireFused("0 1", y.block());
        chain.launches.removeLast();
        chain.binaryInto(chain.contiguous(8, N), BinaryKernel.ADD, t, b, N);
        requireFused("0 1", 8);
    }

    /// Apart, the operand of the launch ends before the results of the loop begin.
    @Test
    void aLaunchThatHandsItsResultOnKeepsNoMoreBlocksAlive() {
        BlockView t = writer(a, N);
        BlockView y = chain.binary(BinaryKernel.ADD, t, b, N);
        BlockView z = chain.unary(UnaryKernel.EXP, y, N);
        chain.other(Set.of(y.block(), z.block()), Set.of(7));
        requireFused("0 [1, 2]→2 3", 7, 9, b.block());
        // One result lies where an operand of the loop was.
        requireFused("0→[1, 2]→2 3", 7, 9);
        // The operands of the launch do not end.
        requireFused("0→[1, 2]→2 3", 7, 9, a.block(), b.block());
    }

    @Test
    void elementsOfAnotherSizeThanTheNumbersOfTheExpressionStayInMemory() {
        BlockView t = new BlockView(5, Element.FLOAT64, 0, new long[] {1});
        chain.add(UnaryKernel.EXP.of(false), List.of(a), t, N);
        chain.add(UnaryKernel.TANH.of(false), List.of(t), b, N);
        requireFused("0 1", b.block());
    }

    @Test
    void aSelectionByADrawIsOneLoopAfterIt() {
        BlockView draw = chain.contiguous(chain.newBlock(), N);
        chain.other(Set.of(), Set.of(draw.block()));
        var mask = new BlockView(chain.newBlock(), Element.BOOL, 0, new long[] {1});
        chain.add(BinaryKernel.GREATER_OR_EQUAL.of(false), List.of(draw, chain.view(1, 0)), mask, N);
        BlockView scaled = chain.binary(BinaryKernel.MULTIPLY, a, chain.view(2, 0), N);
        BlockView y = chain.contiguous(chain.newBlock(), N);
        CopyKernels kernels = CopyKernels.of(Float.BYTES);
        chain.add(kernels.copy, List.of(chain.view(3, 0)), y, N);
        chain.add(kernels.put(), List.of(scaled, mask), y, N);
        requireFused("0 [1, 2, 3, 4]→1", y.block(), 0, 1, 2, 3);
    }

    @Test
    void emptyLaunchesStayAlone() {
        BlockView t = chain.unary(UnaryKernel.EXP, chain.contiguous(0, 0), 0);
        chain.unary(UnaryKernel.TANH, t, 0);
        requireFused("0 1");
    }
}
