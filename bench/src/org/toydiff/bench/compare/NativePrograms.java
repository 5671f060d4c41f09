package org.toydiff.bench.compare;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Builds the programs under `native/`.
public final class NativePrograms {
    private static final Path SOURCES = Path.of("native");
    private static final Path PROGRAMS = Path.of("target", "native");

    private NativePrograms() {}

    /// Compiles a program.
    ///
    /// @return the path of the executable
    /// @throws IOException if there is no compiler or it fails
    static Path build(String name) throws IOException {
        return build(name, found("neither cc nor gcc is on the PATH; install one", "cc", "gcc"));
    }

    /// Compiles a program that uses MPI.
    ///
    /// @param name the name of the program
    /// @return the path of the executable
    /// @throws IOException if there is no compiler or it fails
    public static Path buildForMpi(String name) throws IOException {
        return build(name, found("mpicc is not on the PATH; on Debian it is in the package libopenmpi-dev", "mpicc"));
    }

    private static Path build(String name, Path compiler) throws IOException {
        Path program = Files.createDirectories(PROGRAMS).resolve(name);
        Path source = SOURCES.resolve(name + ".c");
        CommandLines.output(List.of(
                compiler.toString(),
                "-O3",
                "-march=native",
                "-pthread",
                "-o",
                program.toString(),
                source.toString(),
                "-ldl"));
        return program;
    }

    private static Path found(String missing, String... names) throws IOException {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(names)
                .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IOException(missing));
    }
}
