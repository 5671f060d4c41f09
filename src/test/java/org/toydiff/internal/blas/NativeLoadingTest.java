package org.toydiff.internal.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Blas;
import org.toydiff.child.Child;
import org.toydiff.child.Probe;

/// Where OpenBLAS comes from, in JVMs of their own.
class NativeLoadingTest {
    private static final String PRODUCT = "512.0 by ";

    @TempDir
    private Path cache;

    private static List<String> arguments(String use, String... options) {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", Child.classPath()));
        arguments.addAll(List.of(Probe.class.getName(), use));
        return arguments;
    }

    private Child probe(String... more) throws Exception {
        return Child.run(Map.of("XDG_CACHE_HOME", cache.toString()), arguments("product", more));
    }

    private static Path library(Child child) {
        assertTrue(child.out().startsWith(PRODUCT), child.out() + child.err());
        return Path.of(child.out().strip().substring(PRODUCT.length()));
    }

    @Test
    void everySymbolItNeedsIsThere() {
        for (String symbol : BlasLibrary.REQUIRED) {
            assertTrue(BlasLibrary.has(symbol), symbol);
        }
        for (String symbol : BlasLibrary.OPTIONAL) {
            assertTrue(BlasLibrary.has(symbol), symbol);
        }
        assertTrue(Blas.version().startsWith("OpenBLAS 0.3.31"), Blas.version());
        assertFalse(Blas.core().equals("unknown"));
        int threads = Blas.threads();
        Blas.setThreads(1);
        assertEquals(1, Blas.threads());
        Blas.setThreads(threads);
    }

    @Test
    void aMissingLibraryIsNamedWithTheFix() throws Exception {
        Child child = probe("-Dtoydiff.blas=/nowhere/libblas.so");
        assertEquals(1, child.exit());
        assertTrue(child.err().contains("-Dtoydiff.blas=/nowhere/libblas.so: there is no such file"), child.err());
        assertTrue(child.err().contains(Artifact.OPENBLAS.remedy(Artifact.platform())), child.err());
    }

    @Test
    void anArtifactThatIsNotThereIsNamedWithTheDependencyToAdd() throws Exception {
        String classPath = Child.classPath(entry -> !entry.contains("openblas"));
        Child child = Child.run(List.of(
                "-Dtoydiff.blas=openblas",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                Probe.class.getName(),
                "product"));
        String platform = Artifact.platform();
        assertEquals(1, child.exit());
        assertTrue(child.err().contains("is neither on the class path nor on the module path"), child.err());
        assertTrue(child.err().contains("<classifier>" + platform + "</classifier>"), child.err());
        assertTrue(child.err().contains(":" + platform + "@jar\")"), child.err());
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "oneMKL has no artifact for others")
    void anMklThatIsNotThereIsNamedWithTheDependencyToAdd() throws Exception {
        String classPath = Child.classPath(entry -> !entry.contains("mkl"));
        Child child = Child.run(List.of(
                "-Dtoydiff.blas=mkl",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                Probe.class.getName(),
                "product"));
        assertEquals(1, child.exit());
        assertTrue(
                child.err().contains("libmkl_rt.so.2 is neither on the class path nor on the module path"),
                child.err());
        assertTrue(child.err().contains("<artifactId>mkl</artifactId><version>" + Artifact.MKL.version), child.err());
        assertTrue(child.err().contains("<classifier>linux-x86_64-redist</classifier>"), child.err());
    }

    @Test
    void theArtifactIsFoundOnTheModulePathThoughNoModuleRequiresIt() throws Exception {
        Child child = Child.run(
                Map.of("XDG_CACHE_HOME", cache.toString()),
                List.of(
                        "-Dtoydiff.blas=openblas",
                        "--enable-native-access=org.toydiff",
                        "-p",
                        Child.LIBRARY + File.pathSeparator + Child.openBlasJars(),
                        "--add-modules=org.toydiff",
                        "-cp",
                        Child.classPath(entry -> entry.contains("test-classes")),
                        Probe.class.getName(),
                        "product"));
        assertTrue(library(child).isAbsolute());
    }

    @Test
    void everyProductSaysSoWhenThereIsNoLibrary() throws Exception {
        List<String> arguments = arguments("twice", "-Dtoydiff.blas=/nowhere/libblas.so");
        String line = "No library with the CBLAS interface was found. Tried:\n";
        Child child = Child.run(arguments);
        assertEquals(line.repeat(2), child.out().replace("\r", ""), child.err());
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "elsewhere paths are UTF-8 whatever the locale")
    void aPathThatTheLocaleHasNoBytesForIsAMessageToo() throws Exception {
        List<String> arguments = arguments("twice", "-Dtoydiff.blas=/bibliothèque/libblas.so");
        Child child = Child.run(Map.of("LC_ALL", "POSIX"), arguments);
        String line = "No library with the CBLAS interface was found. Tried:\n";
        assertEquals(line.repeat(2), child.out().replace("\r", ""), child.err());
    }

    @Test
    void aLibraryIsTakenByItsPath() throws Exception {
        Path copy = Files.createDirectory(cache.resolve("own"));
        try (var files = Files.list(library(probe()).getParent())) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        Path own = copy.resolve(library(probe()).getFileName());
        assertEquals(own, library(probe("-Dtoydiff.blas=" + own)));
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "macOS keeps caches where no variable moves them")
    void theArtifactsLibraryOrTheSystemsIsTakenAlone() throws Exception {
        assertTrue(library(probe("-Dtoydiff.blas=openblas")).startsWith(cache));
        Child system = probe("-Dtoydiff.blas=system");
        if (system.exit() == 0) {
            assertFalse(library(system).startsWith(cache));
        } else {
            assertTrue(system.err().contains("  system: libopenblas.so on java.library.path: "), system.err());
            assertFalse(system.err().contains("  openblas: "), system.err());
        }
    }

