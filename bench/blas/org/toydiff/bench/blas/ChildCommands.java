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

/// The command lines and environment variables of child processes.
final class ChildCommands {
    private static final String BLAS_PROPERTY = "toydiff.blas";

    private ChildCommands() {}

    /// Returns the command that runs a main class of this jar in a JVM like this one. The JVM waits for its
    /// compiler, so that no interpreted code is timed for lack of a free core, and writes no files when a library
    /// crashes.
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
        // Surefire's class path is a single jar that refers to all others.
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    /// Returns the variables that set a library's number of threads and its mode before it is loaded, and that keep an
    /// idle pool of OpenMP threads from spinning longer than the pause between two requests.
    static Map<String, String> environment(int threads) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (String name : List.of("OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")) {
            variables.put(name, Integer.toString(threads));
        }
        variables.put("KMP_BLOCKTIME", "20");
        // The mode of reproducible results, which toydiff chooses after loading oneMKL, holds for the calls from C too.
        variables.put("MKL_CBWR", System.getenv().getOrDefault("MKL_CBWR", "AUTO"));
        return variables;
    }

    /// Compiles the C program that times the same calls; its files are deleted when this JVM ends.
    ///
    /// @return the program; empty if there is no C compiler
    /// @throws IOException if it does not compile
    static Optional<Path> compileC() throws IOException {
        Optional<Path> compiler = compiler();
        if (compiler.isEmpty()) {
            return Optional.empty();
        }
        Path folder = Files.createTempDirectory("blasbench");
        // Deleted in reverse order, so the folder comes first.
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
