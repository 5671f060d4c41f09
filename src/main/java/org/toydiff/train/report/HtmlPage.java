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

/// The HTML around a report's data: a template, a style sheet and a script, with the charts' library.
final class HtmlPage {
    /// Where a part belongs in the template.
    private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)}}");

    private HtmlPage() {}

    /// The whole page. `data` is JSON in which `<` is escaped.
    static String of(String title, String data) throws IOException {
        Map<String, String> parts = Map.of(
                "title", escaped(title),
                "style", own("report.css"),
                "script", own("report.js"),
                "data", data,
                "charts", charts());
        return PLACE.matcher(own("report.html"))
                .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    private static String own(String name) throws IOException {
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
            throw new IOException("report: " + path + " is not in the ECharts that is there; use "
                    + OptionalLibrary.ECHARTS.artifact());
        }
        try (InputStream stream = script.openStream()) {
            // What would end the script element stands in no version seen; it means the same when escaped in a string.
            return text(stream).replace("</script", "<\\/script");
        }
    }

    private static String text(InputStream stream) throws IOException {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
}
