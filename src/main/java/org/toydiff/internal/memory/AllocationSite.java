package org.toydiff.internal.memory;

import java.lang.StackWalker.StackFrame;
import java.security.CodeSource;
import java.util.Objects;

/// The line of the user's program that made a block or opened an arena, for leak reports.
final class AllocationSite {
    private static final Class<?> OWN = AllocationSite.class;
    private static final String ROOT = root(OWN.getPackageName());

    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private AllocationSite() {}

    /// The library's root package, which a program that packs the library into its own jar may have renamed.
    private static String root(String own) {
        return own.substring(0, own.length() - ".internal.memory".length());
    }

    /// Returns the innermost frame outside the library and the JDK, which runs lambdas of both; the library's
    /// outermost frame where there is none, as on a thread that the library started.
    static StackFrame capture() {
        return WALKER.walk(frames -> frames.filter(frame -> !inJdk(frame.getDeclaringClass()))
                        .filter(frame -> !inLibrary(frame.getDeclaringClass()))
                        .findFirst())
                .orElseGet(AllocationSite::outermost);
    }

    private static StackFrame outermost() {
        return WALKER.walk(frames -> frames.filter(frame -> !inJdk(frame.getDeclaringClass()))
                .reduce((inner, outer) -> outer)
                .orElseThrow());
    }

    private static boolean inJdk(Class<?> type) {
        ClassLoader loader = type.getClassLoader();
        return loader == null || loader == ClassLoader.getPlatformClassLoader();
    }

    /// Compares packages as well as origins, because a program and its libraries may be packed into one jar.
    private static boolean inLibrary(Class<?> type) {
        String name = type.getPackageName();
        return type.getModule() == OWN.getModule()
                && Objects.equals(origin(type), origin(OWN))
                && (name.equals(ROOT) || name.startsWith(ROOT + "."));
    }

    private static CodeSource origin(Class<?> type) {
        return type.getProtectionDomain().getCodeSource();
    }
}
