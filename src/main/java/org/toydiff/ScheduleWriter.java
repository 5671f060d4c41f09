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
    private final Map<Storage, Integer> births = new IdentityHashMap<>();
    private final List<Storage> inOrder = new ArrayList<>();

    ScheduleWriter(TensorArena arena) {
        this.arena = arena;
    }

    /// Notes at which step a block was made, unless that is known.
    void made(int step, Storage storage) {
        if (births.putIfAbsent(storage, step) == null) {
            inOrder.add(storage);
        }
    }

    void freed(int step, String op, ReleaseSchedule.Kind kind, long[] shape, Storage storage) {
        entries.add(entry(step, op, kind, shape, storage));
    }

    private ReleaseSchedule.Entry entry(int step, String op, ReleaseSchedule.Kind kind, long[] shape, Storage storage) {
        int block = blocks.computeIfAbsent(storage, s -> blocks.size() + 1);
        return new ReleaseSchedule.Entry(step, op, kind, shape, storage.bytes, block, births.get(storage));
    }

    private List<ReleaseSchedule.Entry> kept() {
        List<ReleaseSchedule.Entry> kept = new ArrayList<>();
        for (Storage storage : inOrder) {
            if (!storage.isFreed() && storage.bytes > 0 && storage.home instanceof TensorArena) {
                var kind = births.get(storage) < 0 ? ReleaseSchedule.Kind.VALUE : ReleaseSchedule.Kind.GRADIENT;
                kept.add(entry(live.size(), storage.op, kind, storage.shape, storage));
            }
        }
        return kept;
    }

    void endStep() {
        live.add(arena.liveBytes());
    }

    ReleaseSchedule schedule() {
        return new ReleaseSchedule(entries, kept(), live, arena.peakBytes());
    }

    private static final class None extends ScheduleWriter {
        None() {
            super(null);
        }

        @Override
        void made(int step, Storage storage) {}

        @Override
        void freed(int step, String op, ReleaseSchedule.Kind kind, long[] shape, Storage storage) {}

        @Override
        void endStep() {}
    }
}
