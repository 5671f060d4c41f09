package org.toydiff.bench.blas;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// A requested library.
///
/// @param asked `openblas`, `mkl`, `system` or a path, as `-Dtoydiff.blas` takes it
/// @param path the file that it was loaded from
/// @param version the version that it reports
/// @param core the processor that it reports its kernels are for
record Library(String asked, String name, String path, String version, String core) {
    static final String OPENBLAS = "openblas";

    private static final Set<String> NAMES = Set.of(OPENBLAS, "mkl", "system");

    static boolean isFile(String asked) {
        return !NAMES.contains(asked);
    }

    /// Returns the shortest names that differ from one another: of a path, its last parts.
    static List<String> names(List<String> asked) {
        List<String> names = new ArrayList<>();
        for (String one : asked) {
            int parts = 1;
            while (isFile(one) && isAmbiguous(one, parts, asked)) {
                parts++;
            }
            names.add(tail(one, parts));
        }
        return names;
    }

    private static boolean isAmbiguous(String one, int parts, List<String> asked) {
        return parts < Path.of(one).getNameCount()
                && asked.stream()
                                .filter(other -> tail(other, parts).equals(tail(one, parts)))
                                .count()
                        > 1;
    }

    private static String tail(String asked, int parts) {
        Path path = Path.of(asked);
        int count = path.getNameCount();
        return isFile(asked) ? path.subpath(Math.max(0, count - parts), count).toString() : asked;
    }
}
