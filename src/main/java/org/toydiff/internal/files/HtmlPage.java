package org.toydiff.internal.files;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Makes HTML pages that load nothing: a template with a style sheet, the library of charts, the data as JSON, and
/// scripts that draw them. `page.js` has the parts that all pages share.
public final class HtmlPage {
    /// The place of a part in the template.
    private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)}}");

    private HtmlPage() {}

    /// Returns the page. Needs [OptionalLibrary#ECHARTS].
    ///
    /// @param data JSON in which `<` is escaped
    /// @param scripts the texts of the scripts to run after `page.js`, which the last one ends with `show()`
    public static String of(String title, String data, String... scripts) throws IOException {
        Map<String, String> parts = Map.of(
                "title", escaped(title),
                "style", text(HtmlPage.class, "page.css"),
                "scripts", text(HtmlPage.class, "page.js") + "\n" + String.join("\n", scripts),
                "data", data,
                "charts", charts());
        return PLACE.matcher(text(HtmlPage.class, "page.html"))
                .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
    }

    /// Returns the text of a resource beside a class.
    public static String text(Class<?> beside, String name) throws IOException {
        try (InputStream stream = beside.getResourceAsStream(name)) {
            return text(stream);
        }
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
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
