/// The training loop: a [org.toydiff.train.Trainer] with checkpoint files, callbacks and progress on the terminal.
/// Metrics are in [org.toydiff.train.metrics], histories and reports in [org.toydiff.train.report]. Built on the
/// public API of `org.toydiff` and its packages alone, except for code that touches no tensor: files and optional
/// libraries.
///
/// ```java
/// var result = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
///         .metrics(new Accuracy())
///         .epochs(20)
///         .report(Path.of("report.html"))
///         .fit(training, validation);
/// ```
///
/// Settings follow the convention of [org.toydiff.data]. Each part works without the others: any loop can update
/// metrics, add to a [org.toydiff.train.report.History] and write a [org.toydiff.train.report.Report].
package org.toydiff.train;
