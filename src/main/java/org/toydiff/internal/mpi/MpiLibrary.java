package org.toydiff.internal.mpi;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Finds and loads the library of Open MPI: the one that `-Dtoydiff.mpi` names; that of the `mpirun` which started this
/// process; one on the path of the dynamic linker; one in the usual places.
final class MpiLibrary {
    private static final String PROPERTY = "toydiff.mpi";

    /// Of Open MPI 4 and 5, whose programs run with either.
    private static final List<String> NAMES = List.of("libmpi.so.40", "libmpi.40.dylib", "libmpi.dylib");

    private static final List<String> USUAL = List.of(
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64/openmpi/lib",
            "/usr/lib/openmpi",
            "/usr/local/lib",
            "/opt/openmpi/lib",
            "/opt/homebrew/lib");

    /// Other implementations of MPI, in which handles are numbers, lack this.
    private static final String OPEN_MPI_ONLY = "ompi_mpi_comm_world";

    private MpiLibrary() {}

    /// Loads the library.
    ///
    /// @return its path
    /// @throws UnsatisfiedLinkError if none was found, listing every place tried, why each failed, and the remedy
    static String load() {
        // UCX replaces the JVM's handlers of signals, which it needs for null checks and safepoints
        // (https://github.com/openucx/ucx/issues/3337). An empty list keeps it from that.
        setEnvironment("UCX_ERROR_SIGNALS", "");
        List<String> tried = new ArrayList<>();
        for (Path file : places(tried)) {
            if (!Files.isRegularFile(file)) {
                tried.add(file + ": there is no such file");
                continue;
            }
            try (Arena arena = Arena.ofConfined()) {
                if (SymbolLookup.libraryLookup(file, arena).find(OPEN_MPI_ONLY).isEmpty()) {
                    tried.add(
                            file + ": is not Open MPI; programs of other implementations differ in their binary form");
                    continue;
                }
                System.load(file.toAbsolutePath().toString());
                return file.toString();
            } catch (IllegalArgumentException | UnsatisfiedLinkError e) {
                tried.add(file + ": " + e.getMessage());
            }
        }
        throw new UnsatisfiedLinkError("No Open MPI was found. Tried:\n  " + String.join("\n  ", tried)
                + "\nTo fix it, do one of these:\n"
                + "  install Open MPI 4.1 or 5 (Debian: openmpi-bin, Fedora: openmpi, macOS: brew install open-mpi),\n"
                + "  name its library: -D" + PROPERTY + "=/path/to/libmpi.so.40");
    }

    private static List<Path> places(List<String> tried) {
        String named = System.getProperty(PROPERTY, "");
        if (!named.isEmpty()) {
            // A library that is named and does not load is an error, not a reason to try another.
            return List.of(Path.of(named));
        }
        List<Path> folders = new ArrayList<>();
        for (String variable : List.of("OPAL_PREFIX", "MPI_HOME")) {
            String prefix = System.getenv(variable);
            if (prefix == null) {
                tried.add(variable + ": is not set");
            } else {
                folders.add(Path.of(prefix, "lib"));
                folders.add(Path.of(prefix, "lib64"));
            }
        }
        for (String variable : List.of("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")) {
            String path = System.getenv(variable);
            if (path != null) {
                for (String folder : path.split(File.pathSeparator)) {
                    folders.add(Path.of(folder));
                }
            }
        }
        USUAL.forEach(folder -> folders.add(Path.of(folder)));
        return folders.stream()
                .flatMap(folder -> NAMES.stream().map(folder::resolve))
                .filter(file -> Files.exists(file) || file.endsWith(NAMES.getFirst()))
                .toList();
    }

    /// Sets a variable of this process's environment, for native code, unless it is set: setenv(3).
    private static void setEnvironment(String name, String value) {
        Linker linker = Linker.nativeLinker();
        var setenv = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setenv"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int keepsOther = 0;
            int unused = (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), keepsOther);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
