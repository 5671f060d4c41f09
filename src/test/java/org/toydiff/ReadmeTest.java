package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The README's programs print what the README says.
class ReadmeTest {
    private static final Pattern PROGRAM =
            Pattern.compile("```java\n(import .*?)```\n\n```text\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path folder;

    @Test
    void everyProgramPrintsWhatStandsBelowIt() throws Exception {
        String readme = Child.read(Path.of(System.getProperty("toydiff.test.basedir"), "README.md"));
        var program = PROGRAM.matcher(readme);
        int programs = 0;
        while (program.find()) {
            Path source = Files.writeString(folder.resolve("Example.java"), program.group(1));
            Child child = Child.run(
                    Map.of(),
                    "-Dtoydiff.kernels=scalar",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("toydiff.test.classes") + java.io.File.pathSeparator + Child.openBlasJar(),
                    source.toString());
            assertEquals("", child.err());
            assertEquals(program.group(2), child.out());
            programs++;
        }
        assertTrue(programs >= 2, "the README has programs");
    }
}
