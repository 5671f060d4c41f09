package org.toydiff.train;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;

/// Counts the garbage collections between calls.
final class GarbageCollectionCounter {
    private static final GarbageCollectorMXBean[] COLLECTORS =
            ManagementFactory.getGarbageCollectorMXBeans().toArray(GarbageCollectorMXBean[]::new);

    private long count = total(false);
    private long millis = total(true);

    private static long total(boolean time) {
        long total = 0;
        for (GarbageCollectorMXBean collector : COLLECTORS) {
            total += Math.max(0, time ? collector.getCollectionTime() : collector.getCollectionCount());
        }
        return total;
    }

    /// Returns the number of collections since the last call.
    long count() {
        long before = count;
        count = total(false);
        return count - before;
    }

    /// Returns the time of collections since the last call, in seconds.
    double seconds() {
        long before = millis;
        millis = total(true);
        return (millis - before) / 1e3;
    }
}
