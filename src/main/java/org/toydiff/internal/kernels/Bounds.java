package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// What the compiler must be told before a loop over memory, in the same method.
///
/// **That a start lies within its segment.** Else the compiler has to think that `at + i` may overflow, and leaves
/// a bounds check at every access in the loop: an addition of 4,096 floats then takes 1.2 µs instead of 0.4.
///
/// **That every thread may read it**, which holds for all memory that kernels are given. The JDK's accessors check
/// whether memory belongs to a thread and, if so, to the running one. Once anything in the process has used
/// confined segments, the compiler finds the second comparison worth hoisting out of loops, and it fails there for
/// memory that belongs to none: the compiled code is thrown away and made anew, from 6 times to, in loops over four
/// segments, more than 60 times, over many seconds (JDK 25, C2's profiled loop predicates). Two threads that are
/// never started prove that memory has no owner, and then no comparison is left.
final class Bounds {
    private static final Thread ONE =
            Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});
    private static final Thread OTHER =
            Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

    private Bounds() {}

    /// Says that `at` lies within x, in bytes or elements, and that x has no owner.
    static void within(MemorySegment x, long at) {
        if (at < 0 || at > x.byteSize()) {
            throw new IndexOutOfBoundsException(at + " in a segment of " + x.byteSize() + " bytes");
        }
        if (!x.isAccessibleBy(ONE) || !x.isAccessibleBy(OTHER)) {
            throw new WrongThreadException("a kernel was given memory that belongs to one thread");
        }
    }

    /// Says it of two.
    static void within(MemorySegment x, long xAt, MemorySegment y, long yAt) {
        within(x, xAt);
        within(y, yAt);
    }

    /// Says it of three.
    static void within(MemorySegment x, long xAt, MemorySegment y, long yAt, MemorySegment z, long zAt) {
        within(x, xAt, y, yAt);
        within(z, zAt);
    }

    /// Says it of four.
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
