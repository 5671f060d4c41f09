package org.toydiff;

import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.workers.Workers;

/// The threads that share large work: products, elementwise ops, reductions and optimizers' steps.
public final class Threads {
    private Threads() {}

    /// How many threads share one work: the calling one and toydiff's workers. `-Dtoydiff.threads=n` sets it at the
    /// start (default: the processors that the JVM may use). The BLAS library itself runs on one.
    ///
    /// @return threads, 1 or more
    public static int count() {
        JvmOptions.require();
        return Workers.threads();
    }

    /// Sets how many threads share large work, for the whole process; results are bitwise the same for any number.
    /// Ops under way are finished by the threads they were begun with.
    ///
    /// @param threads 1 to 1024
    /// @throws IllegalArgumentException if it is none of these
    public static void set(int threads) {
        JvmOptions.require();
        if (threads < 1 || threads > JvmOptions.MAX_THREADS) {
            throw new IllegalArgumentException(
                    "Threads.set: " + threads + " threads; give 1 to " + JvmOptions.MAX_THREADS);
        }
        Workers.setThreads(threads);
    }
}
