package org.toydiff;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.events.MemoryLimitEvent;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Block;
import org.toydiff.internal.memory.BlockPool;
import org.toydiff.internal.memory.MemoryCheckError;

/// Who owns which block. One lock guards the pool, the process's totals, every arena's totals and list:
/// each is touched on every allocation, for some tens of nanoseconds.
final class Ledger {
    static final boolean TRACE = JvmOptions.MEMORY_TRACE;

    /// For tests, and for the hunt for a fault: every launch sees its operands' own bytes alone, guard bytes keep
    /// blocks apart, and free memory is NaN.
    static final boolean CHECKED = JvmOptions.MEMORY_CHECK;

    private static final Object LOCK = new Object();
    private static final BlockPool POOL = new BlockPool(CHECKED);

    /// The process's limit is never less by default, whatever the machine: what is smaller need not ask it.
    private static final long LEAST = 64L << 20;

    /// The open arena that was opened last; the others hang behind it.
    private static TensorArena newest;

    private static long arenasOpened;

    private static long live;
    private static long peak;

    static {
        if (TRACE) {
            reportLeaksAtEnd();
        }
    }

    private Ledger() {}

    /// Found out when it is needed, because asking takes tens of milliseconds.
    private static final class Machine {
        /// What it (or the container) has, less what the heap may take.
        static final long LIMIT = Math.max(memory() - Runtime.getRuntime().maxMemory(), LEAST);

        private static long memory() {
            var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            return system.getTotalMemorySize();
        }
    }

    /// Notes an arena that was opened.
    ///
    /// @return how many were opened in this process, this one included
    static long opened(TensorArena arena) {
        synchronized (LOCK) {
            arena.older = newest;
            if (newest != null) {
                newest.newer = arena;
            }
            newest = arena;
            arena.enter(1);
            return ++arenasOpened;
        }
    }

    /// Counts `storage` in `arena` and gives it a block, null when it has no bytes.
    ///
    /// @throws MemoryLimitException if a limit would be passed, or the system has no more; nothing has changed
    ///     then
    static Block take(TensorArena arena, Storage storage) {
        synchronized (LOCK) {
            long bytes = storage.bytes;
            arena.requireTaking(storage.op);
            requireRoom(arena, storage);
            requireProcessRoom(storage);
            Block block = null;
            if (bytes > 0) {
                block = POOL.take(bytes, storage.elementBytes());
                if (block == null) {
                    throw refused(
                            storage, "system", " failed: the system has no more memory", live, Long.MAX_VALUE, open());
                }
            }
            live += bytes;
            peak = Math.max(peak, live);
            arena.add(storage);
            return block;
        }
    }

    /// Takes back the block of a storage, unless closing its arena has.
    static void give(TensorArena arena, Storage storage) {
        synchronized (LOCK) {
            if (storage.listed) {
                live -= storage.bytes;
                arena.remove(storage);
                recycle(storage);
            }
        }
    }

    private static void recycle(Storage storage) {
        Block block = storage.surrender();
        if (block == null) {
            return;
        }
        try {
            POOL.give(block);
        } catch (MemoryCheckError e) {
            throw e.of(name(storage));
        }
    }

    /// Puts `heir` in the place of `storage`, whose block it has.
    static void replace(TensorArena arena, Storage storage, Storage heir) {
        synchronized (LOCK) {
            storage.requireListed();
            arena.remove(storage);
            arena.add(heir);
        }
    }

    /// Lists a storage in another arena.
    ///
    /// @throws MemoryLimitException if it does not fit there; nothing has changed then
    static void move(TensorArena from, TensorArena to, Storage storage) {
        synchronized (LOCK) {
            storage.requireListed();
            to.requireTaking("moveTo");
            requireRoom(to, storage);
            from.remove(storage);
            to.add(storage);
        }
    }

    /// Undoes [#move].
    static void moveBack(TensorArena to, TensorArena from, Storage storage) {
        synchronized (LOCK) {
            to.remove(storage);
            from.add(storage);
        }
    }

