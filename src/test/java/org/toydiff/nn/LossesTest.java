package org.toydiff.nn;

import static org.toydiff.Checks.rejected;

import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The errors of losses for targets that do not fit.
class LossesTest extends ArenaTest {
    @Test
    void labelsOfAnotherDtypeAreToBeCast() {
        Tensor logits = Tensor.ones(2, 3);
        var weighted = new CrossEntropyLoss(Tensor.ones(3), 0.1, Reduction.MEAN);
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
        var weighted = new CrossEntropyLoss(Tensor.ones(3), 0.1, Reduction.MEAN);
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
        var weighted = new CrossEntropyLoss(Tensor.ones(3), 0.1, Reduction.MEAN);
        String shapes =
                ": logits [2, 3] and target [2, 1] float32 do not fit; the target is labels [n], INT32 or INT64,"
                        + " or probabilities [n, classes]";
        rejected("crossEntropyLoss" + shapes, () -> Functional.crossEntropyLoss(logits, Tensor.ones(2, 1)));
        rejected("CrossEntropyLoss" + shapes, () -> weighted.forward(logits, Tensor.ones(2, 1)));
    }
}
