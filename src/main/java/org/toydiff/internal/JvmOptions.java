package org.toydiff.internal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// What the JVM was started with: the library's system properties, read once, and whether native code may be called.
///
/// An exception while a class is initialized reaches its first user as an ExceptionInInitializerError without a
/// message and the next ones as a NoClassDefFoundError. So a bad value is noted, its default stands in for it, and
/// [#require()], which every entrance of the library asks, throws whenever it is asked.
public final class JvmOptions {
    private static final List<String> WRONG = new ArrayList<>();

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final boolean HAS_VECTORS =
            ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();

    /// More are refused: each is a thread of the operating system's.
    public static final int MOST_THREADS = 1024;

    /// How many threads share large work.
    public static final int THREADS = read(
            "toydiff.threads",
            Runtime.getRuntime().availableProcessors(),
            "a number of threads, 1 to " + MOST_THREADS,
            JvmOptions::threads);

    /// What tensors may take, in bytes; 0 when it was not given.
    public static final long MEMORY_LIMIT =
            read("toydiff.memory.limit", 0L, "a size as 8g, 512m, 64k or bytes", JvmOptions::bytes);

    /// Whether the line that made each block is remembered.
    public static final boolean MEMORY_TRACE = flag("toydiff.memory.trace", false);

    /// Whether memory is checked for writes by who does not own it.
    public static final boolean MEMORY_CHECK = flag("toydiff.memory.check", false);

    /// Whether the pool asks for huge pages.
    public static final boolean HUGE_PAGES = flag("toydiff.memory.hugepages", true);

    /// Whether kernels are those on the Vector API.
    public static final boolean VECTOR_KERNELS = read(
            "toydiff.kernels",
            HAS_VECTORS,
            HAS_VECTORS ? "vector or scalar" : "scalar, or vector with --add-modules " + VECTOR_MODULE,
            JvmOptions::vectors);

    private static final String PROBLEM = WRONG.isEmpty() ? null : String.join("\n", WRONG);
    private static final IllegalCallerException DENIED = denied();

    private JvmOptions() {}

    /// Throws unless the library can work as it was told to.
    ///
    /// @throws IllegalArgumentException if a property has a bad value; it names each, and what is allowed
    /// @throws IllegalStateException if the JVM denies calls of native code; it names the flag that allows them
    public static void require() {
        if (PROBLEM != null) {
            throw new IllegalArgumentException(PROBLEM);
        }
        if (DENIED != null) {
            throw new IllegalStateException(
                    "toydiff keeps tensors in native memory, which this JVM denies it; " + remedy(), DENIED);
        }
    }

    private static String remedy() {
        Module own = JvmOptions.class.getModule();
        if (own.isNamed() && own.getLayer() != ModuleLayer.boot()) {
            return "call enableNativeAccess for " + own + " on the controller of its layer";
        }
        return "start it with --enable-native-access=" + (own.isNamed() ? own.getName() : "ALL-UNNAMED");
    }

    /// What the JVM throws at the least of what is restricted, or null.
    private static IllegalCallerException denied() {
        try {
            MemorySegment unused = MemorySegment.NULL.reinterpret(0);
            return null;
        } catch (IllegalCallerException e) {
            return e;
        }
    }

    private static boolean flag(String name, boolean otherwise) {
        return read(name, otherwise, "true or false", text -> switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> null;
        });
    }

    /// The value of a property, which `parse` makes null of a text that is not allowed.
    private static <T> T read(String name, T otherwise, String allowed, Function<String, T> parse) {
        String text = System.getProperty(name);
        T value = text == null ? otherwise : parse.apply(text.strip().toLowerCase(Locale.ROOT));
        if (value == null) {
            WRONG.add("-D" + name + "=" + text + ": give " + allowed);
            return otherwise;
        }
        return value;
    }

    private static Integer threads(String text) {
        Long threads = number(text);
        return threads == null || threads > MOST_THREADS ? null : Integer.valueOf(threads.intValue());
    }

    private static Boolean vectors(String text) {
        return switch (text) {
            case "vector" -> HAS_VECTORS ? true : null;
            case "scalar" -> false;
            default -> null;
        };
    }

    /// As the JVM's own flags take them; null for anything else.
    static Long bytes(String text) {
        int shift = text.isEmpty() ? 0 : Math.max(0, 10 * " kmgt".indexOf(text.charAt(text.length() - 1)));
        Long number = number(shift == 0 ? text : text.substring(0, text.length() - 1));
        return number == null || number > Long.MAX_VALUE >> shift ? null : Long.valueOf(number << shift);
    }

    /// A number of 1 or more, or null.
    private static Long number(String text) {
        try {
            long number = Long.parseLong(text);
            return number > 0 ? number : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
