package org.toydiff.internal.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.names;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.child.Child;
import org.toydiff.child.LockHolder;
import org.toydiff.child.TwoSizes;

/// Files that are written whole or not at all.
class AtomicFileTest {
    @TempDir
    private Path folder;

    private static void write(Path file, String text) throws IOException {
        AtomicFile.write(file, channel -> channel.write(ByteBuffer.wrap(text.getBytes())));
    }

    @Test
    void aFileIsMadeAndReplaced() throws IOException {
        Path file = folder.resolve("x");
        write(file, "one");
        write(file, "two");
        assertEquals("two", Files.readString(file));
        assertEquals(List.of("x"), names(folder));
    }

    @Test
    void whatFailsLeavesTheOldFile() throws IOException {
        Path file = folder.resolve("x");
        write(file, "old");
        var cause = new IOException("No space left on device");
        var e = assertThrows(
                IOException.class,
                () -> AtomicFile.write(file, channel -> {
                    channel.write(ByteBuffer.allocate(1000));
                    throw cause;
                }));
        assertEquals(file + ": not saved; an old file is unchanged: No space left on device", e.getMessage());
        assertSame(cause, e.getCause());
        assertThrows(
                IllegalStateException.class,
                () -> AtomicFile.write(file, channel -> {
                    throw new IllegalStateException();
                }));
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("x"), names(folder));
    }

    @Test
    void textIsWholeAndInUtf8AndItsFolderIsMade() throws IOException {
        Path file = folder.resolve("new/folder/text");
        String text = "ä€\n".repeat(10_000);
        AtomicFile.writeText(file, writer -> writer.write(text));
        assertEquals(text, Files.readString(file));
        var e = assertThrows(
                IOException.class,
                () -> AtomicFile.writeText(file, writer -> {
                    writer.write("half");
                    throw new IOException("No space left on device");
                }));
        assertEquals(file + ": not saved; an old file is unchanged: No space left on device", e.getMessage());
        assertEquals(text, Files.readString(file));
        assertEquals(List.of("text"), List.of(file.getParent().toFile().list()));
    }

    @Test
    void anInterruptLeavesTheOldFile() throws IOException {
        Path file = folder.resolve("x");
        write(file, "old");
        var e = assertThrows(
                IOException.class,
                () -> AtomicFile.write(file, channel -> {
                    Thread.currentThread().interrupt();
                    channel.write(ByteBuffer.allocate(1000));
                }));
        assertTrue(Thread.interrupted());
        assertEquals(ClosedByInterruptException.class, e.getCause().getClass());
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("x"), names(folder));
    }

    @Test
    void whatAnotherSaveIsWritingStays() throws IOException {
        AtomicFile.write(folder.resolve("outer"), channel -> {
            channel.write(ByteBuffer.wrap("out".getBytes()));
            write(folder.resolve("inner"), "inner");
            channel.write(ByteBuffer.wrap("er".getBytes()));
        });
        assertEquals("outer", Files.readString(folder.resolve("outer")));
        assertEquals(List.of("inner", "outer"), names(folder));
    }

    @Test
    void whatAProcessThatLivesIsWritingStaysUntilItIsKilled() throws Exception {
        Path theirs = folder.resolve(".toydiff-1.tmp");
        Path out = folder.resolve("out");
        Process process = Child.start(
                out,
                folder.resolve("err"),
                List.of("-cp", Child.classPath(), LockHolder.class.getName(), theirs.toString()));
        try {
            Child.awaitOutput(process, out, "\n");
            write(folder.resolve("x"), "x");
            assertTrue(Files.exists(theirs));
        } finally {
            process.destroyForcibly().waitFor();
        }
        write(folder.resolve("x"), "x");
        assertFalse(Files.exists(theirs));
    }

    @Test
    void whatIsNoTemporaryFileOfOursStays() throws IOException {
        Files.createDirectory(folder.resolve(".toydiff-a.tmp"));
        Files.writeString(folder.resolve("toydiff-b.tmp"), "");
        Files.writeString(folder.resolve(".toydiff-c.tmp2"), "");
        Files.writeString(folder.resolve(".toydiff-d.tmp"), "");
        write(folder.resolve("x"), "x");
        assertEquals(List.of(".toydiff-a.tmp", ".toydiff-c.tmp2", "toydiff-b.tmp", "x"), names(folder));
    }

    @Test
    void manyThreadsMaySaveToOneFile() throws Exception {
        Path file = folder.resolve("x");
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String text = String.valueOf(i).repeat(100_000);
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    for (int k = 0; k < 20; k++) {
                        write(file, text);
                        String read = Files.readString(file);
                        assertEquals(read.substring(0, 1).repeat(100_000), read);
                    }
                } catch (Throwable e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failures);
        assertEquals(List.of("x"), names(folder));
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "it has neither such permissions nor links for everyone")
    void linksAreFollowedAndPermissionsKept() throws IOException {
        Path file = folder.resolve("x");
        write(file, "one");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("x"));
        write(link, "two");
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("two", Files.readString(file));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void aReadOnlyFileIsRefused() throws IOException {
        Path file = folder.resolve("x");
        write(file, "old");
        assertTrue(file.toFile().setReadOnly());
        var e = assertThrows(IOException.class, () -> write(file, "new"));
        assertEquals(file + ": not saved: the file is read-only", e.getMessage());
        assertEquals("old", Files.readString(file));
        assertTrue(file.toFile().setWritable(true));
    }

    @Test
    void whatCannotBeWrittenToIsNamed() throws IOException {
        var directory = assertThrows(IOException.class, () -> write(folder, "x"));
        assertEquals(folder + ": not saved: this is not a regular file", directory.getMessage());
        Path none = folder.resolve("none");
        var missing = assertThrows(IOException.class, () -> write(none.resolve("x"), "x"));
        assertEquals(none.resolve("x") + ": not saved: there is no folder " + none, missing.getMessage());
        write(folder.resolve("file"), "x");
        Path within = folder.resolve("file").resolve("x");
        assertThrows(IOException.class, () -> write(within, "x"));
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "needs a folder that not even root can write")
    void aFolderThatCannotBeWrittenIsNamed() {
        var e = assertThrows(IOException.class, () -> write(Path.of("/proc/x"), "x"));
        assertTrue(
                e.getMessage().startsWith("/proc/x: not saved; an old file is unchanged: /proc/.toydiff-"),
                e.getMessage());
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "it cannot bound the size of a file")
    void aFullDiskLeavesTheOldFile() throws Exception {
        Path file = folder.resolve("x.npy");
        Path out = folder.resolve("out");
        ProcessBuilder java = Child.java(List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        Child.classPath(),
                        TwoSizes.class.getName(),
                        file.toString()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(out.toFile());
        java.command().addAll(0, List.of("sh", "-c", "ulimit -f 1000 && exec \"$0\" \"$@\""));
        Process process = java.start();
        assertEquals(0, process.waitFor(), () -> read(out));
        assertEquals(file + ": not saved; an old file is unchanged: File too large\n", read(out));
        assertArrayEquals(new String[] {"out", "x.npy"}, names(folder).toArray());
        assertEquals(128 + 400, Files.size(file));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
