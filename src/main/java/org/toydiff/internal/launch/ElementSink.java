package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;

/// Takes the elements of a launch's result when the launch has computed them, while they are in a cache. Parts of a
/// launch give theirs at the same time.
@FunctionalInterface
public interface ElementSink {
    /// Takes `count` elements, in row-major order from index `from` on, which lie in y from `at` on.
    void take(long from, long count, MemorySegment y, long at);
}
