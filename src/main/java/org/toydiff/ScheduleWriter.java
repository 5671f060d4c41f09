package org.toydiff;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Writes down what a walk backward frees.
sealed class ScheduleWriter {
    /// For walks that nobody asked about.
    static final ScheduleWriter NONE = new None();

    private final TensorArena arena;
    private final List<ReleaseSchedule.Entry> entries = new ArrayList<>();
    private final List<Long> live = new ArrayList<>();
    private final Map<Storage, Integer> blocks = new IdentityHashMap<>();

    ScheduleWriter(TensorArena arena) {
        this.arena = arena;
    }

    void freed(int step, String op, ReleaseSchedule.Kind kind, long[] shape, Storage storage) {
        int block = blocks.computeIfAbsent(storage, s -> blocks.size() + 1);
        entries.add(new ReleaseSchedule.Entry(step, op, kind, shape, storage.bytes, block));
    }

    void endStep() {
        live.add(arena.liveBytes());
    }

    ReleaseSchedule schedule() {
        return new ReleaseSchedule(entries, live, arena.peakBytes());
    }

    private static final class None extends ScheduleWriter {
        None() {
            super(null);
        }

        @Override
        void freed(int step, String op, ReleaseSchedule.Kind kind, long[] shape, Storage storage) {}

        @Override
        void endStep() {}
    }
}
