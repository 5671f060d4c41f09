package org.toydiff.train.report;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.toydiff.internal.files.OptionalLibrary;

/// The HTML page around the data of a report: a template, a style sheet, a script and the library of charts.
final class HtmlPage {
    /// The place of a part in the template.
    private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)}}");

    private HtmlPage() {}

    /// Returns the page.
    ///
    /// @param data JSON in which `<` is escaped
    static String of(String title, String data) throws IOException {
        Map<String, String> parts = Map.of(
                "title", escaped(title),
                "style", resource("report.css"),
                "script", resource("report.js"),
                "data", data,
                "charts", charts());
        return PLACE.matcher(resource("report.html"))
                .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    private static String resource(String name) throws IOException {
        try (InputStream stream = HtmlPage.class.getResourceAsStream(name)) {
            return text(stream);
        }
    }

    private static String charts() throws IOException {
        var properties = new Properties();
        try (InputStream stream = OptionalLibrary.ECHARTS.find().openStream()) {
            properties.load(stream);
        }
        String path =
                "META-INF/resources/webjars/echarts/" + properties.getProperty("version") + "/dist/echarts.min.js";
        URL script = OptionalLibrary.find(path);
        if (script == null) {
            throw new IOException(
                    "report: the ECharts dependency has no " + path + "; use " + OptionalLibrary.ECHARTS.artifact());
        }
        try (InputStream stream = script.openStream()) {
            // No known version contains the end of a script element; escaped in a string it means the same.
            return text(stream).replace("</script", "<\\/script");
        }
    }

    private static String text(InputStream stream) throws IOException {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
}
