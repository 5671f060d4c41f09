package org.toydiff.train;

import java.io.IOException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.toydiff.data.DataLoader;

/// What a run leaves behind: history files and the report.
final class Results {
    private final Trainer settings;
    private final Training training;
    private final DataLoader loader;
    private final boolean validated;
    private ConfusionMatrix confusion;
    private int confusionEpoch;

    Results(Trainer settings, Training training, DataLoader loader, boolean validated) {
        this.settings = settings;
        this.training = training;
        this.loader = loader;
        this.validated = validated;
    }

    /// Keeps the counts of the epoch that has ended, if one of the metrics has some.
    void keepConfusion() {
        for (Metric metric : settings.metrics) {
            if (metric instanceof ConfusionMatrix matrix) {
                confusion = matrix.copy();
                confusionEpoch = training.epoch();
            }
        }
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
                .labels(settings.labels)
                .model(training.model())
                .best(training.monitor(), training.higherIsBetter());
        settings.facts.forEach(report::fact);
        addFacts(report);
        if (training.schedule() != null) {
            report.schedule(training.schedule());
        }
        if (confusion != null) {
            report.confusion(confusion, (validated ? "validation" : "training") + " in epoch " + confusionEpoch);
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
        report.fact("Optimizer", settings.optimizer.toString());
        String parts = settings.microBatch < Long.MAX_VALUE ? ", in parts of " + settings.microBatch : "";
        report.fact("Batch", loader.size() + " examples in " + loader.batches() + " batches an epoch" + parts);
    }
}