    @Test
    void aFileThatIsNoLibraryIsNamed() throws Exception {
        Path text = Files.writeString(cache.resolve("libtext.so"), "not a library");
        Child child = probe("-Dtoydiff.blas=" + text);
        assertEquals(1, child.exit());
        assertTrue(child.err().contains("-Dtoydiff.blas=" + text + ": "), child.err());
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "macOS keeps caches where no variable moves them")
    void twoJvmsMayUnpackAtOnce() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(Child.start(
                    Map.of("XDG_CACHE_HOME", cache.toString()),
                    cache.resolve("out" + i),
                    cache.resolve("err" + i),
                    arguments("product")));
        }
        for (int i = 0; i < 2; i++) {
            assertEquals(0, processes.get(i).waitFor(), Child.read(cache.resolve("err" + i)));
            assertTrue(Child.read(cache.resolve("out" + i)).startsWith(PRODUCT));
        }
        try (var files = Files.walk(cache)) {
            assertTrue(files.noneMatch(file -> file.toString().endsWith(".tmp")));
        }
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "macOS keeps caches where no variable moves them")
    void aTruncatedFileIsWrittenAnew() throws Exception {
        Path library = library(probe());
        assertTrue(library.startsWith(cache), library.toString());
        long bytes = Files.size(library);
        Files.write(library, new byte[100]);
        Path abandoned = Files.createFile(library.resolveSibling(".toydiff-of-a-killed-process.tmp"));
        assertEquals(library, library(probe()));
        assertEquals(bytes, Files.size(library));
        assertFalse(Files.exists(abandoned));
        byte[] content = Files.readAllBytes(library);
        content[content.length / 2] ^= 1;
        Files.write(library, content);
        assertEquals(library, library(probe()), "a file of the right size but other content is written anew too");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "needs a folder that not even root can write")
    void aReadOnlyCacheIsNoObstacle() throws Exception {
        Child child = Child.run(Map.of("XDG_CACHE_HOME", "/proc"), arguments("product"));
        assertFalse(library(child).startsWith("/proc"));
    }

    private Child withoutHome(String home, String xdg, String... more) throws Exception {
        List<String> arguments = arguments("product", more);
        arguments.add(0, "-Djava.io.tmpdir=" + Files.createDirectories(cache.resolve("tmp")));
        arguments.add(0, "-Duser.home=" + home);
        return Child.run(Map.of("XDG_CACHE_HOME", xdg), arguments);
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "macOS keeps caches where no variable moves them")
    void aHomeThatIsNoneIsNotMade() throws Exception {
        for (String home : new String[] {"?", "", "relative/home"}) {
            assertTrue(library(withoutHome(home, "")).startsWith(cache.resolve("tmp")), home);
            assertTrue(library(withoutHome(home, "relative")).startsWith(cache.resolve("tmp")), home);
            assertFalse(Files.exists(Path.of(home.isEmpty() ? ".cache" : home.split("/")[0])), home);
        }
        try (var left = Files.list(cache.resolve("tmp"))) {
            assertEquals(
                    List.of(),
                    left.filter(file -> file.toString().contains("openblas")).toList());
        }
        assertTrue(library(withoutHome(cache.toString(), "relative")).startsWith(cache.resolve(".cache/toydiff")));
    }

    /// The system's loader expands `$LIB` in what it is to load, so that it finds nothing in a folder of that name:
    /// it fails as it does in a folder that nothing may be run from, which only root can make.
    private static final String UNLOADABLE = "$LIB";

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "glibc's names")
    void aCacheThatNothingMayBeLoadedFromIsNoObstacle() throws Exception {
        Path folder = cache.resolve(UNLOADABLE);
        assertTrue(library(withoutHome("?", folder.toString())).startsWith(cache.resolve("tmp")));
        assertTrue(Files.exists(folder.resolve("toydiff")), "it was tried first");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "glibc's names")
    void everyFolderThatWasTriedIsNamed() throws Exception {
        Path folder = cache.resolve(UNLOADABLE);
        Path tmp = Files.createDirectories(folder.resolve("tmp"));
        List<String> arguments = arguments("product", "-Dtoydiff.blas=openblas", "-Djava.io.tmpdir=" + tmp);
        Child child = Child.run(Map.of("XDG_CACHE_HOME", folder.toString()), arguments);
        assertEquals(1, child.exit());
        assertTrue(child.err().contains("  openblas: unpacked to " + folder.resolve("toydiff/openblas-")), child.err());
        assertTrue(child.err().contains("  openblas: unpacked to " + tmp.resolve("toydiff-openblas")), child.err());
    }

    @Test
    void openArenasAreReportedWithTheLineThatMadeEachBlock() throws Exception {
        Child child = Child.run(arguments("leak", "-Dtoydiff.memory.trace=true"));
        assertTrue(child.err().contains("toydiff: arenas were still open when the JVM ended"), child.err());
        assertTrue(
                child.err().contains("448 B  ones [100] float32  at " + Probe.class.getName() + ".main(Probe.java:"),
                child.err());
    }
}
