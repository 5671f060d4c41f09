package org.toydiff.train;

import java.io.IOException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.toydiff.data.DataLoader;
import org.toydiff.train.report.Report;

/// Writes the results of a training: history files and the report.
final class ResultFiles {
    private final Trainer settings;
    private final Training training;
    private final DataLoader loader;
    private final boolean validated;
    private final BestConfusionMatrix confusion;

    ResultFiles(
            Trainer settings, Training training, DataLoader loader, boolean validated, BestConfusionMatrix confusion) {
        this.settings = settings;
        this.training = training;
        this.loader = loader;
        this.validated = validated;
        this.confusion = confusion;
    }

    void writeHistory() throws IOException {
        if (settings.csv != null) {
            training.history().writeCsv(settings.csv);
        }
        if (settings.json != null) {
            training.history().writeJson(settings.json);
        }
    }

    void writeReport() throws IOException {
        if (settings.report == null) {
            return;
        }
        Report report = Report.of(training.history())
                .title(settings.title)
                .classNames(settings.classNames.toArray(String[]::new))
                .model(training.model())
                .best(training.monitor(), training.higherIsBetter());
        settings.facts.forEach(report::fact);
        addFacts(report);
        if (training.schedule() != null) {
            report.schedule(training.schedule());
        }
        if (training.plan() != null) {
            report.plan(training.plan());
        }
        if (confusion.matrix() != null) {
            String of = (validated ? "validation" : "training") + " in epoch " + confusion.epoch();
            report.confusion(confusion.matrix(), of);
        }
        report.write(settings.report);
    }

    private void addFacts(Report report) {
        var now = ZonedDateTime.now().truncatedTo(ChronoUnit.SECONDS);
        report.fact(
                "Finished", DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(now).replace('T', ' '));
        if (training.stopReason() != null) {
            report.fact("Stopped", training.stopReason());
        }
        if (settings.ranks != null) {
            var group = settings.ranks.group();
            report.fact(
                    "Processes",
                    group.size() + ", " + settings.ranks.shards().shards() + " shards; " + group.library());
        }
        report.fact("Optimizer", settings.optimizer.getClass().getSimpleName());
        String microBatches =
                settings.microBatch < Long.MAX_VALUE ? ", in micro-batches of " + settings.microBatch : "";
        report.fact("Batch", loader.size() + " examples in " + loader.batches() + " batches an epoch" + microBatches);
    }
}
