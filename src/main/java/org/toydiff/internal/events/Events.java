package org.toydiff.internal.events;

import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.FlightRecorder;

/// What flight recordings are told. Each method gives null when nobody listens, which costs a check and makes
/// nothing.
///
/// The first use of an event class starts the whole Flight Recorder, recording or not, which takes the JVM longer
/// than its own start; and a JVM may lack the module jdk.jfr. So nothing here touches one until somebody else
/// has started it.
public final class Events {
    private static final boolean AVAILABLE = ModuleLayer.boot()
            .findModule("jdk.jfr")
            .filter(Events.class.getModule()::canRead)
            .isPresent();

    /// To be asked whether their kind is enabled, without making one.
    private static final class Prototypes {
        static final ArenaOpenEvent ARENA_OPEN = new ArenaOpenEvent();
        static final ArenaCloseEvent ARENA_CLOSE = new ArenaCloseEvent();
        static final SlabAllocationEvent SLAB_ALLOCATION = new SlabAllocationEvent();
        static final MemoryLimitEvent MEMORY_LIMIT = new MemoryLimitEvent();
        static final BackwardEvent BACKWARD = new BackwardEvent();

        static final AtomicLong ARENAS = new AtomicLong();
    }

    private Events() {}

    private static boolean listening() {
        return AVAILABLE && FlightRecorder.isInitialized();
    }

    /// Tells that an arena was opened.
    ///
    /// @return what to write when it is closed
    public static ArenaCloseEvent arenaOpened(boolean shared, long limit) {
        if (!listening() || !(Prototypes.ARENA_OPEN.isEnabled() || Prototypes.ARENA_CLOSE.isEnabled())) {
            return null;
        }
        var open = new ArenaOpenEvent();
        open.arena = Prototypes.ARENAS.incrementAndGet();
        open.kind = kind(shared);
        open.limit = limit(limit);
        open.commit();
        var close = new ArenaCloseEvent();
        close.arena = open.arena;
        close.begin();
        return close;
    }

    /// For an arena at whose opening nobody listened.
    ///
    /// @return what to write now
    public static ArenaCloseEvent arenaClosed() {
        return listening() && Prototypes.ARENA_CLOSE.isEnabled() ? new ArenaCloseEvent() : null;
    }

    /// Before the pool grows.
    public static SlabAllocationEvent slabAllocation() {
        if (!listening() || !Prototypes.SLAB_ALLOCATION.isEnabled()) {
            return null;
        }
        var event = new SlabAllocationEvent();
        event.begin();
        return event;
    }

    /// When a tensor is refused.
    public static MemoryLimitEvent memoryLimit() {
        return listening() && Prototypes.MEMORY_LIMIT.isEnabled() ? new MemoryLimitEvent() : null;
    }

    /// Before a walk backward.
    public static BackwardEvent backward() {
        if (!listening() || !Prototypes.BACKWARD.isEnabled()) {
            return null;
        }
        var event = new BackwardEvent();
        event.begin();
        return event;
    }

    static String kind(boolean shared) {
        return shared ? "shared" : "confined";
    }

    /// A data amount of `Long.MIN_VALUE` is what the JDK's tools show as N/A.
    static long limit(long bytes) {
        return bytes == Long.MAX_VALUE ? Long.MIN_VALUE : bytes;
    }
}
