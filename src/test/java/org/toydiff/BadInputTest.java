package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.optim.SGD;

/// What a caller does wrong is named, with the remedy, and nothing is lost by it.
class BadInputTest extends ArenaTest {
    private static String state(Executable call) {
        return assertThrows(IllegalStateException.class, call).getMessage();
    }

    @Test
    void shapesThatDoNotBroadcast() {
        Tensor a = Tensor.ones(2, 3);
        Tensor b = Tensor.ones(4, 2);
        long live = arena.liveBytes();
        rejected("add: [2, 3] and [4, 2] do not broadcast (axis -1: 3 and 2)", () -> a.add(b));
        rejected("greater: [2, 3] and [4, 2] do not broadcast (axis -1: 3 and 2)", () -> a.greater(b));
        rejected("broadcastTo: [2, 3] does not stretch to [3, 2]", () -> a.broadcastTo(3, 2));
        rejected("copyFrom: [4, 2] does not stretch to [2, 3]", () -> a.copyFrom(b));
        assertEquals(live, arena.liveBytes());
    }

    @Test
    void shapesThatDoNotMultiply() {
        Tensor a = Tensor.ones(2, 3);
        rejected("matmul: [2, 3] and [4, 5] do not multiply (inner sizes 3 and 4)", () -> a.matmul(Tensor.ones(4, 5)));
        rejected("matmul: [] and [2, 3] do not multiply (a scalar has no axes; use multiply)", () -> Tensor.scalar(1)
                .matmul(a));
        rejected(
                "matmul: the leading axes of [2, 1, 3] and [5, 3, 1] do not broadcast ([2] and [5])",
                () -> Tensor.ones(2, 1, 3).matmul(Tensor.ones(5, 3, 1)));
        rejected(
                "fma: c [7] does not broadcast to the product [2, 4] of [2, 3] and [3, 4]",
                () -> a.fma(Tensor.ones(3, 4), Tensor.ones(7)));
    }

    @Test
    void axesAndPositionsOutOfRange() {
        Tensor a = Tensor.ones(2, 3);
        rejected("size: axis 2 is out of range for a tensor of rank 2; use -2 to 1", () -> a.size(2));
        rejected("size: axis 0 is out of range for a tensor of rank 0 (a scalar has no axes)", () -> a.sum()
                .size(0));
        rejected("squeeze: axis -3 is out of range for a tensor of rank 2; use -2 to 1", () -> a.squeeze(-3));
        rejected("unsqueeze: axis 3 is out of range for a tensor of rank 3; use -3 to 2", () -> a.unsqueeze(3));
        rejected("sum: axis 2 is out of range for a tensor of rank 2; use -2 to 1", () -> a.sum(2));
        rejected("max: axis 0 is out of range for a tensor of rank 0 (a scalar has no axes)", () -> Tensor.scalar(1)
                .max(0));
        rejected("slice: 1 to 4 is out of range for axis 1 of [2, 3], which has 3 positions", () -> a.slice(1, 1, 4));
        rejected("get: index 2 is out of range for [2, 3], which has 2 entries", () -> a.get(2));
        rejected("at: index [0, 3] is out of range for shape [2, 3]", () -> a.at(0, 3));
        rejected("transpose: axes [0, 0] of [2, 3] must name each of its 2 axes once", () -> a.transpose(0, 0));
        rejected("reshape: [2, 3] has 6 elements and does not fit [4, -1]", () -> a.reshape(4, -1));
        rejected("max: axis 0 of [0, 2] has size 0, and nothing has no max", () -> Tensor.ones(0, 2)
                .max(0));
    }

    @Test
    void wrongDTypes() {
        Tensor a = Tensor.ones(2, 3);
        Tensor labels = Tensor.of(new int[] {1, 2});
        rejected(
                "exp: takes FLOAT32, FLOAT64 or BFLOAT16, and [2] is int32; cast(DType.FLOAT64) first",
                () -> labels.exp());
        rejected(
                "add: [2, 3] is float32 and [] is float64; cast(DType.FLOAT64) the first",
                () -> a.add(Tensor.scalar(DType.FLOAT64, 1)));
        long live = arena.liveBytes();
        rejected(
                "elu: takes FLOAT32, FLOAT64 or BFLOAT16, and [2] is int32; cast(DType.FLOAT64) first",
                () -> labels.elu(0.7));
        assertEquals(live, arena.liveBytes());
        rejected("rand: takes FLOAT32, FLOAT64 or BFLOAT16, not int32", () -> Tensor.rand(DType.INT32, 2));
        rejected(
                "trackGradient: takes FLOAT32, FLOAT64 or BFLOAT16, and [2] is int32; cast(DType.FLOAT64) first",
                labels::trackGradient);
    }