    /// Counts memory of an arena of the caller's.
    ///
    /// @throws MemoryLimitException if the process's limit would be passed; nothing has changed then
    static void count(Storage foreign) {
        synchronized (LOCK) {
            requireProcessRoom(foreign);
            live += foreign.bytes;
            peak = Math.max(peak, live);
        }
    }

    static void uncount(Storage foreign) {
        synchronized (LOCK) {
            live -= foreign.bytes;
        }
    }

    /// From here on a shared arena takes no tensors, until [#closed] or [#stillOpen]; unless it is entered elsewhere.
    ///
    /// @return whether it is not
    static boolean beginClosing(TensorArena arena) {
        synchronized (LOCK) {
            return arena.beginClosing();
        }
    }

    /// Takes back that an arena is closing.
    static void stillOpen(TensorArena arena) {
        List<Storage> storages;
        synchronized (LOCK) {
            arena.stayOpen();
            storages = list(arena);
        }
        storages.forEach(Storage::renewLifetime);
    }

    static void closed(TensorArena arena) {
        synchronized (LOCK) {
            unlink(arena);
            MemoryCheckError damage = null;
            for (Storage storage = arena.first(); storage != null; storage = arena.first()) {
                live -= storage.bytes;
                arena.remove(storage);
                try {
                    recycle(storage);
                } catch (MemoryCheckError e) {
                    damage = e;
                }
            }
            if (damage != null) {
                throw damage;
            }
        }
    }

    private static void unlink(TensorArena arena) {
        if (arena.newer != null) {
            arena.newer.older = arena.older;
        } else {
            newest = arena.older;
        }
        if (arena.older != null) {
            arena.older.newer = arena.newer;
        }
    }

    /// Those that are open, in the order of opening.
    private static List<TensorArena> open() {
        List<TensorArena> open = new ArrayList<>();
        for (TensorArena arena = newest; arena != null; arena = arena.older) {
            open.addFirst(arena);
        }
        return open;
    }

    /// Ends the lifetimes that storages of an arena have of their own, before it is closed. Not under the lock: a
    /// shared one waits for other threads.
    static void endLifetimes(TensorArena arena) {
        if (arena.isShared()) {
            List<Storage> storages;
            synchronized (LOCK) {
                storages = list(arena);
            }
            storages.forEach(Storage::endLifetime);
        } else {
            for (Storage storage = arena.first(); storage != null; storage = storage.next) {
                storage.endLifetime();
            }
        }
    }

    static long live() {
        synchronized (LOCK) {
            return live;
        }
    }

    static long peak() {
        synchronized (LOCK) {
            return peak;
        }
    }

    static void resetPeak() {
        synchronized (LOCK) {
            peak = live;
        }
    }

    static long limitBytes() {
        return JvmOptions.MEMORY_LIMIT > 0 ? JvmOptions.MEMORY_LIMIT : Machine.LIMIT;
    }

    static long slabsMade() {
        synchronized (LOCK) {
            return POOL.slabsMade();
        }
    }

    static long slabBytes() {
        synchronized (LOCK) {
            return POOL.slabBytes();
        }
    }

    static int openArenas() {
        synchronized (LOCK) {
            return open().size();
        }
    }

    static long liveBytes(TensorArena arena) {
        synchronized (LOCK) {
            return arena.live();
        }
    }

    static long peakBytes(TensorArena arena) {
        synchronized (LOCK) {
            return arena.peak();
        }
    }

    /// Counts on how many threads an arena is entered.
    ///
    /// @throws IllegalStateException if it is closed, or closing
    static void enter(TensorArena arena) {
        synchronized (LOCK) {
            arena.requireTaking("enter");
            arena.enter(1);
        }
    }

    static void leave(TensorArena arena) {
        synchronized (LOCK) {
            arena.enter(-1);
        }
    }

