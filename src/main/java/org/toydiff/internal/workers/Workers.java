package org.toydiff.internal.workers;

import org.toydiff.internal.JvmOptions;

/// The threads that share large work: one pool for everything. Two pools that spin against each other cost up to
/// 30 times, so products are split here too, and the BLAS library runs on one thread.
///
/// A calling thread runs parts of its own work: `n` threads are a caller and `n − 1` workers. Several callers
/// share the workers part by part.
public final class Workers {
    /// The most parts offered at once, as their number must fit into half a word; further ones follow when those
    /// have run.
    private static final int MAX_PARTS = 1 << 20;

    private static volatile WorkerPool pool = new WorkerPool(JvmOptions.THREADS);

    private Workers() {}

    /// Returns the number of threads that share one work, the calling one included.
    public static int threads() {
        return pool.threads();
    }

    /// Replaces the workers. Work in progress is finished by the old ones.
    public static synchronized void setThreads(int threads) {
        if (threads != pool.threads()) {
            WorkerPool old = pool;
            pool = new WorkerPool(threads);
            old.shutdown();
        }
    }

    /// Runs every part of `work`, and returns when all have run.
    ///
    /// @throws RuntimeException or an Error that a part threw
    public static void run(Work work, long parts) {
        for (long first = 0; first < parts; first += MAX_PARTS) {
            run(work, first, (int) Math.min(parts - first, MAX_PARTS));
        }
    }

    private static void run(Work work, long first, int parts) {
        work.open(first, parts);
        WorkerPool now = pool;
        int slot = parts == 1 ? -1 : now.post(work, parts);
        try {
            while (work.runOne()) {
                // Runs one part after another, while the workers do the same.
            }
            work.await(parts);
        } finally {
            now.withdraw(slot);
        }
    }
}
