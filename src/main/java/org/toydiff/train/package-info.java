/// Training with everything around it: the loop itself, metrics, a history of every step, checkpoints, progress on
/// the terminal and a report. Made of the public API of `org.toydiff` and its packages alone.
///
/// ```java
/// var result = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
///         .metrics(new Accuracy())
///         .epochs(20)
///         .report(Path.of("report.html"))
///         .fit(training, validation);
/// ```
///
/// Each part works without the others: a loop of one's own can add to a [org.toydiff.train.History], update metrics
/// and write a [org.toydiff.train.Report].
package org.toydiff.train;
