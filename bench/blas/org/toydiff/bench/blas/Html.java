package org.toydiff.bench.blas;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// The report as a self-contained page: the JSON, a script that draws it, and Apache ECharts.
final class Html {
    private static final String ECHARTS = "/META-INF/resources/webjars/echarts/5.3.1/dist/echarts.common.min.js";

    private Html() {}

    static String of(BlasReport report) throws IOException {
        // ECharts goes in last, so that no placeholder is searched for in it.
        return read("page.html").replace("/*REPORT*/", Json.of(report).strip()).replace("/*ECHARTS*/", read(ECHARTS));
    }

    private static String read(String resource) throws IOException {
        try (InputStream in = Html.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IOException(resource + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
