package org.toydiff.bench.compare;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Builds the programs under `native/`.
final class NativePrograms {
    private static final Path SOURCES = Path.of("native");
    private static final Path PROGRAMS = Path.of("target", "native");

    private NativePrograms() {}

    /// Compiles a program.
    ///
    /// @return the path of the executable
    /// @throws IOException if there is no compiler or it fails
    static Path build(String name) throws IOException {
        Path compiler = compiler().orElseThrow(() -> new IOException("neither cc nor gcc is on the PATH; install one"));
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

    private static Optional<Path> compiler() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of("cc", "gcc")
                .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
