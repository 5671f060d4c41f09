package org.toydiff.internal.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Golden;
import org.toydiff.child.Child;
import org.toydiff.child.ReadFiles;

/// What readers of files say when the library that they need is not there, in JVMs of their own.
class OptionalLibrariesTest {
    private static final String FASTCSV_IS_MISSING = "read: needs FastCSV; add the dependency de.siegmar:fastcsv:4.4.0"
            + " (where toydiff is on the module path, there too, with --add-modules ALL-MODULE-PATH)";

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws Exception {
        Files.writeString(folder.resolve("a.csv"), "x,y\n1,2\n");
        Path image = Path.of(Golden.class.getResource("images/c_grey/plain.png").toURI());
        Files.copy(image, Files.createDirectory(folder.resolve("class")).resolve("1.png"));
    }

    private List<String> lines(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of(ReadFiles.class.getName(), folder.toString()));
        Child child = Child.run(arguments);
        assertEquals(0, child.exit(), child.err());
        return child.out().lines().toList();
    }

    @Test
    void onTheClassPathFastCsvIsAskedForByName() throws Exception {
        String without = Child.classPath(entry -> !entry.contains("fastcsv"));
        assertEquals(
                List.of("unnamed module", FASTCSV_IS_MISSING, "1 images"),
                List.of(
                        lines("-cp", without).getFirst().replaceFirst(" @.*", ""),
                        lines("-cp", without).get(1),
                        lines("-cp", without).get(2)));
    }

    @Test
    void onTheModulePathBothAreAddedByName() throws Exception {
        String modules = Child.LIBRARY + File.pathSeparator + Child.classPath(entry -> entry.contains("fastcsv"));
        String others = Child.classPath(entry -> !entry.equals(Child.LIBRARY) && !entry.contains("fastcsv"));
        assertEquals(
                List.of("module org.toydiff", "1 rows", "1 images"),
                lines("-p", modules, "--add-modules", "org.toydiff,de.siegmar.fastcsv,java.desktop", "-cp", others));
        List<String> bare = lines("-p", modules, "--add-modules", "org.toydiff", "-cp", others);
        assertEquals(FASTCSV_IS_MISSING, bare.get(1));
    }

    @Test
    void onTheClassPathOfAModuleItCannotBeReached() throws Exception {
        String rest = Child.classPathWithoutLibrary();
        assertEquals(
                FASTCSV_IS_MISSING,
                lines("-p", Child.LIBRARY, "--add-modules", "org.toydiff", "-cp", rest)
                        .get(1));
    }

    @Test
    void theVersionsAskedForAreThoseTestedWith() {
        for (OptionalLibrary library : OptionalLibrary.values()) {
            String[] coordinates = library.artifact().split(":");
            String jar = coordinates[1] + "-" + coordinates[2] + ".jar";
            assertTrue(Child.classPath().contains(jar), jar);
            assertTrue(library.isPresent(), library.name());
        }
    }

    @Test
    void withoutJavaDesktopTheFixIsShown() throws Exception {
        String limit = "--limit-modules=java.base,java.management,jdk.management";
        List<String> lines = lines(limit, "-cp", Child.classPath());
        assertTrue(lines.contains("1 rows"), lines.toString());
        assertEquals(
                "ImageFolder: the module java.desktop, which reads images, is missing; add --add-modules java.desktop",
                lines.getLast());
    }
}
