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
/// | subject | files |
/// |---|---|
/// | settings, and what a training returns | [org.toydiff.train.Trainer], [org.toydiff.train.Training] |
/// | the loop over epochs; one step, in micro-batches | `TrainingLoop`, `TrainingStep`, `MicroBatches` |
/// | forward and backward of a step, compiled | `CompiledPass` |
/// | when a checkpoint is written, and which | `TrainingCheckpoints`; the file is an [org.toydiff.io.CheckpointFile] |
/// | evaluation and prediction outside a training | `Evaluation`, `EvaluationStep` |
/// | losses and gradients that are not finite | [org.toydiff.train.NonFinite] |
/// | progress on the terminal | `ConsoleProgress`, `ProgressLine`, `TerminalBar` |
///
/// Settings follow the convention of [org.toydiff.data]. Each part works without the others: any loop can update
/// metrics, add to a [org.toydiff.train.report.History] and write a [org.toydiff.train.report.Report].
package org.toydiff.train;
