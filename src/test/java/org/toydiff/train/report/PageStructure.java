package org.toydiff.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.regex.Pattern;

/// The parts of a page that screen readers and keyboards need, as far as they show without a browser.
final class PageStructure {
    private PageStructure() {}

    static void requireAccessible(String page, String title) {
        assertTrue(page.startsWith("<!DOCTYPE html>\n<html lang=\"en\">"), "a language");
        assertTrue(page.contains("<title>" + title + "</title>"), "a title");
        assertTrue(page.contains("<meta name=\"viewport\" content=\"width=device-width"), "a layout for phones");
        for (String landmark : new String[] {"header", "main", "footer", "h1"}) {
            assertEquals(1, count(page, "<" + landmark + "[ >]"), landmark);
        }
        assertTrue(page.contains("<h1>" + title + "</h1>"), "a heading");
        assertTrue(page.contains("prefers-color-scheme: dark"), "the theme of the system");
        assertTrue(page.contains(":focus-visible {"), "a visible focus");
        requireNames(page.substring(page.lastIndexOf("<script>")));
    }

    /// Requires that the script names the charts, their tools and the parts that scroll, and the cells that head.
    private static void requireNames(String script) {
        assertTrue(script.contains("one.plot.setAttribute('role', 'img')"), "a chart is an image");
        assertTrue(script.contains("one.plot.setAttribute('aria-label', one.title"), "and has a text");
        assertTrue(script.contains("made.setAttribute('aria-label', label)"), "buttons and scrolling parts have one");
        assertTrue(script.contains(".setAttribute('aria-pressed', one.log)"), "a toggle shows its state");
        assertTrue(script.contains("made.tabIndex = 0"), "the keyboard scrolls");
        assertTrue(script.contains("made.scope = 'row'") && script.contains(".scope = 'col'"), "headers of tables");
    }

    private static int count(String text, String pattern) {
        return (int) Pattern.compile(pattern).matcher(text).results().count();
    }
}
