package org.toydiff.bench.compare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Command lines of the processes that the drivers start.
public final class CommandLines {
    /// The flags of every JVM that runs toydiff, on OpenBLAS even where the jar has oneMKL.
    private static final List<String> JVM_FLAGS = List.of(
            "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-Dtoydiff.blas=openblas");

    /// Where PyTorch's compiler keeps what it compiled.
    private static final Path COMPILER_CACHE =
            Path.of("target", "torch-compiler").toAbsolutePath();

    private CommandLines() {}

    /// Returns the command that runs a main class of this jar in a JVM like this one. Later flags override earlier
    /// ones.
    ///
    /// @param main the class
    /// @param flags further flags of the JVM
    /// @return the command, to which the program's arguments can be added
    public static List<String> java(Class<?> main, String... flags) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM_FLAGS);
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        return command;
    }

    static ProcessBuilder builder(List<String> command) {
        var builder = new ProcessBuilder(command);
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        builder.environment().putIfAbsent("TORCHINDUCTOR_CACHE_DIR", COMPILER_CACHE.toString());
        return builder;
    }

    /// Runs a command to its end and returns its output.
    ///
    /// @throws IOException if it cannot be started or fails
    static String output(List<String> command) throws IOException {
        return output(command, ProcessBuilder.Redirect.DISCARD);
    }

    /// Runs a command to its end.
    ///
    /// @param command the command
    /// @param errors where its standard error goes
    /// @return its output
    /// @throws IOException if it cannot be started or fails
    public static String output(List<String> command, ProcessBuilder.Redirect errors) throws IOException {
        Process process = builder(command).redirectError(errors).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + " failed with exit code " + process.exitValue());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return output;
    }
}
