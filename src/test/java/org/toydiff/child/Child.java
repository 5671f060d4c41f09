package org.toydiff.child;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Another JVM, started by a test to do the things a JVM does once: load a library, end, run as a module. The programs
/// it runs are the other classes of this package, which is outside the library and its module.
///
/// @param exit the exit status
/// @param out everything it printed
/// @param err everything it printed as errors
public record Child(int exit, String out, String err) {
    /// The folder of the library's classes: a class path entry, and a module.
    public static final String LIBRARY = System.getProperty("toydiff.test.classes");

    private static final int OUTPUT_SECONDS = 120;

    /// Options of a JVM that does little and ends soon: C1 compiles in a tenth of C2's time.
    public static final List<String> SHORT_LIVED = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    /// The class path of this JVM.
    public static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    /// The entries of the class path for which `kept` holds.
    public static String classPath(Predicate<String> kept) {
        return Arrays.stream(classPath().split(File.pathSeparator))
                .filter(kept)
                .collect(Collectors.joining(File.pathSeparator));
    }

    /// The class path of a JVM that has the library as a module.
    public static String classPathWithoutLibrary() {
        return classPath(entry -> !entry.equals(LIBRARY));
    }

    /// The jars of OpenBLAS: that of Linux on x86-64, a dependency everywhere, and elsewhere that of this platform
    /// too.
    public static String openBlasJars() {
        return classPath(entry -> entry.contains("openblas") && entry.endsWith(".jar"));
    }

    /// The first jar on the class path whose path contains a name.
    public static String jar(String name) {
        return Arrays.stream(classPath().split(File.pathSeparator))
                .filter(entry -> entry.contains(name) && entry.endsWith(".jar"))
                .findFirst()
                .orElseThrow();
    }

    /// A process to be started with the `java` of this JVM.
    public static ProcessBuilder java(List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(arguments);
        return new ProcessBuilder(command);
    }

    /// Starts a JVM that prints to two files.
    public static Process start(Path out, Path err, List<String> arguments) throws IOException {
        return start(Map.of(), out, err, arguments);
    }

    /// Starts a JVM with variables added to its environment, which prints to two files.
    public static Process start(Map<String, String> environment, Path out, Path err, List<String> arguments)
            throws IOException {
        var builder = java(arguments).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    /// Runs a JVM to its end.
    public static Child run(List<String> arguments) throws IOException, InterruptedException {
        return run(Map.of(), arguments);
    }

    /// Runs a JVM with variables added to its environment to its end.
    public static Child run(Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        Path out = Files.createTempFile("child", ".out");
        Path err = Files.createTempFile("child", ".err");
        try {
            int exit = start(environment, out, err, arguments).waitFor();
            return new Child(exit, read(out), read(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /// Waits until a child that is running has printed `text`.
    ///
    /// @throws AssertionError if it ends, or two minutes pass, before that
    public static void awaitOutput(Process process, Path out, String text) throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (!read(out).contains(text)) {
            if (!process.isAlive() && !read(out).contains(text)) {
                throw new AssertionError("the child ended before it printed \"" + text + "\": " + read(out));
            }
            if (System.nanoTime() - start > OUTPUT_SECONDS * 1_000_000_000L) {
                throw new AssertionError("the child did not print \"" + text + "\": " + read(out));
            }
            Thread.sleep(1);
        }
    }

    /// The text of a file.
    public static String read(Path file) throws IOException {
        return Files.readString(file);
    }
}
