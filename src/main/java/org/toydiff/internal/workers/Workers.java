package org.toydiff.internal.workers;

import org.toydiff.internal.JvmOptions;

/// The threads that share large work: one pool for everything. Two pools that spin against each other cost up to 30
/// times, so products too are cut up here, and the BLAS library runs on one thread.
///
/// A calling thread does parts of its own work; `n` threads are a caller and `n − 1` workers. Several callers at
/// once share the workers, part by part.
public final class Workers {
    /// So many parts are counted at once, in half a word; further ones follow when those have run.
    private static final int MOST_AT_ONCE = 1 << 20;

    private static volatile Crew crew = new Crew(JvmOptions.THREADS);

    private Workers() {}

    /// How many threads share one work, the calling one included.
    public static int threads() {
        return crew.threads();
    }

    /// Replaces the workers. Work under way is finished by those it was begun with.
    public static synchronized void setThreads(int threads) {
        if (threads != crew.threads()) {
            Crew old = crew;
            crew = new Crew(threads);
            old.dismiss();
        }
    }

    /// Runs every part of `work`, and returns when all have run.
    ///
    /// @throws RuntimeException or an Error that a part threw
    public static void run(Work work, long parts) {
        for (long first = 0; first < parts; first += MOST_AT_ONCE) {
            run(work, first, (int) Math.min(parts - first, MOST_AT_ONCE));
        }
    }

    private static void run(Work work, long first, int parts) {
        work.open(first, parts);
        Crew now = crew;
        int slot = parts == 1 ? -1 : now.post(work, parts);
        try {
            while (work.doOne()) {
                // One part after another, while the workers do the same.
            }
            work.await(parts);
        } finally {
            now.withdraw(slot);
        }
    }
}
