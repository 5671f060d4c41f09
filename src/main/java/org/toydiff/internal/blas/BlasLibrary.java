package org.toydiff.internal.blas;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Finds and loads a library with the CBLAS interface. `-Dtoydiff.blas` names it: `openblas` or `mkl`, that of the
/// artifact; `system`, the system's OpenBLAS; or the path of any. Without the property the artifacts are tried,
/// oneMKL's first on an Intel processor and OpenBLAS's first on others, and then the system's.
///
/// A named library that does not load is an error, not a reason to try the next one: a silent fallback is how wrong
/// measurements get published.
public final class BlasLibrary {
    /// The functions that toydiff needs.
    public static final List<String> REQUIRED =
            List.of("cblas_sgemm", "cblas_dgemm", "cblas_sgemv", "cblas_dgemv", "cblas_sdot", "cblas_ddot");

    /// The functions that it uses if the library has them.
    public static final List<String> OPTIONAL =
            List.of("openblas_get_config", "openblas_get_corename", "openblas_set_num_threads");

    private static final String PROPERTY = "toydiff.blas";

    private static final List<String> SYSTEM_PATHS = List.of(
            "/usr/lib/x86_64-linux-gnu/libopenblas.so.0",
            "/usr/lib/aarch64-linux-gnu/libopenblas.so.0",
            "/usr/lib64/libopenblas.so.0",
            "/usr/lib/libopenblas.so.0",
            "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
            "/usr/local/opt/openblas/lib/libopenblas.dylib");

    /// The library of this process, found when the first product needs it.
    private static final class Holder {
        static final BlasLibrary LIBRARY = find();
    }

    private final String path;
    private final String failure;

    private BlasLibrary(String path, String failure) {
        this.path = path;
        this.failure = failure;
    }

    /// Returns the path from which the library was loaded.
    ///
    /// @throws UnsatisfiedLinkError if no library was found, listing every place tried, why each failed, and the
    ///     remedies
    public static String path() {
        BlasLibrary library = Holder.LIBRARY;
        if (library.failure != null) {
            throw new UnsatisfiedLinkError(library.failure);
        }
        return library.path;
    }

    /// Returns whether the loaded library has `symbol`.
    public static boolean has(String symbol) {
        path();
        return SymbolLookup.loaderLookup().find(symbol).isPresent();
    }

    private static BlasLibrary find() {
        List<String> tried = new ArrayList<>();
        String asked = System.getProperty(PROPERTY, "");
        try {
            String path = find(asked, tried);
            return path != null ? new BlasLibrary(path, null) : failed(asked, tried);
        } catch (IOException | RuntimeException e) {
            // For instance a path that the system's encoding cannot represent. Thrown from here it would lose its
            // message.
            tried.add(e.toString());
            return failed(asked, tried);
        }
    }

    private static String find(String asked, List<String> tried) throws IOException {
        return switch (asked) {
            case "" -> tryAll(tried);
            case "openblas" -> tryArtifact(Artifact.OPENBLAS, tried);
            case "mkl" -> tryArtifact(Artifact.MKL, tried);
            case "system" -> trySystem(tried);
            default -> tryPath(Path.of(asked).toAbsolutePath(), "-D" + PROPERTY + "=", tried);
        };
    }

    private static String tryAll(List<String> tried) throws IOException {
        for (Artifact artifact : order(Artifact.MKL.isPresent() && Processor.isIntel())) {
            String path = tryArtifact(artifact, tried);
            if (path != null) {
                return path;
            }
        }
        return trySystem(tried);
    }

    private static List<Artifact> order(boolean mklFirst) {
        return mklFirst ? List.of(Artifact.MKL, Artifact.OPENBLAS) : List.of(Artifact.OPENBLAS, Artifact.MKL);
    }

    private static String trySystem(List<String> tried) {
        for (String place : SYSTEM_PATHS) {
            String path = tryPath(Path.of(place), "system: ", tried);
            if (path != null) {
                return path;
            }
        }
        return tryLibraryPath(tried);
    }

    private static BlasLibrary failed(String asked, List<String> tried) {
        Artifact artifact = asked.equals(Artifact.MKL.id()) ? Artifact.MKL : Artifact.OPENBLAS;
        return new BlasLibrary(
                null,
                "No library with the CBLAS interface was found. Tried:\n  " + String.join("\n  ", tried)
                        + "\nTo fix it, do one of these:\n"
                        + artifact.remedy(Artifact.platform())
                        + "  let it be unpacked where libraries may be loaded from: -Djava.io.tmpdir=/such/a/folder,\n"
                        + "  install OpenBLAS (Debian: libopenblas0, Fedora: openblas, macOS: brew install openblas),\n"
                        + "  name a library: -D" + PROPERTY + "=openblas, mkl, system or /path/to/libopenblas.so");
    }

    private static String tryArtifact(Artifact artifact, List<String> tried) {
        Path library = UnpackedArtifact.load(artifact, tried);
        if (library == null) {
            return null;
        }
        if (artifact == Artifact.MKL) {
            MklBlas.configure(SymbolLookup.loaderLookup(), library);
        }
        CBlas.setThreads(1);
        return library.toString();
    }

    private static String tryPath(Path path, String source, List<String> tried) {
        if (!Files.isRegularFile(path)) {
            tried.add(source + path + ": there is no such file");
            return null;
        }
        Path file = MklRuntime.resolved(path);
        try (var candidate = new Candidate(file)) {
            String fault = candidate.fault();
            if (fault != null) {
                tried.add(source + path + ": " + fault);
                return null;
            }
            LibraryFile.load(file);
            CBlas.setThreads(1);
            return file.toString();
        } catch (UnsatisfiedLinkError e) {
            tried.add(source + path + ": " + e.getMessage());
            return null;
        }
    }

    private static String tryLibraryPath(List<String> tried) {
        String name = System.mapLibraryName("openblas");
        String folders = System.getProperty("java.library.path", "");
        for (String folder : folders.split(File.pathSeparator)) {
            Path file = Path.of(folder, name).toAbsolutePath();
            String path = Files.isRegularFile(file) ? tryPath(file, "system: ", tried) : null;
            if (path != null) {
                return path;
            }
        }
        tried.add("system: " + name + " on java.library.path: none that can be used in " + folders);
        return null;
    }
}
