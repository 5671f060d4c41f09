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
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// An artifact of the group `org.bytedeco` with a BLAS library, whose classifier begins with the platform: its files
/// for this machine, and how to add it to an application that lacks it.
enum Artifact {
    OPENBLAS("OpenBLAS", "0.3.31-1.5.13", "", false, openBlasFiles()),

    /// oneMKL, of which `redist` has the libraries. Its `libmkl_rt` opens the others in its folder.
    MKL("MKL", "2025.3-1.5.13", "-redist", true, Map.of("linux-x86_64", mklFiles()));

    /// The version with which toydiff is built and tested.
    final String version;

    /// The platforms of that version that have files here.
    final Set<String> platforms;

    /// Whether the library itself opens its neighbours in its folder; if not, it is linked to them.
    final boolean opensNeighbours;

    private final String title;
    private final String suffix;
    private final Map<String, List<String>> files;

    Artifact(String title, String version, String suffix, boolean opensNeighbours, Map<String, List<String>> files) {
        this.title = title;
        this.version = version;
        this.suffix = suffix;
        this.opensNeighbours = opensNeighbours;
        this.files = files;
        this.platforms = files.keySet();
    }

    /// In loading order: each library before those that link to it. A platform lacks the ones it does not need.
    private static Map<String, List<String>> openBlasFiles() {
        List<String> linux = List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");
        List<String> macos =
                List.of("libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib", "libopenblas.0.dylib");
        return Map.of(
                "linux-x86_64", linux,
                "linux-arm64", linux,
                "macosx-x86_64", macos,
                "macosx-arm64", macos,
                "windows-x86_64", List.of("libopenblas.dll"));
    }

    /// The smallest set with which BLAS works on every processor: the interface with 32-bit integers, the layer of
    /// Intel's OpenMP with its runtime (that of GNU needs a libgomp, which the artifact lacks), and the kernels for
    /// AVX-512, for AVX2, for SSE4.2 and for all others, of which libmkl_core opens one. Left out are the functions on
    /// vectors (`libmkl_vml_*`).
    private static List<String> mklFiles() {
        return List.of(
                "libiomp5.so",
                "libmkl_core.so.2",
                "libmkl_intel_thread.so.2",
                "libmkl_intel_lp64.so.2",
                "libmkl_avx512.so.2",
                "libmkl_avx2.so.2",
                "libmkl_mc3.so.2",
                "libmkl_def.so.2",
                "libmkl_rt.so.2");
    }

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

    /// Returns the platform for values of the properties `os.name` and `os.arch`, by the names of the classifiers.
    static String platform(String name, String architecture) {
        String os = name.toLowerCase(Locale.ROOT).replace(" ", "");
        return (os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : os) + "-"
                + switch (architecture) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "arm64";
                    default -> architecture;
                };
    }

    /// Returns its artifactId, which is also the value of the property that chooses it.
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Returns how to add the artifact for a platform to an application, or an empty text if there is none.
    String remedy(String platform) {
        return !platforms.contains(platform) ? "" : """
                  add the %1$s of %4$s to the class path or the module path, by Maven:
                    <dependency>
                      <groupId>org.bytedeco</groupId><artifactId>%2$s</artifactId><version>%3$s</version>
                      <classifier>%4$s%5$s</classifier><scope>runtime</scope>
                    </dependency>
                  or by Gradle:
                    runtimeOnly("org.bytedeco:%2$s:%3$s:%4$s%5$s@jar")
                """.formatted(title, id(), version, platform, suffix);
    }

    /// Returns whether the application has the artifact for this machine.
    boolean isPresent() throws IOException {
        List<String> names = files.get(platform());
        return names != null && resource(names.getLast()) != null;
    }

    /// Returns the library for this machine and, before it, those that it needs.
    ///
    /// @throws FileNotFoundException if the application lacks the artifact, or there is none
    List<Part> parts() throws IOException {
        List<String> names = files.get(platform());
        if (names == null) {
            throw new FileNotFoundException(
                    "org.bytedeco:" + id() + " " + version + " has no library for " + platform());
        }
        List<Part> parts = new ArrayList<>();
        for (String name : names) {
            URL url = resource(name);
            if (url != null) {
                parts.add(Part.of(name, url));
            }
        }
        if (parts.isEmpty() || !parts.getLast().name.equals(names.getLast())) {
            throw new FileNotFoundException(
                    folder() + names.getLast() + " is neither on the class path nor on the module path");
        }
        return parts;
    }

    /// Returns the folder of the files for this machine within the artifact.
    String folder() {
        return "org/bytedeco/" + id() + "/" + platform() + "/";
    }

    private URL resource(String file) throws IOException {
        String name = folder() + file;
        URL url = ClassLoader.getSystemResource(name);
        if (url == null) {
            url = Artifact.class.getClassLoader().getResource(name);
        }
        return url != null ? url : resourceOfUnresolvedModule(name);
    }

    /// Returns the URL of a resource of a module on the module path or in the image of the JVM, or null if there is
    /// none.
    ///
    /// The JVM resolves a module only if another requires it. None can require the artifact's: its name depends on the
    /// platform, and it requires JavaCPP, which toydiff does without. So no class loader finds its resources.
    private URL resourceOfUnresolvedModule(String name) throws IOException {
        String module = ("org.bytedeco." + id() + "-" + platform() + suffix).replace('-', '.');
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
