package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The layers of the library, read from its class files.
class ArchitectureTest {
    private static final String LIBRARY = "org.toydiff";

    /// Every package, from the lowest up: each may use those before it and no other.
    private static final List<String> LAYERS = Stream.of(
                    ".internal",
                    ".internal.files",
                    ".internal.random",
                    ".internal.openblas",
                    ".internal.lapacke",
                    ".internal.mkl",
                    ".internal.blas",
                    ".internal.events",
                    ".internal.workers",
                    ".internal.arithmetic",
                    ".internal.kernels",
                    ".internal.launch",
                    ".internal.fusion",
                    ".internal.text",
                    ".internal.memory",
                    "",
                    ".nn",
                    ".optim",
                    ".io",
                    ".data",
                    ".train.metrics",
                    ".train.report",
                    ".train")
            .map(name -> LIBRARY + name)
            .toList();

    /// May be used by all though it is not exported: plumbing that touches no tensor.
    private static final String PLUMBING = LIBRARY + ".internal.files";

    private static final int MAX_FILES = 40;
    private static final int MAX_LINES = 600;

    private static final Path SOURCES = Path.of(System.getProperty("toydiff.test.basedir"), "src/main/java");
    /// Has all factories, because callers from Scala and by reflection find static methods in the class that
    /// declares them only.
    private static final Path FACTORIES = SOURCES.resolve("org/toydiff/Tensor.java");

    private static final Path CLASSES = Path.of(System.getProperty("toydiff.test.classes"));
    private static final JavaClasses ALL = new ClassFileImporter().importPath(CLASSES);

    private static Set<String> exported() throws IOException {
        try (InputStream module = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            return ModuleDescriptor.read(module).exports().stream()
                    .filter(export -> !export.isQualified())
                    .map(ModuleDescriptor.Exports::source)
                    .collect(Collectors.toSet());
        }
    }

    private static boolean isOwn(JavaClass type) {
        return type.getPackageName().equals(LIBRARY) || type.getPackageName().startsWith(LIBRARY + ".");
    }

    /// The dependencies from one package of the library to another that are not allowed.
    private static List<String> offending(BiPredicate<JavaClass, JavaClass> allowed) {
        return ALL.stream()
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .filter(use -> isOwn(use.getTargetClass()))
                .filter(use -> !use.getOriginClass()
                        .getPackageName()
                        .equals(use.getTargetClass().getPackageName()))
                .filter(use -> !allowed.test(use.getOriginClass(), use.getTargetClass()))
                .map(Dependency::getDescription)
                .sorted()
                .toList();
    }

    @Test
    void everyPackageHasALayer() {
        Set<String> packages =
                ALL.stream().map(JavaClass::getPackageName).collect(Collectors.toCollection(TreeSet::new));
        assertEquals(new TreeSet<>(LAYERS), packages);
    }

    @Test
    void noPackageUsesOneAboveIt() {
        assertEquals(
                List.of(),
                offending((from, to) -> LAYERS.indexOf(to.getPackageName()) < LAYERS.indexOf(from.getPackageName())));
    }

    @Test
    void kernelsAndBlasKnowNoTensor() {
        assertEquals(
                List.of(),
                offending((from, to) -> !from.getPackageName().startsWith(LIBRARY + ".internal")
                        || to.getPackageName().startsWith(LIBRARY + ".internal")));
    }

    @Test
    void whatStandsOnTheCoreUsesExportedPackagesOnly() throws IOException {
        Set<String> exported = exported();
        assertEquals(
                List.of(),
                offending((from, to) -> LAYERS.indexOf(from.getPackageName()) <= LAYERS.indexOf(LIBRARY)
                        || exported.contains(to.getPackageName())
                        || to.getPackageName().equals(PLUMBING)));
    }

    @Test
    void allPackagesAreExportedButTheInternalOnes() throws IOException {
        Set<String> others = LAYERS.stream()
                .filter(name -> !name.startsWith(LIBRARY + ".internal"))
                .collect(Collectors.toSet());
        assertEquals(others, exported());
    }

    @Test
    void noTwoTypesHaveOneName() {
        Map<String, Set<String>> names = new TreeMap<>();
        ALL.stream()
                .filter(type -> type.isTopLevelClass() && !type.getSimpleName().equals("package-info"))
                // The base class of jextract's bindings of every library.
                .filter(type -> !type.getName().endsWith("$shared"))
                .forEach(type -> names.computeIfAbsent(type.getSimpleName(), name -> new TreeSet<>())
                        .add(type.getName()));
        names.values().removeIf(types -> types.size() == 1);
        assertEquals(Map.of(), names);
    }

    /// The sources that people write: generated ones are elsewhere.
    private static List<Path> sources() throws IOException {
        try (Stream<Path> all = Files.walk(SOURCES)) {
            return all.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList();
        }
    }

    /// The interfaces of ops do not count: there is one for each subject, which a reader finds by its name.
    @Test
    void noPackageHasTooManyFiles() throws IOException {
        Map<Path, Long> files = sources().stream()
                .filter(file -> !file.endsWith("package-info.java"))
                .filter(file -> !file.getFileName().toString().endsWith("Ops.java"))
                .collect(Collectors.groupingBy(Path::getParent, TreeMap::new, Collectors.counting()));
        assertTrue(files.size() >= LAYERS.size() - 1, files.toString());
        files.values().removeIf(count -> count <= MAX_FILES);
        assertEquals(Map.of(), files);
    }

    @Test
    void everyPackageHasAPage() throws IOException {
        Set<Path> packages = sources().stream()
                .map(Path::getParent)
                .filter(folder -> !folder.equals(SOURCES))
                .collect(Collectors.toCollection(TreeSet::new));
        packages.removeIf(folder -> Files.exists(folder.resolve("package-info.java")));
        assertEquals(Set.of(), packages);
    }

    @Test
    void noFileIsTooLong() throws IOException {
        Map<Path, Long> lines = new TreeMap<>();
        for (Path file : sources()) {
            try (Stream<String> all = Files.lines(file)) {
                lines.put(file, all.count());
            }
        }
        assertTrue(
                lines.size() > ALL.stream().filter(JavaClass::isTopLevelClass).count() / 2, lines.toString());
        lines.entrySet().removeIf(file -> file.getValue() <= (file.getKey().equals(FACTORIES) ? 800 : MAX_LINES));
        assertEquals(Map.of(), lines);
    }
}
