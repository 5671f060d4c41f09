package org.toydiff.internal.blas;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.files.Uninterrupted;

/// Loads the OpenBLAS inside the artifact `org.bytedeco:openblas`, unpacked once into a per-user cache.
///
/// The folder is named by a hash of the content, so versions stand side by side. Every start compares size and
/// CRC-32 (which the jar records, so nothing is unpacked for it) and replaces files that differ, atomically. So two
/// JVMs may start at once, and a killed one leaves nothing that another would load.
final class BundledOpenBlas {
    /// In loading order: each library before those that link to it. A platform lacks the ones it does not need.
    private static final List<String> LINUX =
            List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");

    private static final List<String> MACOS =
            List.of("libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib", "libopenblas.0.dylib");

    private BundledOpenBlas() {}

    /// A file of the artifact, with its size and checksum.
    private record Part(String name, URL url, long bytes, long crc) {}

    /// Returns the artifact's classifier for this machine.
    static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : "linux") + "-"
                + switch (arch) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "arm64";
                    default -> arch;
                };
    }

    /// Unpacks and loads the library and those it links to.
    ///
    /// If the cache is missing, full, read-only, or, as in many containers, on a file system without execute
    /// permission, they go to a folder for this process alone.
    ///
    /// @return the path of the library, or null after adding the reasons to `tried`
    static Path load(List<String> tried) {
        try {
            List<Part> parts = parts();
            Path cache = cache();
            Path library = cache == null ? null : load(parts, cache.resolve("openblas-" + contentHash(parts)), tried);
            return library != null ? library : load(parts, temporaryFolder(parts), tried);
        } catch (IOException | RuntimeException e) {
            tried.add("bundled: " + e);
            return null;
        }
    }

    private static Path load(List<Part> parts, Path folder, List<String> tried) {
        try {
            Files.createDirectories(folder);
            for (Part part : parts) {
                unpack(part, folder);
            }
            Path library = null;
            for (Part part : parts) {
                library = folder.resolve(part.name);
                LibraryFile.load(library);
            }
            return library;
        } catch (IOException | UnsatisfiedLinkError e) {
            tried.add("bundled: unpacked to " + folder + ": " + e);
            return null;
        }
    }

    /// Creates a folder for this process alone, deleted when it ends.
    private static Path temporaryFolder(List<Part> parts) throws IOException {
        Path folder = Files.createTempDirectory("toydiff-openblas");
        folder.toFile().deleteOnExit();
        parts.forEach(part -> folder.resolve(part.name).toFile().deleteOnExit());
        return folder;
    }

    private static List<Part> parts() throws IOException {
        String folder = "org/bytedeco/openblas/" + platform() + "/";
        List<String> names = platform().startsWith("macosx") ? MACOS : LINUX;
        List<Part> parts = new ArrayList<>();
        for (String name : names) {
            URL url = ClassLoader.getSystemResource(folder + name);
            if (url == null) {
                url = BundledOpenBlas.class.getClassLoader().getResource(folder + name);
            }
            if (url != null) {
                parts.add(part(name, url));
            }
        }
        if (parts.isEmpty() || !parts.getLast().name.equals(names.getLast())) {
            throw new FileNotFoundException(folder + names.getLast() + " is not on the class path");
        }
        return parts;
    }

    private static Part part(String name, URL url) throws IOException {
        URLConnection connection = url.openConnection();
        if (connection instanceof JarURLConnection jar) {
            JarEntry entry = jar.getJarEntry();
            return new Part(name, url, entry.getSize(), entry.getCrc());
        }
        try (var in = new CheckedInputStream(connection.getInputStream(), new CRC32())) {
            long bytes = in.transferTo(OutputStream.nullOutputStream());
            return new Part(name, url, bytes, in.getChecksum().getValue());
        }
    }

    private static void unpack(Part part, Path folder) throws IOException {
        Path target = folder.resolve(part.name);
        if (matches(target, part)) {
            return;
        }
        Uninterrupted.run(() -> AtomicFile.write(target, channel -> copy(part, channel)));
    }

    private static void copy(Part part, FileChannel to) throws IOException {
        try (var in = new CheckedInputStream(part.url.openStream(), new CRC32())) {
            long bytes = in.transferTo(Channels.newOutputStream(to));
            if (bytes != part.bytes || in.getChecksum().getValue() != part.crc) {
                throw new IOException(part.url + " is damaged");
            }
        }
    }

    private static boolean matches(Path file, Part part) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) != part.bytes) {
            return false;
        }
        var crc = new CRC32();
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                crc.update(buffer, 0, n);
            }
        }
        return crc.getValue() == part.crc;
    }

    private static String contentHash(List<Part> parts) {
        long hash = 0;
        for (Part part : parts) {
            hash = 31 * (31 * hash + part.crc) + part.bytes;
        }
        return HexFormat.of().toHexDigits(hash);
    }

    /// Returns the platform's cache folder: https://specifications.freedesktop.org/basedir-spec/latest/, by which
    /// relative paths are ignored, and Apple's "File System Programming Guide". Null if the user has no home, as
    /// in some containers, where the JVM gives `?`.
    private static Path cache() {
        Path home = absolute(System.getProperty("user.home"));
        if (platform().startsWith("macosx")) {
            return home == null ? null : home.resolve("Library/Caches/toydiff");
        }
        Path xdg = absolute(System.getenv("XDG_CACHE_HOME"));
        if (xdg != null) {
            return xdg.resolve("toydiff");
        }
        return home == null ? null : home.resolve(".cache/toydiff");
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
