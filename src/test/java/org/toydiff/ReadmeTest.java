package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.child.Child;
import org.toydiff.data.DataLoader;
import org.toydiff.nn.Conv2d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.LSTM;
import org.toydiff.nn.Layer;
import org.toydiff.nn.RecurrentOptions;
import org.toydiff.optim.Adam;
import org.toydiff.optim.SGD;
import org.toydiff.optim.Schedule;
import org.toydiff.train.Trainer;

/// Programs in the documentation print the text below them, and its links lead somewhere.
class ReadmeTest {
    private static final Path BASE = Path.of(System.getProperty("toydiff.test.basedir"));
    private static final Pattern PROGRAM =
            Pattern.compile("```java\n(import .*?)```\n\n```text\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CALL = Pattern.compile("[\\w)]\\.(\\w+)\\(");
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");

    @TempDir
    private Path folder;

    @Test
    void everyProgramOfTheReadmePrintsTheTextBelowIt() throws Exception {
        assertEquals(2, run(Child.read(BASE.resolve("README.md"))));
    }

    @Test
    void everyProgramOfTheGuidePrintsTheTextBelowIt() throws Exception {
        int programs = 0;
        for (Path page : guide()) {
            programs += run(Child.read(page));
        }
        assertEquals(7, programs);
    }

    /// Calls in the last column of the guide's tables.
    @Test
    void everyCallThatTheGuideNamesIsOfAPublicMethod() throws IOException {
        Set<String> methods = Stream.of(
                        Tensor.class,
                        TensorArena.class,
                        Autograd.class,
                        Layer.class,
                        Functional.class,
                        Conv2d.class,
                        LSTM.class,
                        RecurrentOptions.class,
                        Linalg.class,
                        Adam.class,
                        SGD.class,
                        Schedule.class,
                        DataLoader.class,
                        Trainer.class)
                .flatMap(type -> Arrays.stream(type.getMethods()))
                .map(Method::getName)
                .collect(Collectors.toSet());
        List<String> called = Child.read(BASE.resolve("src/site/markdown/coming-from.md"))
                .lines()
                .filter(line -> line.startsWith("| "))
                .map(line -> line.substring(line.lastIndexOf("| ", line.length() - 3)))
                .flatMap(cell -> CALL.matcher(cell).results())
                .map(call -> call.group(1))
                .toList();
        assertTrue(called.size() > 60, called.toString());
        assertEquals(
                List.of(),
                called.stream().filter(name -> !methods.contains(name)).toList());
    }

    private static List<Path> guide() throws IOException {
        try (Stream<Path> pages = Files.list(BASE.resolve("src/site/markdown"))) {
            return pages.filter(page -> page.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void everyLinkOfTheGuideLeadsSomewhere() throws IOException {
        for (Path page : guide()) {
            everyLinkLeadsToAFileAndAHeadingInIt(BASE.relativize(page).toString());
        }
    }

    @Test
    void theProgramInTheDocumentationOfScheduleAndPeakPrintsTheTextBelowIt() throws Exception {
        String source = Child.read(BASE.resolve("src/main/java/org/toydiff/ReleaseSchedule.java"));
        assertEquals(1, run(source.replaceAll("(?m)^/// ?", "")));
    }

    /// Runs the programs of a page with the least that they need: the library, OpenBLAS and Gson.
    private int run(String page) throws Exception {
        String classPath = String.join(
                File.pathSeparator,
                System.getProperty("toydiff.test.classes"),
                Child.openBlasJars(),
                Child.jar("gson"));
        var program = PROGRAM.matcher(page);
        int programs = 0;
        while (program.find()) {
            Path source = Files.writeString(folder.resolve("Example.java"), program.group(1));
            Child child = Child.run(List.of(
                    "-Dtoydiff.kernels=scalar",
                    "-Djava.io.tmpdir=" + folder,
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    classPath,
                    source.toString()));
            assertEquals("", child.err());
            assertEquals(program.group(2), child.out());
            programs++;
        }
        return programs;
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "bench/README.md"})
    void everyLinkLeadsToAFileAndAHeadingInIt(String name) throws IOException {
        Path page = BASE.resolve(name);
        List<String> broken = new ArrayList<>();
        var link = LINK.matcher(Child.read(page));
        while (link.find()) {
            String target = link.group(1);
            if (!target.contains("://") && !leads(page, target)) {
                broken.add(target);
            }
        }
        assertEquals(List.of(), broken);
    }

    private static boolean leads(Path page, String target) throws IOException {
        int hash = target.indexOf('#');
        String file = hash < 0 ? target : target.substring(0, hash);
        Path to = file.isEmpty() ? page : page.resolveSibling(file);
        return Files.exists(to) && (hash < 0 || anchors(to).contains(target.substring(hash + 1)));
    }

    /// As GitHub derives them: in lower case, punctuation left out, spaces as hyphens.
    private static List<String> anchors(Path page) throws IOException {
        return Child.read(page)
                .lines()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
                .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
                .toList();
    }

    @Test
    void theReadmeIsReadInFiveMinutes() throws IOException {
        long lines = Child.read(BASE.resolve("README.md")).lines().count();
        assertTrue(lines <= 180, lines + " lines; details belong to bench/README.md, CONTRIBUTING.md or Javadoc");
    }
}