    static String report() {
        synchronized (LOCK) {
            var text = new StringBuilder();
            text.append("toydiff memory: live ")
                    .append(Shape.bytes(live))
                    .append(", peak ")
                    .append(Shape.bytes(peak));
            text.append(", limit ").append(Shape.bytes(limitBytes())).append(", held from the system ");
            text.append(Shape.bytes(POOL.slabBytes()))
                    .append(" (")
                    .append(POOL.slabsMade())
                    .append(" slabs made)\n");
            for (TensorArena arena : open()) {
                text.append("  ").append(arena.describe()).append('\n');
            }
            if (TRACE) {
                appendSites(text);
            } else if (newest != null) {
                text.append("  (-Dtoydiff.memory.trace=true adds the line that made each block)\n");
            }
            return text.toString();
        }
    }

    private static void appendSites(StringBuilder text) {
        List<Storage> all = new ArrayList<>();
        open().forEach(arena -> all.addAll(list(arena)));
        all.sort(Comparator.comparingLong((Storage storage) -> storage.bytes).reversed());
        for (Storage storage : all) {
            if (storage.bytes > 0) {
                text.append("  ").append(storage.bytes).append(" B  ").append(name(storage));
                text.append("  at ").append(storage.site).append('\n');
            }
        }
    }

    /// Until then the JVM holds this class, and with it the library's class loader.
    private static void reportLeaksAtEnd() {
        Thread hook = Thread.ofPlatform()
                .name("toydiff-memory-report")
                .inheritInheritableThreadLocals(false)
                .unstarted(Ledger::reportLeaks);
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending already, and the first tensors are those of another hook.
        }
    }

    private static void reportLeaks() {
        boolean any;
        synchronized (LOCK) {
            any = newest != null;
        }
        if (any) {
            System.err.print("toydiff: arenas were still open when the JVM ended\n" + report());
        }
    }

    private static List<Storage> list(TensorArena arena) {
        List<Storage> all = new ArrayList<>();
        for (Storage storage = arena.first(); storage != null; storage = storage.next) {
            all.add(storage);
        }
        return all;
    }

    private static void requireRoom(TensorArena arena, Storage storage) {
        if (storage.bytes > arena.limit() - arena.live()) {
            String why = " would pass the limit of its arena, " + Shape.bytes(arena.limit());
            throw refused(storage, "arena", why, arena.live(), arena.limit(), List.of(arena));
        }
    }

    private static void requireProcessRoom(Storage storage) {
        long known = JvmOptions.MEMORY_LIMIT > 0 ? JvmOptions.MEMORY_LIMIT : LEAST;
        if (storage.bytes > known - live && storage.bytes > limitBytes() - live) {
            String why =
                    " would pass the limit of the process, " + Shape.bytes(limitBytes()) + " (-Dtoydiff.memory.limit)";
            throw refused(storage, "process", why, live, limitBytes(), open());
        }
    }

    private static MemoryLimitException refused(
            Storage storage, String bound, String why, long live, long limit, List<TensorArena> holders) {
        MemoryLimitEvent event = Events.memoryLimit();
        if (event != null) {
            String tensor = Shape.text(storage.shape) + " " + storage.dtype;
            event.write(storage.op, tensor, storage.bytes, bound, live, limit);
        }
        return new MemoryLimitException(request(storage) + why + "; live " + Shape.bytes(live) + largest(holders));
    }

    private static String request(Storage storage) {
        return storage.op + ": " + Shape.bytes(storage.bytes) + " for " + Shape.text(storage.shape) + " "
                + storage.dtype;
    }

    private static String name(Storage storage) {
        return storage.op + " " + Shape.text(storage.shape) + " " + storage.dtype;
    }

    private static String largest(List<TensorArena> arenas) {
        List<Storage> all = new ArrayList<>();
        arenas.forEach(arena -> all.addAll(list(arena)));
        all.sort(Comparator.comparingLong((Storage storage) -> storage.bytes).reversed());
        if (all.isEmpty()) {
            return "";
        }
        List<String> names = all.stream()
                .limit(3)
                .map(storage -> name(storage) + " " + Shape.bytes(storage.bytes))
                .toList();
        return "; largest: " + String.join(", ", names);
    }
}
