package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Checks that many tests make.
public final class Checks {
    private Checks() {}

    /// A call that may throw anything.
    @FunctionalInterface
    public interface Call {
        void run() throws Throwable;
    }

    /// Requires that a call throws an [IllegalArgumentException] with this message.
    public static void rejected(String message, Call call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    /// {@return the names of the files in a folder, sorted}
    public static List<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
