package org.toydiff.internal.blas;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// The artifact `org.bytedeco:openblas`, whose classifier is the platform: its files for this machine, and how to add
/// it to an application that lacks it.
final class OpenBlasArtifact {
    /// The version with which toydiff is built and tested.
    static final String VERSION = "0.3.31-1.5.13";

    /// The classifiers of that version.
    static final Set<String> CLASSIFIERS =
            Set.of("linux-x86_64", "linux-arm64", "macosx-x86_64", "macosx-arm64", "windows-x86_64");

    /// In loading order: each library before those that link to it. A platform lacks the ones it does not need.
    private static final List<String> LINUX =
            List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");

    private static final List<String> MACOS =
            List.of("libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib", "libopenblas.0.dylib");

    private static final List<String> WINDOWS = List.of("libopenblas.dll");

    private OpenBlasArtifact() {}

    /// A file of the artifact, with its size and checksum.
    record Part(String name, URL url, long bytes, long crc) {
        private static Part of(String name, URL url) throws IOException {
            URLConnection connection = url.openConnection();
            if (connection instanceof JarURLConnection jar) {
                JarEntry entry = jar.getJarEntry();
                return new Part(name, url, entry.getSize(), entry.getCrc());
            }
            try (InputStream stream = connection.getInputStream();
                    var in = new CheckedInputStream(stream, new CRC32())) {
                long bytes = in.transferTo(OutputStream.nullOutputStream());
                return new Part(name, url, bytes, in.getChecksum().getValue());
            }
        }
    }

    /// Returns the platform of this JVM.
    static String platform() {
        return platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    /// Returns the platform for values of the properties `os.name` and `os.arch`: a classifier, or a name that is none.
    static String platform(String name, String architecture) {
        String os = name.toLowerCase(Locale.ROOT).replace(" ", "");
        return (os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : os) + "-"
                + switch (architecture) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "arm64";
                    default -> architecture;
                };
    }

    /// Returns how to add the artifact for a platform to an application, or an empty text if there is none.
    static String remedy(String platform) {
        return !CLASSIFIERS.contains(platform) ? "" : """
                  add the OpenBLAS of %1$s to the class path or the module path, by Maven:
                    <dependency>
                      <groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>%2$s</version>
                      <classifier>%1$s</classifier><scope>runtime</scope>
                    </dependency>
                  or by Gradle:
                    runtimeOnly("org.bytedeco:openblas:%2$s:%1$s@jar")
                """.formatted(platform, VERSION);
    }

    /// Returns the library for this machine and, before it, those that it links to.
    ///
    /// @throws FileNotFoundException if the application lacks the artifact, or there is none
    static List<Part> parts() throws IOException {
        String platform = platform();
        if (!CLASSIFIERS.contains(platform)) {
            throw new FileNotFoundException("org.bytedeco:openblas " + VERSION + " has no library for " + platform);
        }
        String folder = "org/bytedeco/openblas/" + platform + "/";
        List<String> names = platform.startsWith("linux") ? LINUX : platform.startsWith("macosx") ? MACOS : WINDOWS;
        List<Part> parts = new ArrayList<>();
        for (String name : names) {
            URL url = resource(platform, folder + name);
            if (url != null) {
                parts.add(Part.of(name, url));
            }
        }
        if (parts.isEmpty() || !parts.getLast().name.equals(names.getLast())) {
            throw new FileNotFoundException(
                    folder + names.getLast() + " is neither on the class path nor on the module path");
        }
        return parts;
    }

    private static URL resource(String platform, String name) throws IOException {
        URL url = ClassLoader.getSystemResource(name);
        if (url == null) {
            url = OpenBlasArtifact.class.getClassLoader().getResource(name);
        }
        return url != null
                ? url
                : resourceOfUnresolvedModule("org.bytedeco.openblas." + platform.replace('-', '.'), name);
    }

    /// Returns the URL of a resource of a module on the module path or in the image of the JVM, or null if there is
    /// none.
    ///
    /// The JVM resolves a module only if another requires it. None can require the artifact's: its name depends on the
    /// platform, and it requires JavaCPP, which toydiff does without. So no class loader finds its resources.
    private static URL resourceOfUnresolvedModule(String module, String name) throws IOException {
        ModuleFinder finder = ModuleFinder.compose(ModuleFinder.ofSystem(), ModuleFinder.of(modulePath()));
        var reference = finder.find(module);
        if (reference.isEmpty()) {
            return null;
        }
        try (ModuleReader reader = reference.get().open()) {
            var uri = reader.find(name);
            return uri.isEmpty() ? null : uri.get().toURL();
        }
    }

    /// Returns the module path of this JVM, a property in the documentation of [System#getProperties()].
    private static Path[] modulePath() {
        return Arrays.stream(System.getProperty("jdk.module.path", "").split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty())
                .map(Path::of)
                .toArray(Path[]::new);
    }
}
