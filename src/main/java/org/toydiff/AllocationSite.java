package org.toydiff;

import java.lang.StackWalker.StackFrame;
import java.security.CodeSource;
import java.util.List;
import java.util.Objects;

/// The line of the user's program that made a block, for leak reports.
final class AllocationSite {
    private static final Class<?> OWN = AllocationSite.class;
    private static final String ROOT = OWN.getPackageName();

    /// A program like a user's, though it comes in the same module.
    private static final String EXAMPLES = ROOT + ".examples";

    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private AllocationSite() {}

    /// The innermost frame outside the library and the JDK, which runs lambdas of either; the library's outermost one
    /// where there is none, as on a thread of its own.
    static StackFrame capture() {
        return WALKER.walk(frames -> {
            List<StackFrame> all =
                    frames.filter(frame -> !inJdk(frame.getDeclaringClass())).toList();
            return all.stream()
                    .filter(frame -> !inLibrary(frame.getDeclaringClass()))
                    .findFirst()
                    .orElse(all.getLast());
        });
    }

    private static boolean inJdk(Class<?> type) {
        ClassLoader loader = type.getClassLoader();
        return loader == null || loader == ClassLoader.getPlatformClassLoader();
    }

    /// By package as well as by origin, which may be a jar that a program and its libraries were packed into.
    private static boolean inLibrary(Class<?> type) {
        String name = type.getPackageName();
        return type.getModule() == OWN.getModule()
                && Objects.equals(origin(type), origin(OWN))
                && (name.equals(ROOT) || name.startsWith(ROOT + "."))
                && !name.equals(EXAMPLES);
    }

    private static CodeSource origin(Class<?> type) {
        return type.getProtectionDomain().getCodeSource();
    }
}
