package org.toydiff.examples;

import java.time.Duration;
import jdk.jfr.consumer.RecordingStream;

/// Sums the pauses of this process for garbage collections, by JDK Flight Recorder, which reports them within about a
/// second.
final class GcPauses implements AutoCloseable {
    private static final String PAUSE = "jdk.GCPhasePause";

    private final RecordingStream events = new RecordingStream();
    private Sum sum = new Sum(0, 0, 0);

    /// @param count the number of pauses
    /// @param nanos their sum in nanoseconds
    /// @param longestNanos the longest in nanoseconds
    record Sum(long count, long nanos, long longestNanos) {
        Sum plus(Duration pause) {
            return new Sum(count + 1, nanos + pause.toNanos(), Math.max(longestNanos, pause.toNanos()));
        }
    }

    GcPauses() {
        events.enable(PAUSE).withoutThreshold();
        events.onEvent(PAUSE, event -> add(event.getDuration()));
        events.startAsync();
    }

    private synchronized void add(Duration pause) {
        sum = sum.plus(pause);
    }

    /// {@return the pauses since the last call}
    synchronized Sum takeSum() {
        Sum taken = sum;
        sum = new Sum(0, 0, 0);
        return taken;
    }

    @Override
    public void close() {
        events.close();
    }
}
