package org.toydiff.internal.memory;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.events.MemoryLimitEvent;
import org.toydiff.internal.launch.Shape;

/// Records who owns which block. One lock guards the pool, the process's totals, every account's totals and list:
/// each is touched on every allocation, for some tens of nanoseconds.
public final class Ledger {
    static final boolean TRACE = JvmOptions.MEMORY_TRACE;

    /// Whether every launch sees its operands' own bytes alone, guard bytes keep blocks apart, and free memory is
    /// NaN: for tests, and for the hunt for a fault.
    public static final boolean CHECKED = JvmOptions.MEMORY_CHECK;

    private static final Object LOCK = new Object();

    /// Held by whoever ends lifetimes of shared memory, before [#LOCK]: a closing waits for other threads to notice,
    /// and until then must meet neither another closing nor a move or an early end of the same memory.
    static final Object LIFETIMES = new Object();

    private static final BlockPool POOL = new BlockPool(CHECKED);

    /// The least default of the process's limit, so that a process with less need not ask the machine.
    private static final long LEAST = 64L << 20;

    /// The account of the youngest open arena, which leads to the others.
    private static Account newest;

    private static long arenasOpened;

    private static long live;
    private static long peak;

    static {
        if (TRACE) {
            reportLeaksAtEnd();
        }
    }

    private Ledger() {}

    /// Initialized when the default limit is needed, because asking for the machine's memory takes tens of
    /// milliseconds.
    private static final class DefaultLimit {
        /// The physical memory of the machine, or of its container, less the most that the heap may take.
        static final long BYTES = Math.max(memory() - Runtime.getRuntime().maxMemory(), LEAST);

        private static long memory() {
            var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            return system.getTotalMemorySize();
        }
    }

    /// A request for memory, for the messages and the event of its refusal.
    ///
    /// @param bytes rounded up, as they count against limits
    record Request(String op, ElementType dtype, long[] shape, long bytes) {
        String tensor() {
            return Shape.text(shape) + " " + dtype;
        }

        @Override
        public String toString() {
            return op + ": " + Shape.bytes(bytes) + " for " + tensor();
        }
    }

    /// Lists the account of an arena that was opened.
    ///
    /// @return how many were opened in this process, this one included
    static long opened(Account account) {
        synchronized (LOCK) {
            account.older = newest;
            if (newest != null) {
                newest.newer = account;
            }
            newest = account;
            return ++arenasOpened;
        }
    }

    /// Counts `storage` in `account` and gives it a block, or none when it has no bytes.
    ///
    /// @throws RuntimeException the account's refusal, if a limit would be passed or the system has no more; nothing
    ///     has changed then
    static void take(Account account, PooledStorage storage) {
        synchronized (LOCK) {
            long bytes = storage.bytes();
            requireTaking(account, storage.op);
            requireRoom(account, storage);
            if (!hasRoom(bytes)) {
                throw refusedByProcess(storage.request(), account.refusal());
            }
            Block block = null;
            if (bytes > 0) {
                block = POOL.take(bytes, storage.elementBytes());
                if (block == null) {
                    String why = " failed: the system has no more memory";
                    String message = refuse(storage.request(), "system", why, live, Long.MAX_VALUE, open());
                    throw account.refusal().apply(message);
                }
            }
            live += bytes;
            peak = Math.max(peak, live);
            account.add(storage);
            // Under the lock: a closing that came between would not find the block.
            storage.receive(block);
        }
    }

    /// Takes back the block of a storage, unless the closing of its arena has.
    static void give(Account account, PooledStorage storage) {
        synchronized (LOCK) {
            if (storage.listed) {
                live -= storage.bytes();
                account.remove(storage);
                recycle(storage);
            }
        }
    }