    @Test
    void nanHasNoLabel() {
        Tensor x = Tensor.of(1, Float.NaN);
        long live = arena.liveBytes();
        rejected(
                "cast: NaN has no value of dtype int64; replace it, or keep a floating dtype",
                () -> x.cast(DType.INT64));
        rejected(
                "cast: 3.0E10 has no value of dtype int32; replace it, or keep a floating dtype",
                () -> Tensor.scalar(DType.FLOAT64, 3e10).cast(DType.INT32));
        assertEquals(live + 64, arena.liveBytes(), "only the scalar was made");
    }

    @Test
    void shapesWhoseProductOverflows() {
        rejected(
                "zeros: shape [4294967296, 4294967296] has more bytes than a long can count; check its sizes",
                () -> Tensor.zeros(1L << 32, 1L << 32));
        rejected("zeros: negative size in shape [2, -1]", () -> Tensor.zeros(2, -1));
        Tensor scalar = Tensor.scalar(1);
        rejected(
                "broadcastTo: shape [4611686018427387904, 4] has more bytes than a long can count; check its sizes",
                () -> scalar.broadcastTo(1L << 62, 4));
    }

    @Test
    void resultsWhoseProductOverflows() {
        Tensor tall = Tensor.ones(1, 1).broadcastTo(Integer.MAX_VALUE, 1);
        rejected(
                "matmul: shape [2147483647, 2147483647] has more bytes than a long can count; check its sizes",
                () -> tall.matmul(tall.transpose()));
        rejected(
                "add: shape [2147483647, 2147483647] has more bytes than a long can count; check its sizes",
                () -> tall.add(tall.transpose()));
        assertThrows(MemoryLimitException.class, () -> tall.broadcastTo(Integer.MAX_VALUE, 1 << 20)
                .add(1));
    }

    @Test
    void whatMakesATensorIsNamedAsItWasCalled() {
        rejected("zeros: negative size in shape [-1]", () -> Tensor.zeros(-1));
        rejected("ones: negative size in shape [-1]", () -> Tensor.ones(DType.INT64, -1));
        rejected("full: negative size in shape [-1]", () -> Tensor.full(2, -1));
        rejected("eye: negative size in shape [-1, -1]", () -> Tensor.eye(-1));
        rejected(
                "scalar: NaN has no value of dtype int32; replace it, or keep a floating dtype",
                () -> Tensor.scalar(DType.INT32, Double.NaN));
        rejected(
                "stack: axis 3 is out of range for a tensor of rank 2; use -2 to 1",
                () -> Tensor.stack(3, Tensor.ones(2), Tensor.ones(2)));
    }

    @Test
    void wholeNumbersAreSentToAFloatingDTypeThatHoldsThem() {
        Tensor large = Tensor.of(new long[] {(1L << 53) - 1});
        rejected("log: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is int64; cast(DType.FLOAT64) first", large::log);
        assertEquals((1L << 53) - 1, (long) large.cast(DType.FLOAT64).item());
    }

    @Test
    void axesThatAreTooLongTogether() {
        Tensor half = Tensor.zeros(1).broadcastTo(1L << 60);
        long live = arena.liveBytes();
        Tensor[] parts = new Tensor[16];
        Arrays.fill(parts, half);
        rejected(
                "concat: [8070450532247928832] and [1152921504606846976] are longer together along axis 0 than a long"
                        + " can count; join fewer",
                () -> Tensor.concat(0, parts));
        rejected(
                "stack: shape [16, 1152921504606846976] has more bytes than a long can count; check its sizes",
                () -> Tensor.stack(0, parts));
        assertEquals(live, arena.liveBytes());
    }

