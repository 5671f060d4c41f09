/// Records of a training: a [org.toydiff.train.report.History] of every step and epoch, saved as CSV or JSON, and a
/// [org.toydiff.train.report.Report], a page of charts in a single HTML file. A
/// [org.toydiff.train.report.Comparison] shows several histories in one page.
///
/// A [org.toydiff.train.Trainer] writes both; they also work without one:
/// ```java
/// var history = new History(List.of("epoch", "loss"), List.of("step", "loss"));
/// history.addStep(1, 0.7);
/// history.addEpoch(1, 0.7);
/// Report.of(history).title("Digits").write(Path.of("report.html"));
/// ```
/// | subject | files |
/// |---|---|
/// | rows, CSV and JSON | [org.toydiff.train.report.History], `HistoryTable` |
/// | the page of a run | [org.toydiff.train.report.Report], `ReportData`, `report.js` |
/// | the page of several runs | [org.toydiff.train.report.Comparison], `ComparisonData`, `comparison.js` |
/// | parts of both | `HistoryJson`, `curves.js`; `HtmlPage` and `page.js` of `internal.files` |
/// | memory over a step | `BlockLifetimes` |
///
/// Settings of a report follow the convention of [org.toydiff.data].
package org.toydiff.train.report;
