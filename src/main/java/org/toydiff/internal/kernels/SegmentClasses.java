package org.toydiff.internal.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Loads the JDK's classes of segments and of their lifetimes before the first loop is compiled.
///
/// The compiler relies on the classes that are loaded: while all segments are native ones, it calls their methods
/// directly. When the first segment of another class appears, the JVM discards every loop compiled so far (class
/// hierarchy analysis), and a vector form then allocates until it has been compiled again. Such a class may appear
/// late: the Vector API views an array as a segment when it shuffles lanes before it has been compiled, and a
/// program may map a file or open a shared arena.
final class SegmentClasses {
    /// The class of mapped files, which no method returns without a file.
    private static final String MAPPED = "jdk.internal.foreign.MappedMemorySegmentImpl";

    private SegmentClasses() {}

    static void load() {
        MemorySegment.ofArray(new byte[1]);
        Arena.ofAuto();
        Arena.ofConfined().close();
        Arena.ofShared().close();
        try {
            Class.forName(MAPPED);
        } catch (ClassNotFoundException e) {
            // A JDK without it: a mapped file may cost the loops one more compilation.
        }
    }
}