    private static void recycle(PooledStorage storage) {
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

    /// Puts `heir` in the place of `storage`, and gives it the block.
    static void replace(Account account, PooledStorage storage, PooledStorage heir) {
        synchronized (LOCK) {
            storage.requireListed();
            account.remove(storage);
            account.add(heir);
            heir.receive(storage.surrender());
        }
    }

    /// Lists a storage in another account.
    ///
    /// @throws RuntimeException the target's refusal, if it does not fit there; nothing has changed then
    static void move(Account from, Account to, PooledStorage storage) {
        synchronized (LOCK) {
            storage.requireListed();
            to.requireOpen("moveTo");
            requireRoom(to, storage);
            from.remove(storage);
            to.add(storage);
        }
    }

    /// Undoes [#move].
    static void moveBack(Account to, Account from, PooledStorage storage) {
        synchronized (LOCK) {
            to.remove(storage);
            from.add(storage);
        }
    }

    /// Counts memory of an arena of the caller's.
    ///
    /// @throws RuntimeException the refusal, if the process's limit would be passed; nothing has changed then
    static void count(Request foreign, Function<String, RuntimeException> refusal) {
        synchronized (LOCK) {
            if (!hasRoom(foreign.bytes())) {
                throw refusedByProcess(foreign, refusal);
            }
            live += foreign.bytes();
            peak = Math.max(peak, live);
        }
    }

    /// Undoes [#count].
    static void uncount(long bytes) {
        synchronized (LOCK) {
            live -= bytes;
        }
    }

    /// Lets a shared arena take neither tensors nor entries, until [#closed] or [#stillOpen].
    ///
    /// @throws IllegalStateException if a thread is inside
    static void beginClosing(Account account) {
        synchronized (LOCK) {
            account.beginClosing();
        }
    }

    /// Throws where a tensor made now, or an entry, would outlive the arena. Waits while another thread is closing
    /// it, which may fail yet; that takes some handshakes of the JVM with all threads. A cleanup action, on the thread
    /// that is closing it, cannot wait.
    private static void requireTaking(Account account, String op) {
        boolean interrupted = false;
        while (account.isClosing() && account.isShared() && !Thread.holdsLock(LIFETIMES)) {
            try {
                LOCK.wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        account.requireOpen(op);
    }

    private static void endClosing(Account account) {
        account.endClosing();
        if (account.isShared()) {
            LOCK.notifyAll();
        }
    }

    /// Undoes [#beginClosing] and [#endLifetimes].
    static void stillOpen(Account account) {
        List<PooledStorage> storages;
        synchronized (LOCK) {
            storages = list(account);
        }
        storages.forEach(PooledStorage::renewLifetime);
        synchronized (LOCK) {
            endClosing(account);
        }
    }

    /// Takes back the blocks of an arena that was closed.
    ///
    /// @throws MemoryCheckError in the checked mode, if something was written past the end of one; all are taken
    ///     back then, too
    static void closed(Account account) {
        synchronized (LOCK) {
            endClosing(account);
            unlink(account);
            MemoryCheckError damage = null;
            for (PooledStorage storage = account.first(); storage != null; storage = account.first()) {
                live -= storage.bytes();
                account.remove(storage);
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

    private static void unlink(Account account) {
        if (account.newer != null) {
            account.newer.older = account.older;
        } else {
            newest = account.older;
        }
        if (account.older != null) {
            account.older.newer = account.newer;
        }
    }

    /// The accounts of the arenas that are open, in the order of opening.
    private static List<Account> open() {
        List<Account> open = new ArrayList<>();
        for (Account account = newest; account != null; account = account.older) {
            open.addFirst(account);
        }
        return open;
    }

    /// Ends the lifetimes that storages have apart from their arena's, before that is closed. Not under the lock:
    /// the end of a shared one waits for other threads.
    static void endLifetimes(Account account) {
        if (account.isShared()) {
            List<PooledStorage> storages;
            synchronized (LOCK) {
                storages = list(account);
            }
            storages.forEach(PooledStorage::endLifetime);
        } else {
            for (PooledStorage storage = account.first(); storage != null; storage = storage.next) {
                storage.endLifetime();
            }
        }
    }

    public static long live() {
        synchronized (LOCK) {
            return live;
        }
    }

    public static long peak() {
        synchronized (LOCK) {
            return peak;
        }
    }

    public static void resetPeak() {
        synchronized (LOCK) {
            peak = live;
        }
    }

    public static long limitBytes() {
        return JvmOptions.MEMORY_LIMIT > 0 ? JvmOptions.MEMORY_LIMIT : DefaultLimit.BYTES;
    }

    public static long slabsMade() {
        synchronized (LOCK) {
            return POOL.slabsMade();
        }
    }

    public static long slabBytes() {
        synchronized (LOCK) {
            return POOL.slabBytes();
        }
    }

    public static int openArenas() {
        synchronized (LOCK) {
            return open().size();
        }
    }

    static long liveBytes(Account account) {
        synchronized (LOCK) {
            return account.live();
        }
    }

    static long peakBytes(Account account) {
        synchronized (LOCK) {
            return account.peak();
        }
    }

    /// Adds an entry to an arena, which keeps that from being closed.
    ///
    /// @throws IllegalStateException if it is closed
    static void enter(Account account, Entry entry) {
        synchronized (LOCK) {
            requireTaking(account, "enter");
            account.add(entry);
        }
    }

    static void leave(Account account, Entry entry) {
        synchronized (LOCK) {
            account.remove(entry);
        }
    }

    public static String report() {
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
            for (Account account : open()) {
                text.append("  ").append(account.describe()).append('\n');
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
        List<PooledStorage> all = new ArrayList<>();
        open().forEach(account -> all.addAll(list(account)));
        all.sort(Comparator.comparingLong((PooledStorage storage) -> storage.bytes())
                .reversed());
        for (PooledStorage storage : all) {
            if (storage.bytes() > 0) {
                text.append("  ").append(storage.bytes()).append(" B  ").append(name(storage));
                text.append("  at ").append(storage.site).append('\n');
            }
        }
    }

    /// Registers a shutdown hook, by which the JVM holds this class, and with it the library's class loader, until
    /// it ends.
    private static void reportLeaksAtEnd() {
        Thread hook = Thread.ofPlatform()
                .name("toydiff-memory-report")
                .inheritInheritableThreadLocals(false)
                .unstarted(Ledger::reportLeaks);
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending already: another hook makes the first tensors.
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

    private static List<PooledStorage> list(Account account) {
        List<PooledStorage> all = new ArrayList<>();
        for (PooledStorage storage = account.first(); storage != null; storage = storage.next) {
            all.add(storage);
        }
        return all;
    }

    private static void requireRoom(Account account, PooledStorage storage) {
        long limit = account.limit();
        if (storage.bytes() > limit - account.live()) {
            String why = " would pass the limit of its arena, " + Shape.bytes(limit);
            String message = refuse(storage.request(), "arena", why, account.live(), limit, List.of(account));
            throw account.refusal().apply(message);
        }
    }

    /// Whether so many more bytes stay within the process's limit.
    private static boolean hasRoom(long bytes) {
        long known = JvmOptions.MEMORY_LIMIT > 0 ? JvmOptions.MEMORY_LIMIT : LEAST;
        return bytes <= known - live || bytes <= limitBytes() - live;
    }

    private static RuntimeException refusedByProcess(Request request, Function<String, RuntimeException> refusal) {
        long limit = limitBytes();
        String why = " would pass the limit of the process, " + Shape.bytes(limit) + " (-Dtoydiff.memory.limit)";
        return refusal.apply(refuse(request, "process", why, live, limit, open()));
    }

    /// Records a refusal.
    ///
    /// @return its message
    private static String refuse(
            Request request, String bound, String why, long live, long limit, List<Account> holders) {
        MemoryLimitEvent event = Events.memoryLimit();
        if (event != null) {
            event.write(request.op(), request.tensor(), request.bytes(), bound, live, limit);
        }
        return request + why + "; live " + Shape.bytes(live) + largest(holders);
    }

    private static String name(PooledStorage storage) {
        return storage.op + " " + storage.request().tensor();
    }

    private static String largest(List<Account> accounts) {
        List<PooledStorage> all = new ArrayList<>();
        accounts.forEach(account -> all.addAll(list(account)));
        all.sort(Comparator.comparingLong((PooledStorage storage) -> storage.bytes())
                .reversed());
        if (all.isEmpty()) {
            return "";
        }
        List<String> names = all.stream()
                .limit(3)
                .map(storage -> name(storage) + " " + Shape.bytes(storage.bytes()))
                .toList();
        return "; largest: " + String.join(", ", names);
    }
}