    @Test
    void aClosedTensor() {
        Tensor lost;
        Tensor leaf = Tensor.ones(2).trackGradient();
        Tensor result;
        try (var inner = TensorArena.ofConfined()) {
            lost = Tensor.ones(2, 3);
            result = leaf.exp().sum();
        }
        String remedy =
                ": the arena of the tensor [2, 3] is closed; copyTo(arena) or moveTo(arena) lets it outlive its arena";
        assertEquals("add" + remedy, state(() -> lost.add(1)));
        assertEquals("item" + remedy, state(lost::item));
        assertEquals("segment" + remedy, state(lost::segment));
        assertEquals("Tensor(freed, shape=[2, 3], dtype=float32)", lost.toString());
        assertTrue(state(result::backward).startsWith("backward: the arena of the tensor"));
    }

    @Test
    void aSegmentReadTooLateIsTheJdksOwnException() {
        MemorySegment segment;
        try (var inner = TensorArena.ofConfined()) {
            segment = Tensor.ones(2).segment();
        }
        assertThrows(IllegalStateException.class, () -> segment.get(java.lang.foreign.ValueLayout.JAVA_FLOAT, 0));
    }

    @Test
    void arenasClosedOutOfOrder() {
        try (var inner = TensorArena.ofConfined()) {
            assertEquals(
                    "close: this arena is not the innermost one of thread "
                            + Thread.currentThread().getName()
                            + "; close those opened after it first, in reverse order",
                    state(arena::close));
            assertEquals(2, Tensor.ones(2).size(), "both are still open");
        }
    }

    @Test
    void noArenaAtAll() throws Exception {
        var failure = CompletableFuture.supplyAsync(
                        () -> assertThrows(IllegalStateException.class, () -> Tensor.ones(2)))
                .get();
        assertTrue(failure.getMessage().contains("try (var arena = TensorArena.ofConfined()) {"), failure.getMessage());
    }

    @Test
    void anotherThreadThanItsArenas() throws Exception {
        Tensor a = Tensor.ones(2);
        var failure = CompletableFuture.supplyAsync(() -> {
                    try (var own = TensorArena.ofConfined()) {
                        return assertThrows(WrongThreadException.class, () -> a.add(1));
                    }
                })
                .get();
        assertTrue(failure.getMessage().startsWith("add: the tensor [2] lives in a confined arena of another thread"));
        assertTrue(failure.getMessage().endsWith("make it in TensorArena.ofShared() to use it on several threads"));
    }

    @Test
    void anAllocationPastTheLimitLeavesEverythingAsItWas() {
        try (var small = TensorArena.ofConfined(1024)) {
            Tensor a = Tensor.ones(64);
            Tensor b = a.add(1);
            var failure = assertThrows(MemoryLimitException.class, () -> Tensor.ones(256));
            assertEquals(
                    "ones: 1.0 KiB for [256] float32 would pass the limit of its arena, 1.0 KiB; live 576 B;"
                            + " largest: add [64] float32 256 B, ones [64] float32 256 B, full [] float32 64 B",
                    failure.getMessage());
            assertEquals(576, small.liveBytes());
            assertEquals(128, b.sum().item());
        }
    }

    @Test
    void aBackwardPastTheLimitFreesWhatItMade() {
        Tensor x = Tensor.ones(64, 64).trackGradient();
        try (var small = TensorArena.ofConfined(3 * 16384 + 256)) {
            Tensor y = x.exp().tanh().sum();
            long live = small.liveBytes();
            assertThrows(MemoryLimitException.class, () -> y.backward());
            assertEquals(live, small.liveBytes());
            assertFalse(y.hasGradient());
        }
        try (var large = TensorArena.ofConfined()) {
            x.exp().tanh().sum().backward();
            assertTrue(x.hasGradient());
        }
    }

    @Test
    void backwardTwiceAfterEager() {
        Tensor x = Tensor.ones(2).trackGradient();
        Tensor y = x.exp().sum();
        y.backward(Release.EAGER);
        assertEquals(
                "backward: the graph of sum [] was released by an earlier backward(Release.EAGER);"
                        + " use Release.AT_CLOSE to go backward twice",
                state(y::backward));
    }

