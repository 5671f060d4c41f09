package org.toydiff;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongSupplier;
import org.toydiff.internal.memory.Block;
import org.toydiff.internal.memory.BlockPool;

/// Who owns which block. One lock guards the pool, the process's totals, every arena's totals and list:
/// each is touched on every allocation, for some tens of nanoseconds.
final class Ledger {
    static final boolean TRACE = Boolean.getBoolean("toydiff.memory.trace");

    private static final Object LOCK = new Object();
    private static final BlockPool POOL = new BlockPool();
    private static final Set<TensorArena> OPEN = new LinkedHashSet<>();
    private static final long LIMIT = limit();
    private static long live;
    private static long peak;

    static {
        if (TRACE) {
            Runtime.getRuntime().addShutdownHook(new Thread(Ledger::reportLeaks, "toydiff-memory-report"));
        }
    }

    private Ledger() {}

    private static long limit() {
        String text = System.getProperty("toydiff.memory.limit");
        if (text == null) {
            // What the machine (or the container) has, less what the heap may take.
            var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long heap = Runtime.getRuntime().maxMemory();
            return Math.max(system.getTotalMemorySize() - heap, 64L << 20);
        }
        return parseBytes(text);
    }

    /// `8g`, `512m`, `64k` or plain bytes, as the JVM's own flags take them.
    static long parseBytes(String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        int shift = lower.isEmpty() ? 0 : 10 * (" kmgt".indexOf(lower.charAt(lower.length() - 1)));
        try {
            String digits = shift > 0 ? lower.substring(0, lower.length() - 1) : lower;
            long number = Long.parseLong(digits);
            if (number > 0 && number <= Long.MAX_VALUE >> Math.max(shift, 0)) {
                return number << Math.max(shift, 0);
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for everything that is not a size.
        }
        throw new IllegalArgumentException(
                "-Dtoydiff.memory.limit=" + text + " is not a size; write it as 8g, 512m, 64k or bytes");
    }

    static void opened(TensorArena arena) {
        synchronized (LOCK) {
            OPEN.add(arena);
        }
    }

    /// Counts `storage` in `arena` and gives it a block, null when it has no bytes.
    ///
    /// @throws MemoryLimitException if a limit would be passed, or the system has no more; nothing has changed
    ///     then
    static Block take(TensorArena arena, Storage storage) {
        synchronized (LOCK) {
            long bytes = storage.bytes;
            requireRoom(arena, storage);
            requireProcessRoom(storage);
            Block block = null;
            if (bytes > 0) {
                block = POOL.take(bytes);
                if (block == null) {
                    throw new MemoryLimitException(request(storage) + " failed: the system has no more memory; live "
                            + Shape.bytes(live) + largest(OPEN));
                }
            }
            live += bytes;
            peak = Math.max(peak, live);
            arena.add(storage);
            return block;
        }
    }

    static void give(TensorArena arena, Storage storage, Block block) {
        synchronized (LOCK) {
            live -= storage.bytes;
            arena.remove(storage);
            if (block != null) {
                POOL.give(block);
            }
        }
    }

    /// Puts `heir` in the place of `storage`, whose block it has.
    static void replace(TensorArena arena, Storage storage, Storage heir) {
        synchronized (LOCK) {
            arena.remove(storage);
            arena.add(heir);
        }
    }

    static void move(TensorArena from, TensorArena to, Storage storage) {
        synchronized (LOCK) {
            requireRoom(to, storage);
            from.remove(storage);
            to.add(storage);
        }
    }

    static void closed(TensorArena arena) {
        synchronized (LOCK) {
            OPEN.remove(arena);
            for (Storage storage = arena.first(); storage != null; storage = arena.first()) {
                live -= storage.bytes;
                arena.remove(storage);
                Block block = storage.surrender();
                if (block != null) {
                    POOL.give(block);
                }
            }
        }
    }

    /// The storages of an arena at this moment; its list changes under the lock.
    static List<Storage> storages(TensorArena arena) {
        synchronized (LOCK) {
            return list(arena);
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

    static long slabsMade() {
        synchronized (LOCK) {
            return POOL.slabsMade();
        }
    }

    /// Reads an arena's counters under the lock.
    static long read(LongSupplier counter) {
        synchronized (LOCK) {
            return counter.getAsLong();
        }
    }

    static String report() {
        synchronized (LOCK) {
            var text = new StringBuilder();
            text.append("toydiff memory: live ")
                    .append(Shape.bytes(live))
                    .append(", peak ")
                    .append(Shape.bytes(peak));
            text.append(", limit ").append(Shape.bytes(LIMIT)).append(", held from the system ");
            text.append(Shape.bytes(POOL.slabBytes()))
                    .append(" (")
                    .append(POOL.slabsMade())
                    .append(" slabs made)\n");
            for (TensorArena arena : OPEN) {
                text.append("  ").append(arena.describe()).append('\n');
            }
            if (TRACE) {
                appendSites(text);
            } else if (!OPEN.isEmpty()) {
                text.append("  (-Dtoydiff.memory.trace=true adds the line that made each block)\n");
            }
            return text.toString();
        }
    }

    private static void appendSites(StringBuilder text) {
        List<Storage> all = new ArrayList<>();
        OPEN.forEach(arena -> all.addAll(list(arena)));
        all.sort(Comparator.comparingLong((Storage storage) -> storage.bytes).reversed());
        for (Storage storage : all) {
            if (storage.bytes > 0) {
                text.append("  ").append(storage.bytes).append(" B  ").append(name(storage));
                text.append("  at ").append(storage.site).append('\n');
            }
        }
    }

    private static void reportLeaks() {
        boolean any;
        synchronized (LOCK) {
            any = !OPEN.isEmpty();
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
            throw new MemoryLimitException(request(storage) + " would pass the limit of its arena, "
                    + Shape.bytes(arena.limit()) + "; live " + Shape.bytes(arena.live()) + largest(Set.of(arena)));
        }
    }

    private static void requireProcessRoom(Storage storage) {
        if (storage.bytes > LIMIT - live) {
            throw new MemoryLimitException(request(storage) + " would pass the limit of the process, "
                    + Shape.bytes(LIMIT) + " (-Dtoydiff.memory.limit); live " + Shape.bytes(live) + largest(OPEN));
        }
    }

    private static String request(Storage storage) {
        return storage.op + ": " + Shape.bytes(storage.bytes) + " for " + Shape.text(storage.shape) + " "
                + storage.dtype;
    }

    private static String name(Storage storage) {
        return storage.op + " " + Shape.text(storage.shape) + " " + storage.dtype;
    }

    private static String largest(Set<TensorArena> arenas) {
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
