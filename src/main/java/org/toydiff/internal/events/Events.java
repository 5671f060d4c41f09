package org.toydiff.internal.events;

import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.FlightRecorder;

/// The events of flight recordings. Each method returns null while nothing records, at the cost of a check and
/// without allocation.
///
/// The first use of an event class starts the whole Flight Recorder, recording or not, which takes longer than the
/// start of the JVM itself; and a JVM may lack the module jdk.jfr. So nothing here touches an event class until
/// the recorder has been started elsewhere.
public final class Events {
    private static final boolean AVAILABLE = ModuleLayer.boot()
            .findModule("jdk.jfr")
            .filter(Events.class.getModule()::canRead)
            .isPresent();

    /// Instances for asking whether a type of event is enabled, without creating one.
    private static final class Prototypes {
        static final ArenaOpenEvent ARENA_OPEN = new ArenaOpenEvent();
        static final ArenaCloseEvent ARENA_CLOSE = new ArenaCloseEvent();
        static final SlabAllocationEvent SLAB_ALLOCATION = new SlabAllocationEvent();
        static final MemoryLimitEvent MEMORY_LIMIT = new MemoryLimitEvent();
        static final BackwardEvent BACKWARD = new BackwardEvent();
        static final KernelFormEvent KERNEL_FORM = new KernelFormEvent();
        static final FunctionRecordingEvent FUNCTION_RECORDING = new FunctionRecordingEvent();

        static final AtomicLong ARENAS = new AtomicLong();
    }

    private Events() {}

    private static boolean listening() {
        return AVAILABLE && FlightRecorder.isInitialized();
    }

    /// Commits an event for the opening of an arena.
    ///
    /// @return the event to write when the arena is closed
    public static ArenaCloseEvent arenaOpened(String kind, long limit) {
        if (!listening() || !(Prototypes.ARENA_OPEN.isEnabled() || Prototypes.ARENA_CLOSE.isEnabled())) {
            return null;
        }
        var open = new ArenaOpenEvent();
        open.arena = Prototypes.ARENAS.incrementAndGet();
        open.kind = kind;
        open.limit = limit(limit);
        open.commit();
        var close = new ArenaCloseEvent();
        close.arena = open.arena;
        close.begin();
        return close;
    }

    /// Returns an event for an arena that was opened while nothing recorded.
    ///
    /// @return the event to write now
    public static ArenaCloseEvent arenaClosed() {
        return listening() && Prototypes.ARENA_CLOSE.isEnabled() ? new ArenaCloseEvent() : null;
    }

    /// Begins an event before the pool grows.
    public static SlabAllocationEvent slabAllocation() {
        if (!listening() || !Prototypes.SLAB_ALLOCATION.isEnabled()) {
            return null;
        }
        var event = new SlabAllocationEvent();
        event.begin();
        return event;
    }

    /// Returns an event for a refused tensor.
    public static MemoryLimitEvent memoryLimit() {
        return listening() && Prototypes.MEMORY_LIMIT.isEnabled() ? new MemoryLimitEvent() : null;
    }

    /// Begins an event before a backward pass.
    public static BackwardEvent backward() {
        if (!listening() || !Prototypes.BACKWARD.isEnabled()) {
            return null;
        }
        var event = new BackwardEvent();
        event.begin();
        return event;
    }

    /// Begins an event before a compiled function is recorded.
    public static FunctionRecordingEvent functionRecording() {
        if (!listening() || !Prototypes.FUNCTION_RECORDING.isEnabled()) {
            return null;
        }
        var event = new FunctionRecordingEvent();
        event.begin();
        return event;
    }

    /// When a kernel changes between its scalar and its vector form.
    public static KernelFormEvent kernelForm() {
        return listening() && Prototypes.KERNEL_FORM.isEnabled() ? new KernelFormEvent() : null;
    }

    /// Returns the limit, or if there is none `Long.MIN_VALUE`, which the JDK's tools show as N/A.
    static long limit(long bytes) {
        return bytes == Long.MAX_VALUE ? Long.MIN_VALUE : bytes;
    }
}