    @Test
    void backwardOnWhatIsNotTracked() {
        assertEquals(
                "backward: the tensor [2] tracks no gradient; call trackGradient() on a tensor it is computed from,"
                        + " before computing",
                state(() -> Tensor.ones(2).backward()));
        Tensor x = Tensor.ones(2).trackGradient();
        rejected("backward: the gradient [3] has another shape than the tensor [2]", () -> x.exp()
                .backward(Tensor.ones(3)));
        assertEquals(
                "gradient: the gradient of [2] is not there; call backward() on something computed from it",
                state(x::gradient));
    }

    @Test
    void anInPlaceChangeOfASavedValue() {
        Tensor x = Tensor.ones(2).trackGradient();
        Tensor y = x.multiply(x).sum();
        x.copyFrom(Tensor.zeros(2));
        assertEquals(
                "backward: multiply reads a value of shape [2] that was changed in place after multiply was computed;"
                        + " change it after backward, or give multiply a copy",
                state(y::backward));
        Tensor unread = x.add(1).sum();
        x.copyFrom(Tensor.ones(2));
        unread.backward();
        assertEquals(1, x.gradient().at(0), "a rule that reads nothing does not mind");
    }

    @Test
    void labelsThatAreNoClass() {
        Tensor logits = Tensor.ones(2, 3);
        rejected(
                "crossEntropy: label 3 at position 1 is none of the 3 classes, 0 to 2",
                () -> Functional.crossEntropyLoss(logits, Tensor.of(new int[] {0, 3})));
        rejected(
                "crossEntropy: logits [2, 3] and labels [3] int32 do not fit; they are [n, classes] and [n], INT32 or INT64"
                        + " (crossEntropyLoss also takes probabilities of the logits' shape)",
                () -> Functional.crossEntropyLoss(logits, Tensor.of(new int[] {0, 1, 2})));
        rejected(
                "gather: index -1 is out of range for axis 1 of [2, 3]",
                () -> logits.gather(1, Tensor.of(new int[] {0, -1}, 2, 1)));
        rejected(
                "mseLoss: output [2, 3] and target [3] differ in shape; reshape one of them",
                () -> Functional.mseLoss(logits, Tensor.ones(3)));
    }

    @Test
    void segmentsThatCannotBeWrapped() {
        rejected(
                "wrap: the segment is on the Java heap; allocate it from an Arena",
                () -> Tensor.wrap(MemorySegment.ofArray(new float[2]), DType.FLOAT32, 2));
        try (var jdk = Arena.ofConfined()) {
            MemorySegment segment = jdk.allocate(16, 8);
            rejected(
                    "wrap: [5] float32 takes 20 bytes, and the segment has 16",
                    () -> Tensor.wrap(segment, DType.FLOAT32, 5));
            rejected(
                    "wrap: the segment is not aligned to 4 bytes, as float32 needs",
                    () -> Tensor.wrap(segment.asSlice(1), DType.FLOAT32, 2));
        }
    }

    @Test
    void modulesAndOptimizers() {
        var layer = new Linear(3, 2);
        rejected(
                "Linear: loadStateDict: weight is [3, 2] float32 and not [2, 3] float32; bias is missing; extra is unknown",
                () -> layer.loadStateDict(Map.of("weight", Tensor.ones(3, 2), "extra", Tensor.ones(1))));
        rejected("SGD: there are no parameters", () -> new SGD(List.of(), 0.1));
        rejected("SGD: lr -1.0 is out of range", () -> new SGD(layer.parameters(), -1));
        rejected("Linear: sizes 0 and 2 must be positive", () -> new Linear(0, 2));
    }

    @Test
    void aRuleThatCapturesATensor() {
        Tensor x = Tensor.ones(2).trackGradient();
        Tensor other = Tensor.ones(2);
        Rule capturing = Rule.readsNothing(g -> g.multiply(other));
        var failure = assertThrows(
                AssertionError.class, () -> Tensor.ones(2).record("scale", null, new Rule[] {capturing}, x));
        assertEquals(
                "scale: its gradient rule captures a tensor; let the rule's type say what it reads",
                failure.getMessage());
    }
}
