/// What a training leaves for people to look at: a [org.toydiff.train.report.History] of every step and epoch, saved
/// as CSV or JSON, and a [org.toydiff.train.report.Report], a page of charts in a single HTML file.
///
/// A [org.toydiff.train.Trainer] writes both by itself; neither needs one:
/// ```java
/// var history = new History(List.of("epoch", "loss"), List.of("step", "loss"));
/// history.addStep(1, 0.7);
/// history.addEpoch(1, 0.7);
/// Report.of(history).title("Digits").write(Path.of("report.html"));
/// ```
package org.toydiff.train.report;
