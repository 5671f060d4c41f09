package org.toydiff.bench.blas;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The commands and the environment that child processes start with.
final class ChildCommands {
    private static final String BLAS_PROPERTY = "toydiff.blas.library";

    private ChildCommands() {}

    /// A main class of this jar in a JVM like this one. It waits for its compiler, so that nothing interpreted is
    /// timed for want of a free core, and no crash of a library leaves a file behind.
    static List<String> java(Class<?> main, String library, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:-BackgroundCompilation",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:+DisplayVMOutputToStderr",
                "-XX:ErrorFile=" + (File.separatorChar == '/' ? "/dev/null" : "NUL")));
        if (library != null) {
            command.add("-D" + BLAS_PROPERTY + "=" + library);
        }
        command.addAll(List.of("-cp", classPath(), main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static String classPath() {
        // Surefire's own class path is one jar that refers to all others.
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    /// What tells libraries how many threads to use before they are loaded. A pool of OpenMP threads spins for a
    /// while after its last work; not for longer than the pause between two requests.
    static Map<String, String> environment(int threads) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (String name : List.of("OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")) {
            variables.put(name, Integer.toString(threads));
        }
        variables.put("KMP_BLOCKTIME", "20");
        return variables;
    }

    /// Compiles the C program that times the same calls, for as long as this JVM runs.
    ///
    /// @return the program, or nothing where there is no C compiler
    /// @throws IOException if it does not compile
    static Optional<Path> compileC() throws IOException {
        Optional<Path> compiler = compiler();
        if (compiler.isEmpty()) {
            return Optional.empty();
        }
        Path folder = Files.createTempDirectory("blasbench");
        // In this order, which is undone from the end.
        for (String name : List.of("", "blas.c", "timing.h", "blas", "log")) {
            folder.resolve(name).toFile().deleteOnExit();
        }
        for (String name : List.of("blas.c", "timing.h")) {
            try (InputStream source = ChildCommands.class.getResourceAsStream("native/" + name)) {
                Files.copy(source, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Path program = folder.resolve("blas");
        Path log = folder.resolve("log");
        List<String> command = List.of(
                compiler.get().toString(),
                "-O3",
                "-o",
                program.toString(),
                folder.resolve("blas.c").toString(),
                "-ldl");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + Files.readString(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return Optional.of(program);
    }

    private static Optional<Path> compiler() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of("cc", "gcc", "clang")
                .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
