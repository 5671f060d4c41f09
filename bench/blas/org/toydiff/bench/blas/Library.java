package org.toydiff.bench.blas;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A library that was asked for.
///
/// @param asked `bundled`, `system` or a path
/// @param path where it was loaded from
/// @param version what it says it is
/// @param core the processor its kernels are for, as it says
record Library(String asked, String name, String path, String version, String core) {
    static final String BUNDLED = "bundled";
    static final String SYSTEM = "system";

    static boolean isFile(String asked) {
        return !asked.equals(BUNDLED) && !asked.equals(SYSTEM);
    }

    /// Names as short as tell them apart: of a path the last parts.
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
