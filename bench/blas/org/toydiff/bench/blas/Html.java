package org.toydiff.bench.blas;

import java.io.IOException;
import org.toydiff.internal.files.HtmlPage;

/// The report as a self-contained page, of the design of toydiff's training reports.
final class Html {
    private Html() {}

    static String of(BlasReport report) throws IOException {
        return HtmlPage.of("BLAS from the JVM", Json.of(report).strip(), HtmlPage.text(Html.class, "blasbench.js"));
    }
}
