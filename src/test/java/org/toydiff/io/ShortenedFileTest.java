package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.child.Child;
import org.toydiff.child.ShortenedFiles;

/// Mapped files that other processes shorten, and other failures of mapping.
class ShortenedFileTest extends ArenaTest {
    @TempDir
    private Path folder;

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "no mapped file can be shortened there")
    void whatReadsAShortenedFileIsToldAndTheProcessLives() throws Exception {
        Child child = Child.run(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                Child.classPath(),
                ShortenedFiles.class.getName(),
                folder.toString()));
        assertEquals(0, child.exit(), child.err());
        List<String> lines = child.out().lines().toList();
        assertEquals(18, lines.size(), child.out());
        for (String line : lines.subList(0, 9)) {
            assertTrue(line.endsWith(": fine"), line);
        }
        for (String line : lines.subList(9, 18)) {
            assertTrue(
                    line.matches("\\w+: \\w+: " + folder + "/x\\.\\w+ had \\d+ bytes when it was mapped and has 1000"
                            + " now; whoever changes it must write a new file and rename it"),
                    line);
        }
    }

    @Test
    void aFileThatIsReplacedByARenameStaysAsItWas() throws IOException {
        Path file = folder.resolve("x.npy");
        Npy.save(file, org.toydiff.Tensor.ones(1000));
        var mapped = Npy.load(arena, file);
        Npy.save(file, org.toydiff.Tensor.zeros(2));
        assertEquals(1000, mapped.sum().item());
        Files.delete(file);
        assertEquals(1000, mapped.sum().item());
    }

    @Test
    void closingTheArenaClosesTheFile() throws IOException {
        Path file = Files.write(folder.resolve("x"), new byte[64]);
        MappedFile mapped;
        try (Arena inner = Arena.ofConfined()) {
            mapped = MappedFile.open(inner, file);
            assertEquals(64, mapped.segment().byteSize());
            mapped.requireWhole("read");
        }
        assertThrows(IllegalStateException.class, () -> mapped.requireWhole("read"));
        Path descriptors = Path.of("/proc/self/fd");
        if (Files.isDirectory(descriptors)) {
            try (var open = Files.list(descriptors)) {
                assertTrue(open.noneMatch(one -> pointsTo(one, file)));
            }
        }
    }

    private static boolean pointsTo(Path link, Path file) {
        try {
            return Files.readSymbolicLink(link).equals(file);
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void whatDoesNotLieInTheFileIsRefused() throws IOException {
        MappedFile mapped = MappedFile.open(arena, Files.write(folder.resolve("x"), new byte[64]));
        assertEquals(0, mapped.tensor(32, DType.FLOAT64, 4).sum().item());
        assertEquals(0, mapped.tensor(64, DType.FLOAT64, 0, 1L << 62).size());
        for (long offset : new long[] {-8, 40, 72, Long.MAX_VALUE}) {
            String message = assertThrows(IllegalArgumentException.class, () -> mapped.tensor(offset, DType.FLOAT64, 4))
                    .getMessage();
            assertTrue(message.contains("takes 32 bytes"), message);
        }
        String message = assertThrows(IllegalArgumentException.class, () -> mapped.tensor(4, DType.FLOAT64, 1))
                .getMessage();
        assertTrue(message.contains("is not aligned"), message);
    }
}
