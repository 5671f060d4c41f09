/// Numbers that say how good outputs are, accumulated over batches: each is a [org.toydiff.train.metrics.Metric].
///
/// | metric | outputs | value |
/// |---|---|---|
/// | [org.toydiff.train.metrics.Accuracy] | scores of classes, or of yes and no | the fraction classified right |
/// | [org.toydiff.train.metrics.TopKAccuracy] | scores of classes | the fraction with the label among the best k |
/// | [org.toydiff.train.metrics.F1] | scores of classes | precision and recall in one |
/// | [org.toydiff.train.metrics.ConfusionMatrix] | scores of classes | the balanced accuracy, and every count |
/// | [org.toydiff.train.metrics.Mean] | any | the mean of a loss or an error over all examples |
///
/// A [org.toydiff.train.Trainer] updates them by itself; in any other loop:
/// ```java
/// var accuracy = new Accuracy();
/// for (Batch batch : loader)
///     try (var arena = TensorArena.ofConfined()) {
///         accuracy.update(net.forward(batch.x()), batch.y());
///     }
/// IO.println(accuracy.value());
/// ```
package org.toydiff.train.metrics;
