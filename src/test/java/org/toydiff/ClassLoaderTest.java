package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.toydiff.child.Child;
import org.toydiff.child.Loaders;

/// Several class loaders that have the library in one JVM, as an application server's are.
@Execution(ExecutionMode.CONCURRENT)
class ClassLoaderTest {
    @TempDir
    private Path folder;

    /// The lines of a JVM in which only the tests' classes are outside those loaders.
    private List<String> lines(List<String> options, String... arguments) throws Exception {
        String outside = Child.classPath(entry -> entry.contains("test-classes"));
        List<String> command = new ArrayList<>(Child.SHORT_LIVED);
        command.addAll(options);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", outside, Loaders.class.getName()));
        command.addAll(List.of(arguments));
        command.add(Child.classPath());
        Child child = Child.run(Map.of("XDG_CACHE_HOME", folder.toString()), command);
        assertEquals(0, child.exit(), child.out() + child.err());
        return child.out().lines().toList();
    }

    private static void requireOneLibrary(List<String> lines) {
        List<String> products =
                lines.stream().filter(line -> line.contains(" by ")).toList();
        assertTrue(products.size() >= 5, lines.toString());
        assertTrue(products.getFirst().startsWith("1024.0 by "), products.getFirst());
        assertEquals(1, products.stream().distinct().count(), products.toString());
    }

    @Test
    void eachMultipliesByTheSameLibraryAndThoseDroppedAreCollected() throws Exception {
        List<String> lines = lines(List.of());
        requireOneLibrary(lines);
        assertTrue(lines.contains("dropped 3, collected 3"), lines.toString());
        requireUnpackedOnce();
        String library = lines.getFirst().split(" by ")[1];
        List<String> named = lines(List.of("-Dtoydiff.blas=" + library));
        assertEquals(lines, named, "a library that was named is shared too");
    }

    @Test
    void allCanBeDroppedAndTheLibraryLoadedAgain() throws Exception {
        List<String> lines = lines(List.of("-Dtoydiff.blas=openblas"), "drop");
        requireOneLibrary(lines);
        assertTrue(lines.contains("dropped 5, collected 5"), lines.toString());
    }

    @Test
    void anApplicationIsRedeployedFourTimesBesideAnother() throws Exception {
        List<String> lines = lines(List.of(), "redeploy");
        List<String> products =
                lines.stream().filter(line -> line.contains(" by ")).toList();
        assertEquals(9, products.size(), lines.toString());
        assertTrue(products.getFirst().startsWith("512.0 by " + folder), products.getFirst());
        assertEquals(1, products.stream().distinct().count(), products.toString());
        assertTrue(lines.contains("dropped 4, collected 4"), lines.toString());
        requireUnpackedOnce();
    }

    private void requireUnpackedOnce() throws Exception {
        try (var files = Files.walk(folder)) {
            assertEquals(
                    4, files.filter(file -> file.toString().contains(".so")).count(), "no link is left");
        }
    }

    @Test
    void eachIsRecordedAndHasABeanAndIsCollectedOnceThatIsUnregistered() throws Exception {
        Path file = folder.resolve("all.jfr");
        List<String> lines =
                lines(List.of("-XX:StartFlightRecording:filename=" + file + ",settings=" + settings()), "jmx", "drop");
        requireOneLibrary(lines);
        assertEquals(2, lines.stream().filter("bean true"::equals).count(), lines.toString());
        assertEquals(
                3, lines.stream().filter("bean of another loader true"::equals).count(), lines.toString());
        assertTrue(lines.contains("dropped 5, collected 5"), lines.toString());
        long closed = RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("toydiff.ArenaClose"))
                .count();
        assertEquals(12, closed, "two arenas of each of six loaders");
    }

    private Path settings() throws Exception {
        return Files.writeString(folder.resolve("all.jfc"), """
                <?xml version="1.0" encoding="UTF-8"?>
                <configuration version="2.0">
                  <event name="toydiff.ArenaClose"><setting name="enabled">true</setting></event>
                </configuration>
                """);
    }
}
