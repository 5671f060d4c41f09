package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.child.Child;
import org.toydiff.child.Traced;

/// That traces name the user's line, whichever package of the library it called.
class AllocationSiteTest {
    @TempDir
    private Path folder;

    private void requireUsersLines(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("-Dtoydiff.memory.trace=true"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of(Traced.class.getName(), folder.resolve("a.npy").toString()));
        Child child = Child.run(arguments);
        assertEquals(0, child.exit(), child.err());
        Set<String> methods = new TreeSet<>();
        child.out().lines().filter(line -> line.contains("  at ")).forEach(line -> {
            String site = line.substring(line.indexOf("  at ") + 5);
            String where = site.substring(0, site.indexOf('('));
            if (!where.endsWith("toydiff.data.Prefetcher.run")) {
                assertTrue(site.contains(Traced.class.getName()), line);
                methods.add(where.substring(where.lastIndexOf('.') + 1).replaceFirst("lambda.(.*).0", "$1"));
            }
        });
        assertEquals(Set.of("batch", "dataset", "file", "layer", "loader", "optimizer", "stream", "train"), methods);
    }

    @Test
    void onTheClassPath() throws Exception {
        requireUsersLines("--enable-native-access=ALL-UNNAMED", "-cp", Child.classPath());
    }

    @Test
    void inTheModule() throws Exception {
        String others = Child.classPathWithoutLibrary();
        requireUsersLines(
                "--enable-native-access=org.toydiff",
                "-p",
                Child.LIBRARY,
                "--add-modules",
                "org.toydiff",
                "-cp",
                others);
    }
}
