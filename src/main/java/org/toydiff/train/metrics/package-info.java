/// Measures of the quality of outputs, accumulated over batches; each is a [org.toydiff.train.metrics.Metric].
///
/// | metric | outputs | value |
/// |---|---|---|
/// | [org.toydiff.train.metrics.Accuracy] | scores of classes, or binary | the fraction classified correctly |
/// | [org.toydiff.train.metrics.TopKAccuracy] | scores of classes | the fraction with the label among the best k |
/// | [org.toydiff.train.metrics.F1] | scores of classes | the harmonic mean of precision and recall |
/// | [org.toydiff.train.metrics.ConfusionMatrix] | scores of classes | the balanced accuracy, and all counts |
/// | [org.toydiff.train.metrics.Mean] | any | the mean of a loss or an error over all examples |
///
/// Those of classes leave out the examples with a label that their `ignoreIndex` names, as the loss does.
///
/// A [org.toydiff.train.Trainer] updates its metrics; in another loop:
/// ```java
/// var accuracy = new Accuracy();
/// for (Batch batch : loader)
///     try (var arena = TensorArena.ofConfined()) {
///         accuracy.update(net.forward(batch.x()), batch.y());
///     }
/// IO.println(accuracy.value());
/// ```
package org.toydiff.train.metrics;
