package org.toydiff.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.toydiff.Tensor;

/// Compares the names of the benchmarks' types with the library's.
class TypeNamesTest {
    private static List<String> types(Class<?> member) throws IOException, URISyntaxException {
        Path origin = Path.of(
                member.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (Files.isDirectory(origin)) {
            return types(origin);
        }
        try (FileSystem jar = FileSystems.newFileSystem(URI.create("jar:" + origin.toUri()), Map.of())) {
            return types(jar.getPath("/"));
        }
    }

    /// Returns the top-level types below a folder, except those that JMH generated.
    private static List<String> types(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(file -> root.relativize(file).toString())
                    .filter(file -> file.endsWith(".class") && !file.contains("$") && !file.endsWith("-info.class"))
                    .filter(file -> !file.contains("jmh_generated"))
                    .toList();
        }
    }

    @Test
    void noTypeOfTheBenchmarksSharesItsSimpleNameWithAnotherOrWithOneOfTheLibrary() throws Exception {
        List<String> own = types(Compare.class);
        List<String> library = types(Tensor.class);
        assertTrue(own.size() > 60 && library.size() > 200, own.size() + " and " + library.size() + " types");
        Map<String, List<String>> shared = Stream.concat(own.stream(), library.stream())
                .collect(Collectors.groupingBy(
                        type -> type.substring(type.lastIndexOf('/') + 1), TreeMap::new, Collectors.toList()));
        shared.values().removeIf(types -> types.size() == 1 || types.stream().noneMatch(own::contains));
        assertEquals(Map.of(), shared);
    }
}
