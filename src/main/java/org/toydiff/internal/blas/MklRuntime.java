package org.toydiff.internal.blas;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// oneMKL's single dynamic library, `libmkl_rt`, which opens others when first called, and ends the process if one is
/// missing ("Using the Single Dynamic Library" in oneMKL's developer guide).
final class MklRuntime {
    private static final String NAME = "libmkl_rt";

    /// A layer for threads, by its number in `mkl_service.h`, and the libraries that it needs, which are named without
    /// the suffix of libmkl_rt.
    private record ThreadingLayer(int number, String library, String openMp) {
        private boolean isAvailable(Path runtime) {
            return available(runtime, library + suffix(runtime)) && (openMp == null || available(runtime, openMp));
        }
    }

    /// In the order of preference; all of them run on one thread here.
    private static final List<ThreadingLayer> THREADING_LAYERS = List.of(
            new ThreadingLayer(0, "libmkl_intel_thread", "libiomp5.so"),
            new ThreadingLayer(3, "libmkl_gnu_thread", "libgomp.so.1"),
            new ThreadingLayer(1, "libmkl_sequential", null));

    private static final List<String> OTHERS = List.of("libmkl_core", "libmkl_intel_lp64", "libmkl_def");

    private MklRuntime() {}

    /// Returns whether a file is that library by its name.
    static boolean isRuntime(Path file) {
        return file.getFileName().toString().startsWith(NAME);
    }

    /// Returns the file to load for one that was named: libmkl_rt looks for the others in the folder of the name by
    /// which it is loaded, and a symbolic link may lie in another folder than they.
    static Path resolved(Path file) {
        try {
            return isRuntime(file) ? file.toRealPath() : file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Returns the libraries that one lacks, or null if it has all that it needs.
    static String missing(Path runtime) {
        for (String library : OTHERS) {
            if (!available(runtime, library + suffix(runtime))) {
                return library + suffix(runtime);
            }
        }
        return threadingLayer(runtime) >= 0
                ? null
                : "libmkl_intel_thread with libiomp5, libmkl_gnu_thread with libgomp, or libmkl_sequential";
    }

    /// Returns the number of a layer for threads whose libraries it finds, or -1 if there is none.
    static int threadingLayer(Path runtime) {
        return THREADING_LAYERS.stream()
                .filter(layer -> layer.isAvailable(runtime))
                .mapToInt(ThreadingLayer::number)
                .findFirst()
                .orElse(-1);
    }

    /// Returns the ending that the libraries of one version have in common.
    private static String suffix(Path runtime) {
        return runtime.getFileName().toString().substring(NAME.length());
    }

    /// Returns whether a library is in the folder of libmkl_rt or where the system finds libraries.
    private static boolean available(Path runtime, String library) {
        if (Files.isRegularFile(runtime.resolveSibling(library))) {
            return true;
        }
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup unused = SymbolLookup.libraryLookup(library, arena);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
