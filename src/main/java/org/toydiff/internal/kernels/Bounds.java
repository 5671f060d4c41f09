package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// Checks that stand before a loop over memory, in the same method, because the compiler relies on them there.
///
/// **A start lies within its segment.** Without this check the compiler must assume that `at + i` may overflow, and
/// leaves a bounds check at every access in the loop: an addition of 4,096 floats then takes 1.2 µs instead of 0.4.
///
/// **Every thread may read the segment**, which holds for all memory passed to kernels. The JDK's accessors check
/// whether memory belongs to a thread and, if so, to the current one. Once anything in the process has used confined
/// segments, the compiler finds the second comparison worth hoisting out of loops, where it fails for memory that
/// belongs to no thread: the compiled code is discarded and recompiled, from 6 times to, in loops over four
/// segments, more than 60 times, over many seconds (JDK 25, C2's profiled loop predicates). Two threads that are
/// never started prove that memory has no owner, and then no comparison is left.
final class Bounds {
    private static final Thread ONE =
            Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});
    private static final Thread OTHER =
            Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

    private Bounds() {}

    /// Checks that `at`, in bytes or elements, lies within x, and that x has no owner.
    static void within(MemorySegment x, long at) {
        if (at < 0 || at > x.byteSize()) {
            throw new IndexOutOfBoundsException(at + " in a segment of " + x.byteSize() + " bytes");
        }
        if (!x.isAccessibleBy(ONE) || !x.isAccessibleBy(OTHER)) {
            throw new WrongThreadException("a kernel received memory that is confined to one thread");
        }
    }

    /// Checks two segments.
    static void within(MemorySegment x, long xAt, MemorySegment y, long yAt) {
        within(x, xAt);
        within(y, yAt);
    }

    /// Checks three segments.
    static void within(MemorySegment x, long xAt, MemorySegment y, long yAt, MemorySegment z, long zAt) {
        within(x, xAt, y, yAt);
        within(z, zAt);
    }

    /// Checks four segments.
    static void within(
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt,
            MemorySegment z,
            long zAt,
            MemorySegment u,
            long uAt) {
        within(x, xAt, y, yAt);
        within(z, zAt, u, uAt);
    }
}
