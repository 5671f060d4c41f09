package org.toydiff.internal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// The options of the JVM: the library's system properties, read once, and whether native code may be called.
///
/// An exception while a class is initialized reaches its first user as an ExceptionInInitializerError without a
/// message and later ones as a NoClassDefFoundError. So a bad value is recorded and replaced by its default, and
/// [#require()], which every entry point of the library calls, throws each time.
public final class JvmOptions {
    private static final List<String> WRONG = new ArrayList<>();

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final boolean HAS_VECTORS =
            ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();

    /// The largest number of threads accepted; each is a platform thread.
    public static final int MAX_THREADS = 1024;

    /// The number of threads that share large work.
    public static final int THREADS = read(
            "toydiff.threads",
            Runtime.getRuntime().availableProcessors(),
            "a number of threads, 1 to " + MAX_THREADS,
            JvmOptions::threads);

    /// The limit on the memory of tensors in bytes; 0 if the property is not set.
    public static final long MEMORY_LIMIT =
            read("toydiff.memory.limit", 0L, "a size as 8g, 512m, 64k or bytes", JvmOptions::bytes);

    /// Whether the line that allocated each block is recorded.
    public static final boolean MEMORY_TRACE = flag("toydiff.memory.trace", false);

    /// Whether accesses beyond the operands of a kernel are detected.
    public static final boolean MEMORY_CHECK = flag("toydiff.memory.check", false);

    /// Whether the pool asks for huge pages.
    public static final boolean HUGE_PAGES = flag("toydiff.memory.hugepages", true);

    /// Whether kernels use the Vector API.
    public static final boolean VECTOR_KERNELS = read(
            "toydiff.kernels",
            HAS_VECTORS,
            HAS_VECTORS ? "vector or scalar" : "scalar, or vector with --add-modules " + VECTOR_MODULE,
            JvmOptions::vectors);

    static {
        // Replaced by toydiff.blas.
        read("toydiff.blas.library", "", "-Dtoydiff.blas=openblas, mkl, system or a path instead", text -> null);
    }

    private static final String PROBLEM = WRONG.isEmpty() ? null : String.join("\n", WRONG);
    private static final IllegalCallerException DENIED = denied();

    private JvmOptions() {}

    /// Throws unless the options are valid and native access is allowed.
    ///
    /// @throws IllegalArgumentException if a property has a bad value, naming each one and the allowed values
    /// @throws IllegalStateException if the JVM denies native access, naming the flag that grants it
    public static void require() {
        if (PROBLEM != null) {
            throw new IllegalArgumentException(PROBLEM);
        }
        if (DENIED != null) {
            throw new IllegalStateException(
                    "toydiff keeps tensors in native memory, to which this JVM denies it access; " + remedy(), DENIED);
        }
    }

    private static String remedy() {
        Module own = JvmOptions.class.getModule();
        if (own.isNamed() && own.getLayer() != ModuleLayer.boot()) {
            return "call enableNativeAccess for " + own + " on the controller of its layer";
        }
        return "start it with --enable-native-access=" + (own.isNamed() ? own.getName() : "ALL-UNNAMED");
    }

    /// Returns the exception that the JVM throws for a harmless restricted call, or null if it allows the call.
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

    /// Reads a property; `parse` returns null for a text that is not allowed.
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
        return threads == null || threads > MAX_THREADS ? null : Integer.valueOf(threads.intValue());
    }

    private static Boolean vectors(String text) {
        return switch (text) {
            case "vector" -> HAS_VECTORS ? true : null;
            case "scalar" -> false;
            default -> null;
        };
    }

    /// Parses a size as the JVM's flags write it; null for anything else.
    static Long bytes(String text) {
        int shift = text.isEmpty() ? 0 : Math.max(0, 10 * " kmgt".indexOf(text.charAt(text.length() - 1)));
        Long number = number(shift == 0 ? text : text.substring(0, text.length() - 1));
        return number == null || number > Long.MAX_VALUE >> shift ? null : Long.valueOf(number << shift);
    }

    /// Parses an integer of 1 or more; null for anything else.
    private static Long number(String text) {
        try {
            long number = Long.parseLong(text);
            return number > 0 ? number : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
