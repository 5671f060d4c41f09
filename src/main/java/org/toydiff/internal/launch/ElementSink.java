package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;

/// Takes the elements of a launch's result when the launch has computed them, while they are in a cache. Parts of a
/// launch give theirs at the same time.
public interface ElementSink {
    /// {@return whether the launch also stores its result} Else it exists in a few pieces of [Scratch] only.
    boolean keepsResult();

    /// Takes `count` elements, in row-major order from index `from` on, which lie in y from `at` on.
    void take(long from, long count, MemorySegment y, long at);
}
