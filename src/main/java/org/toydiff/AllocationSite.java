package org.toydiff;

import java.security.CodeSource;
import java.util.List;
import java.util.Set;

/// The line of the user's program that made a block, for leak reports.
final class AllocationSite {
    private static final Set<String> LIBRARY = Set.of("org.toydiff", "org.toydiff.nn", "org.toydiff.optim");
    private static final CodeSource OWN =
            AllocationSite.class.getProtectionDomain().getCodeSource();
    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private AllocationSite() {}

    /// The innermost frame outside the library, or the outermost one when all are inside it.
    static StackWalker.StackFrame capture() {
        return WALKER.walk(frames -> {
            List<StackWalker.StackFrame> all = frames.toList();
            return all.stream()
                    .filter(frame -> !inLibrary(frame.getDeclaringClass()))
                    .findFirst()
                    .orElse(all.getLast());
        });
    }

    private static boolean inLibrary(Class<?> type) {
        return LIBRARY.contains(type.getPackageName())
                && OWN != null
                && OWN.equals(type.getProtectionDomain().getCodeSource());
    }
}
