package org.toydiff.internal.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.UnaryKernel;

/// Operands that a launch has set to one number. Lists of launches read as in [FusionRulesTest].
class ConstantOperandsTest {
    private static final long[] N = {100};

    private final Chain chain = new Chain(false, 10);
    private final BlockView a = chain.contiguous(0, N);

    /// Another view of a block, all of whose elements are its first.
    private BlockView repeated(BlockView view) {
        return chain.view(view.block(), 0);
    }

    private void requireFused(String expected, Integer... kept) {
        assertEquals(expected, Chain.text(chain.fuse(kept)));
    }

    private void requireCode(String expected, Integer... kept) {
        FusedLaunch.Loop loop = (FusedLaunch.Loop) chain.fuse(kept).getLast();
        assertEquals(expected, loop.program().toString());
    }

    @Test
    void aNumberIsPartOfTheLoopAndItsFillIsLeftOut() {
        BlockView half = chain.fill(0.5, 1);
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, a, repeated(half), N);
        BlockView again = chain.fill(0.5, N);
        BlockView y = chain.binary(BinaryKernel.ADD, again, t, N);
        requireFused("[1, 3]→1", y.block());
        requireCode("""
                t0 = multiply(x0, 0.5)
                y0 = add(0.5, t0)""", y.block());
    }

    @Test
    void aSingleLaunchWithANumberIsALoopToo() {
        BlockView y = chain.binary(BinaryKernel.MULTIPLY, a, repeated(chain.fill(-0.0, 1)), N);
        requireFused("[1]→1", y.block());
        requireCode("y0 = multiply(x0, -0.0)", y.block());
    }

    @Test
    void aFillThatOthersReadStaysALaunch() {
        BlockView half = chain.fill(0.5, 1);
        BlockView y = chain.binary(BinaryKernel.MULTIPLY, a, repeated(half), N);
        requireFused("0 [1]→1", y.block(), half.block());
        chain.other(Set.of(half.block()), Set.of(9));
        requireFused("0 [1]→1 2", y.block());
    }

    @Test
    void arithmeticOnNumbersIsANumber() {
        BlockView one = chain.fill(1, 1);
        BlockView mean = chain.binaryInto(one, BinaryKernel.DIVIDE, one, chain.fill(3, 1), 1);
        BlockView loss = chain.unary(UnaryKernel.NEGATIVE, mean, 1);
        BlockView y = chain.binary(BinaryKernel.MULTIPLY, a, repeated(loss), N);
        requireFused("[4]→1", y.block());
        requireCode("y0 = multiply(x0, -0.33333334)", y.block());
        chain.other(Set.of(mean.block()), Set.of(9));
        requireFused("[2]→1 [4]→1 5", y.block());
    }

    @Test
    void anotherNumberInTheSameBlockCountsFromThenOn() {
        BlockView x = chain.fill(2, 1);
        BlockView y = chain.binary(BinaryKernel.ADD, a, repeated(x), N);
        chain.launches.add(RecordedLaunch.Elementwise.fill(3, x, new long[] {1}));
        BlockView z = chain.binary(BinaryKernel.MULTIPLY, y, repeated(x), N);
        requireFused("[1, 3]→1", z.block());
        requireCode("""
                t0 = add(x0, 2.0)
                y0 = multiply(t0, 3.0)""", z.block());
    }

    @Test
    void aBlockThatIsWrittenOtherwiseIsNoNumber() {
        BlockView x = chain.fill(2, N);
        chain.other(Set.of(x.block()), Set.of(x.block()));
        BlockView y = chain.binary(BinaryKernel.ADD, a, x, N);
        requireFused("0 1 2", y.block());
    }

    @Test
    void elementsOutsideOfTheFilledOnesAreNoNumber() {
        BlockView x = chain.fill(2, 50);
        BlockView y = chain.binary(BinaryKernel.ADD, a, chain.view(x.block(), 1), N);
        requireFused("0 1", y.block());
        BlockView z = chain.binary(BinaryKernel.ADD, y, chain.view(x.block(), 0), N);
        requireFused("0 [1, 2]→1", z.block());
    }

    @Test
    void integersAreNumbersAndTruthValuesAreNot() {
        var three = new BlockView(chain.newBlock(), Element.INT32, 0, new long[] {0});
        var integer = new BlockView(chain.newBlock(), Element.INT32, 0, new long[] {1});
        chain.launches.add(RecordedLaunch.Elementwise.fill(-3, three, new long[] {1}));
        chain.add(IntegerKernels.of(BinaryKernel.ADD, false), List.of(integer, three), integer, N);
        requireFused("[1]→1", integer.block());
        requireCode("y0 = add(x0, -3)", integer.block());
        var truth = new BlockView(chain.newBlock(), Element.BOOL, 0, new long[] {1});
        assertEquals(null, RecordedLaunch.Elementwise.fill(1, truth, N));
    }
}
