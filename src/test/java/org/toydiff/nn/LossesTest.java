package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.GradientCheck;
import org.toydiff.Tensor;

/// The errors of losses for targets that do not fit, and labels that losses ignore.
class LossesTest extends ArenaTest {
    @Test
    void labelsOfAnotherDtypeAreToBeCast() {
        Tensor logits = Tensor.ones(2, 3);
        var weighted = new CrossEntropyLoss().weight(Tensor.ones(3)).labelSmoothing(0.1);
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64, DType.BOOL}) {
            Tensor labels = Tensor.zeros(dtype, 2);
            String problem = ": labels [2] are " + dtype + "; cast them: labels.cast(DType.INT64)";
            rejected("crossEntropy" + problem, () -> logits.crossEntropy(labels));
            rejected("crossEntropy" + problem, () -> Functional.crossEntropyLoss(logits, labels));
            rejected("crossEntropy" + problem, () -> weighted.forward(logits, labels));
            rejected("nllLoss" + problem, () -> Functional.nllLoss(logits, labels));
        }
    }

    @Test
    void probabilitiesOfAnotherDtypeAreToBeCast() {
        Tensor logits = Tensor.ones(2, 3);
        var weighted = new CrossEntropyLoss().weight(Tensor.ones(3)).labelSmoothing(0.1);
        for (DType dtype : new DType[] {DType.INT32, DType.INT64, DType.BOOL}) {
            Tensor certain = Tensor.zeros(dtype, 2, 3);
            String problem = ": probabilities [2, 3] are " + dtype + "; cast them: target.cast(logits.dtype())";
            rejected("crossEntropyLoss" + problem, () -> Functional.crossEntropyLoss(logits, certain));
            rejected("CrossEntropyLoss" + problem, () -> weighted.forward(logits, certain));
        }
    }

    @Test
    void targetsOfAnotherShapeAreNamed() {
        Tensor logits = Tensor.ones(2, 3);
        var weighted = new CrossEntropyLoss().weight(Tensor.ones(3)).labelSmoothing(0.1);
        String shapes =
                ": logits [2, 3] and target [2, 1] float32 do not fit; the target is labels [n], INT32 or INT64,"
                        + " or probabilities [n, classes]";
        rejected("crossEntropyLoss" + shapes, () -> Functional.crossEntropyLoss(logits, Tensor.ones(2, 1)));
        rejected("CrossEntropyLoss" + shapes, () -> weighted.forward(logits, Tensor.ones(2, 1)));
    }

    private static Tensor logits(DType dtype) {
        Tensor.manualSeed(3);
        return Tensor.randn(dtype, 4, 3);
    }

    @Test
    void gradientsOfIgnoredRowsAreThoseOfDifferences() {
        Tensor x = logits(DType.FLOAT64);
        Tensor weight = Tensor.of(new double[] {1, 2, 3});
        for (int ignored : new int[] {-100, 1, 7}) {
            Tensor labels = Tensor.of(new int[] {2, ignored, 0, ignored});
            var loss = new CrossEntropyLoss().ignoreIndex(ignored);
            var both = new CrossEntropyLoss().weight(weight).labelSmoothing(0.2).ignoreIndex(ignored);
            for (UnaryOperator<Tensor> of : List.<UnaryOperator<Tensor>>of(
                    t -> loss.forward(t, labels),
                    t -> both.forward(t, labels),
                    t -> t.crossEntropy(labels, ignored).multiply(t.sum(1)),
                    t -> Functional.nllLoss(t.exp(), labels, Reduction.SUM, ignored))) {
                GradientCheck.check(of, x);
            }
        }
    }

    @Test
    void ignoredRowsAreZeroWhateverTheirLogits() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            Tensor x = logits(dtype);
            x.slice(0, 1, 2).copyFrom(Tensor.full(dtype, Double.NaN, 1, 3));
            x.slice(0, 3, 4).copyFrom(Tensor.full(dtype, Double.POSITIVE_INFINITY, 1, 3));
            x.trackGradient();
            Tensor losses = x.crossEntropy(Tensor.of(new long[] {2, -1, 0, -1}), -1);
            assertEquals(0, losses.at(1));
            assertEquals(0, losses.at(3));
            losses.sum().backward();
            Tensor plain = x.detach().slice(0, 0, 3).copyTo(arena).trackGradient();
            plain.slice(0, 0, 3)
                    .crossEntropy(Tensor.of(new long[] {2, 0, 0}))
                    .sum()
                    .backward();
            for (int column = 0; column < 3; column++) {
                assertEquals(0, x.gradient().at(1, column));
                assertEquals(0, x.gradient().at(3, column));
                assertEquals(plain.gradient().at(0, column), x.gradient().at(0, column), "the same bits");
                assertEquals(plain.gradient().at(2, column), x.gradient().at(2, column));
            }
        }
    }

    @Test
    void ignoredRowsOfViewsAreThoseOfCopies() {
        Tensor.manualSeed(4);
        Tensor logits = Tensor.randn(5, 8).transpose().slice(0, 2, 6);
        Tensor labels = Tensor.of(new long[] {4, 0, -7, 0, 1, 3, -7, 0}, 4, 2)
                .transpose()
                .get(0);
        assertArrayEquals(new long[] {4, -7, 1, -7}, labels.toLongArray());
        float[] losses = logits.crossEntropy(labels, -7).toFloatArray();
        assertArrayEquals(
                logits.copyTo(arena).crossEntropy(labels.copyTo(arena), -7).toFloatArray(), losses);
        assertTrue(losses[0] > 0 && losses[1] == 0 && losses[2] > 0 && losses[3] == 0);
    }

    @Test
    void otherLabelsAreStillChecked() {
        Tensor x = logits(DType.FLOAT32);
        Tensor labels = Tensor.of(new int[] {2, -100, 0, 3});
        String three = "crossEntropy: label 3 at position 3 is none of the 3 classes, 0 to 2";
        rejected(three, () -> Functional.crossEntropyLoss(x, labels, Reduction.MEAN, -100));
        rejected(three, () -> new CrossEntropyLoss().ignoreIndex(-100).forward(x, labels));
        rejected(
                "gather: index 3 is out of range for axis 1 of [4, 3]",
                () -> Functional.nllLoss(x, labels, Reduction.MEAN, -100));
        rejected(
                "crossEntropy: label -100 at position 1 is none of the 3 classes, 0 to 2; to ignore such rows, give it"
                        + " as ignoreIndex",
                () -> Functional.crossEntropyLoss(x, labels));
        Tensor least = Tensor.of(new long[] {0, 0, Long.MIN_VALUE, 0});
        rejected(
                "crossEntropy: label -9223372036854775808 at position 2 is none of the 3 classes, 0 to 2; to ignore such"
                        + " rows, give it as ignoreIndex",
                () -> x.crossEntropy(least));
    }

    @Test
    void probabilitiesHaveNoLabelToIgnore() {
        rejected(
                "CrossEntropyLoss: the target [2, 3] is probabilities, and ignoreIndex is for labels; give labels [n]",
                () -> new CrossEntropyLoss().ignoreIndex(0).forward(Tensor.ones(2, 3), Tensor.ones(2, 3)));
    }

    @Test
    void settingsOutOfRangeAreRefused() {
        var loss = new CrossEntropyLoss();
        rejected("CrossEntropyLoss: the weight [2, 2] must be [classes]", () -> loss.weight(Tensor.ones(2, 2)));
        rejected(
                "CrossEntropyLoss: labelSmoothing: 1.5 is no probability; give 0 to 1", () -> loss.labelSmoothing(1.5));
        assertThrows(NullPointerException.class, () -> loss.weight(null));
        assertThrows(NullPointerException.class, () -> loss.reduction(null));
    }

    @Test
    void withoutClassesEveryRowMayBeIgnored() {
        Tensor x = Tensor.ones(2, 0).trackGradient();
        Tensor losses = x.crossEntropy(Tensor.of(new int[] {-1, -1}), -1);
        assertArrayEquals(new float[2], losses.toFloatArray());
        losses.sum().backward();
        assertArrayEquals(new long[] {2, 0}, x.gradient().shape());
        assertEquals(0, Tensor.ones(0, 0).crossEntropy(Tensor.of(new int[0])).size());
    }

    @Test
    void theDivisorOfAMeanIsTheWeightOfTheCountedRows() {
        Tensor x = logits(DType.FLOAT32);
        Tensor labels = Tensor.of(new int[] {2, -100, 0, -100});
        var terms = new LossTerms();
        terms.record(() -> Functional.crossEntropyLoss(x, labels, Reduction.MEAN, -100));
        assertEquals(2, terms.denominator());
        terms.record(() -> new CrossEntropyLoss()
                .weight(Tensor.of(1, 2, 4))
                .ignoreIndex(-100)
                .forward(x, labels));
        assertEquals(5, terms.denominator());
        Tensor none = Tensor.full(DType.INT32, -100, 4);
        Tensor loss = terms.record(() -> Functional.nllLoss(x, none, Reduction.MEAN, -100));
        assertEquals(0, terms.denominator());
        assertTrue(Double.isNaN(loss.item()));
        terms.record(() -> Functional.crossEntropyLoss(x, labels, Reduction.SUM, -100));
        assertTrue(terms.summed());
    }
}
