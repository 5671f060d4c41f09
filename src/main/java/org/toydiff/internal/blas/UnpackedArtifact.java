package org.toydiff.internal.blas;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.toydiff.internal.blas.Artifact.Part;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.files.Uninterrupted;

/// Loads the library inside an [Artifact], unpacked once into a per-user cache.
///
/// The folder is named by a hash of the content, so versions stand side by side. Every start compares size and
/// CRC-32 (which the jar records, so nothing is unpacked for it) and replaces files that differ, atomically. So two
/// JVMs may start at once, and a killed one leaves nothing that another would load.
final class UnpackedArtifact {
    private UnpackedArtifact() {}

    /// Unpacks the library and its neighbours, and loads it.
    ///
    /// If the cache is missing, full, read-only, or, as in many containers, on a file system without execute
    /// permission, they go to a folder for this process alone.
    ///
    /// @return the path of the library, or null after adding the reasons to `tried`
    static Path load(Artifact artifact, List<String> tried) {
        try {
            List<Part> parts = artifact.parts();
            Path cache = cache();
            Path folder = cache == null ? null : cache.resolve(artifact.id() + "-" + contentHash(parts));
            Path library = folder == null ? null : load(artifact, parts, folder, tried);
            return library != null ? library : load(artifact, parts, temporaryFolder(artifact, parts), tried);
        } catch (IOException | RuntimeException e) {
            tried.add(artifact.id() + ": " + e);
            return null;
        }
    }

    private static Path load(Artifact artifact, List<Part> parts, Path folder, List<String> tried) {
        try {
            Files.createDirectories(folder);
            for (Part part : parts) {
                unpack(part, folder);
            }
            List<Part> loaded = artifact.opensNeighbours ? parts.subList(parts.size() - 1, parts.size()) : parts;
            for (Part part : loaded) {
                LibraryFile.load(folder.resolve(part.name()));
            }
            return folder.resolve(parts.getLast().name());
        } catch (IOException | UnsatisfiedLinkError e) {
            tried.add(artifact.id() + ": unpacked to " + folder + ": " + e);
            return null;
        }
    }

    /// Creates a folder for this process alone, deleted when it ends.
    private static Path temporaryFolder(Artifact artifact, List<Part> parts) throws IOException {
        Path folder = Files.createTempDirectory("toydiff-" + artifact.id());
        folder.toFile().deleteOnExit();
        parts.forEach(part -> folder.resolve(part.name()).toFile().deleteOnExit());
        return folder;
    }

    private static void unpack(Part part, Path folder) throws IOException {
        Path target = folder.resolve(part.name());
        if (matches(target, part)) {
            return;
        }
        try {
            Uninterrupted.run(() -> AtomicFile.write(target, channel -> copy(part, channel)));
        } catch (IOException e) {
            // Windows replaces no file that is loaded: another JVM may have unpacked and loaded this one meanwhile.
            if (!matches(target, part)) {
                throw e;
            }
        }
    }

    private static void copy(Part part, FileChannel to) throws IOException {
        try (var in = new CheckedInputStream(part.url().openStream(), new CRC32())) {
            long bytes = in.transferTo(Channels.newOutputStream(to));
            if (bytes != part.bytes() || in.getChecksum().getValue() != part.crc()) {
                throw new IOException(part.url() + " is damaged");
            }
        }
    }

    private static boolean matches(Path file, Part part) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) != part.bytes()) {
            return false;
        }
        var crc = new CRC32();
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                crc.update(buffer, 0, n);
            }
        }
        return crc.getValue() == part.crc();
    }

    private static String contentHash(List<Part> parts) {
        long hash = 0;
        for (Part part : parts) {
            hash = 31 * (31 * hash + part.crc()) + part.bytes();
        }
        return HexFormat.of().toHexDigits(hash);
    }

    /// Returns the platform's cache folder: https://specifications.freedesktop.org/basedir-spec/latest/, by which
    /// relative paths are ignored, Apple's "File System Programming Guide", and Microsoft's "Known folders"
    /// (FOLDERID_LocalAppData). Null if the user has no home, as in some containers, where the JVM gives `?`.
    private static Path cache() {
        String platform = Artifact.platform();
        if (platform.startsWith("macosx")) {
            return cache(null, "Library/Caches");
        }
        return platform.startsWith("windows")
                ? cache("LOCALAPPDATA", "AppData/Local")
                : cache("XDG_CACHE_HOME", ".cache");
    }

    /// Returns the folder for toydiff in the one that a variable of the environment names, or else in one of the
    /// user's home.
    private static Path cache(String variable, String inHome) {
        Path named = variable == null ? null : absolute(System.getenv(variable));
        if (named != null) {
            return named.resolve("toydiff");
        }
        Path home = absolute(System.getProperty("user.home"));
        return home == null ? null : home.resolve(inHome).resolve("toydiff");
    }

    /// Parses an absolute path; null for anything else.
    private static Path absolute(String text) {
        try {
            Path path = text == null ? null : Path.of(text);
            return path != null && path.isAbsolute() ? path : null;
        } catch (InvalidPathException e) {
            return null;
        }
    }
}
